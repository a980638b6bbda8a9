from .cells import (
    compare as compare,
    draw as draw,
    export as export,
    interpolate as interpolate,
    space_of as space_of,
)
from .model import Model as Model, evaluate as evaluate, load_checkpoint as load_checkpoint
from .optimising import cell_sampler as cell_sampler, read_scores as read_scores
