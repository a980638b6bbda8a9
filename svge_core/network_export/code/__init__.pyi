from .document import code_of as code_of, model_code as model_code
from .enas import enas_code as enas_code
from .layout import NetworkCode as NetworkCode, python_docstring as python_docstring
from .nasbench101 import nasbench101_code as nasbench101_code
from .nasbench201 import nasbench201_code as nasbench201_code
from .randwire import randwire_code as randwire_code
