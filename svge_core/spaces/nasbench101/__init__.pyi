from .cell_table import build as build, table as table
from .codes import CellGraphs as CellGraphs, all_codes as all_codes
from .extended import VERTICES as VERTICES, ExtendedNASBench101 as ExtendedNASBench101
from .md5_key import module_hash as module_hash
from .official_order import (
    ORDER_DIGEST as ORDER_DIGEST,
    ORDER_FILE as ORDER_FILE,
    order_digest as order_digest,
    packed_order as packed_order,
)
from .size import channels_of_vertices as channels_of_vertices, params_by_order as params_by_order
from .space import OPERATIONS as OPERATIONS, SEEN_VERTICES as SEEN_VERTICES, NASBench101 as NASBench101
