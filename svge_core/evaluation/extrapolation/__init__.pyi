from .config import ExtrapolationConfig as ExtrapolationConfig
from .draws import (
    INSIDE as INSIDE,
    OUTSIDE as OUTSIDE,
    one_draw as one_draw,
    points as points,
    split_by_size as split_by_size,
    table as table,
)
from .file import (
    Extrapolation as Extrapolation,
    ExtrapolationContent as ExtrapolationContent,
    HeldOutPoint as HeldOutPoint,
    LargerCell as LargerCell,
    TableRow as TableRow,
    larger_space as larger_space,
    load as load,
    save as save,
)
from .run import extrapolate as extrapolate, grow_layers as grow_layers, grow_vertices as grow_vertices
