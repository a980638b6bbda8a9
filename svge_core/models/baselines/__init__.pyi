from .dgmg import DGMG as DGMG
from .dvae import DVAE as DVAE
from .gcn import GCN as GCN
