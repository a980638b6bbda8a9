from .acquisition import log_expected_improvement as log_expected_improvement
from .encodings import Encodings as Encodings, shared_encodings as shared_encodings
from .search import BayesianOptions as BayesianOptions, BayesianSearch as BayesianSearch
from .surrogate import rank_normal as rank_normal
