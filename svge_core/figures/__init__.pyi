from .curves import (
    X_TITLES as X_TITLES,
    accuracy_figure as accuracy_figure,
    tradeoff as tradeoff,
    tradeoff_figure as tradeoff_figure,
    training_curves as training_curves,
    training_figure as training_figure,
)
from .distribution import (
    edge_count_figure as edge_count_figure,
    edge_figure as edge_figure,
    operation_figure as operation_figure,
    rounds_figure as rounds_figure,
    score_figure as score_figure,
)
from .dots import Dot as Dot, dot_figure as dot_figure
from .extrapolation import beyond as beyond, extrapolation_figure as extrapolation_figure, table_rows as table_rows
from .operations import (
    distance_figure as distance_figure,
    operation_map as operation_map,
    operation_tables as operation_tables,
    scatter_figure as scatter_figure,
)
from .path import path_figure as path_figure
from .patterns import pattern_figure as pattern_figure, pattern_label as pattern_label
from .prediction import (
    calibration as calibration,
    calibration_figure as calibration_figure,
    held_out_rows as held_out_rows,
    parity as parity,
    parity_figure as parity_figure,
)
from .quality import (
    MEASURES as MEASURES,
    NAMES as NAMES,
    bars as bars,
    certainty_figure as certainty_figure,
    edit_figure as edit_figure,
    variance_figure as variance_figure,
)
from .search import (
    front_figure as front_figure,
    hypervolume_figure as hypervolume_figure,
    method_style as method_style,
    progress_figure as progress_figure,
)
