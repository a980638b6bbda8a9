from . import search as search, testing as testing
from .api import (
    Model as Model,
    cell_sampler as cell_sampler,
    compare as compare,
    draw as draw,
    evaluate as evaluate,
    export as export,
    figure_cell as figure_cell,
    figure_compare as figure_compare,
    figure_front as figure_front,
    figure_map as figure_map,
    figure_path as figure_path,
    figure_race as figure_race,
    interpolate as interpolate,
    load_checkpoint as load_checkpoint,
    open_explorer as open_explorer,
    read_scores as read_scores,
)
from .cells import Cell as Cell
from .data import load_scores as load_scores
from .errors import (
    CheckpointError as CheckpointError,
    DataError as DataError,
    InvalidCellError as InvalidCellError,
    ParseError as ParseError,
    SvgeError as SvgeError,
)
from .models import ModelConfig as ModelConfig
from .network_export import export_network as export_network
from .network_training import TrainRecipe as TrainRecipe, train_network as train_network
from .networks import build_network as build_network
from .search import suggest_cell as suggest_cell
from .search.searchers import register_method as register_method
from .spaces import (
    SPACES as SPACES,
    AbstractSearchSpace as AbstractSearchSpace,
    get_space as get_space,
    register_space as register_space,
)
from .training import TrainConfig as TrainConfig, train as train

__version__: str
