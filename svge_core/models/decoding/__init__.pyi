from .constraints import OpenNodes as OpenNodes, masks as masks
from .decoding import decode as decode
from .draws import allowed_types as allowed_types, cut as cut, draw_edges as draw_edges, draw_types as draw_types
from .runs import run as run, vote as vote
