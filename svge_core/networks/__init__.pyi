from .build import build_network as build_network
from .randwire import RandWireNetwork as RandWireNetwork, randwire_network as randwire_network
