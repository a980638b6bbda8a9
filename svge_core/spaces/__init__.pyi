from .base import (
    AbstractSearchSpace as AbstractSearchSpace,
    CellArrays as CellArrays,
    Cost as Cost,
    DecodingRules as DecodingRules,
)
from .enas import ENAS_CHANNELS as ENAS_CHANNELS, ENASMacro as ENASMacro, reduction_points as reduction_points
from .hooks import (
    Alias as Alias,
    DrawingView as DrawingView,
    Entropy as Entropy,
    GeneratorView as GeneratorView,
    GraphView as GraphView,
    LabelledGraph as LabelledGraph,
    LargerSpace as LargerSpace,
    Reference as Reference,
    SizeSplit as SizeSplit,
    TextForm as TextForm,
    WideNetwork as WideNetwork,
    labelled_nodes as labelled_nodes,
    resolve as resolve,
)
from .nasbench101.space import NASBench101 as NASBench101
from .nasbench201 import (
    MAP_EDGES as MAP_EDGES,
    NASBench201 as NASBench201,
    from_naslib_tuple as from_naslib_tuple,
    naslib_tuple as naslib_tuple,
    official_order as official_order,
)
from .randwire import (
    RANDWIRE_CHANNELS as RANDWIRE_CHANNELS,
    RANDWIRE_CLASSES as RANDWIRE_CLASSES,
    RANDWIRE_SIDE as RANDWIRE_SIDE,
    RandWire as RandWire,
    from_edges as from_edges,
    inner_edges as inner_edges,
)
from .randwire_generators import RANDWIRE_FAMILIES as RANDWIRE_FAMILIES, RANDWIRE_NODES as RANDWIRE_NODES
from .registry import SPACES as SPACES, get_space as get_space, register_space as register_space
