from .build import build_network as build_network
from .enas import enas_network as enas_network
from .nasbench101 import nasbench101_network as nasbench101_network
from .nasbench201 import nasbench201_network as nasbench201_network
from .randwire import RandWireNetwork as RandWireNetwork, randwire_network as randwire_network
