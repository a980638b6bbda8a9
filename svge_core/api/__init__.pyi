from .cells import (
    compare as compare,
    draw as draw,
    export as export,
    interpolate as interpolate,
    space_of as space_of,
)
from .figures import (
    figure_cell as figure_cell,
    figure_compare as figure_compare,
    figure_front as figure_front,
    figure_map as figure_map,
    figure_path as figure_path,
    figure_race as figure_race,
)
from .model import Model as Model, evaluate as evaluate, load_checkpoint as load_checkpoint
from .opened import OpenExplorer as OpenExplorer, open_explorer as open_explorer
from .optimising import cell_sampler as cell_sampler, read_scores as read_scores
