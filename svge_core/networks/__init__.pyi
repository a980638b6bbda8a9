from .randwire import RandWireNetwork as RandWireNetwork, randwire_network as randwire_network
