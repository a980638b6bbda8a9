from .catalog import analytic_scores as analytic_scores, load_scores as load_scores
from .csv.scores import import_csv as import_csv
from .direction import direction_of as direction_of
from .extremes import (
    DRAWN as DRAWN,
    axis_ends as axis_ends,
    check_size as check_size,
    fits_float32 as fits_float32,
    mean_and_deviation as mean_and_deviation,
    median as median,
    quantiles as quantiles,
    scaled as scaled,
    standardised as standardised,
    unscaled as unscaled,
)
from .held_out import (
    cell_numbers as cell_numbers,
    has_indices as has_indices,
    held_out_mask as held_out_mask,
    split_cells as split_cells,
)
from .meaning import (
    USUAL_EPOCHS as USUAL_EPOCHS,
    Direction as Direction,
    Kind as Kind,
    Role as Role,
    ScoreMeaning as ScoreMeaning,
    ScoreOrigin as ScoreOrigin,
    meaning_from_dict as meaning_from_dict,
    old_meaning as old_meaning,
    score_name as score_name,
)
from .prediction import (
    Prediction as Prediction,
    PredictionRow as PredictionRow,
    nothing_predicted as nothing_predicted,
)
from .scores import Scores as Scores, scores_from_columns as scores_from_columns
from .words import count_of as count_of
