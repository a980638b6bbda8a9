from .build import (
    build_network as build_network,
    network_options as network_options,
    network_sizes as network_sizes,
)
from .enas import enas_network as enas_network
from .nasbench101 import nasbench101_network as nasbench101_network
from .nasbench201 import nasbench201_network as nasbench201_network
from .randwire import RandWireNetwork as RandWireNetwork, randwire_network as randwire_network
from .untrained import (
    NO_FLOW as NO_FLOW,
    grad_norm as grad_norm,
    jacov as jacov,
    lowest_jacov as lowest_jacov,
    nwot as nwot,
    synflow as synflow,
)
from .untrained_table import (
    STATISTICS as STATISTICS,
    UntrainedProtocol as UntrainedProtocol,
    UntrainedTable as UntrainedTable,
    untrained_statistics as untrained_statistics,
)
