from .calibration import TargetTransform as TargetTransform
from .checkpoint_predictors import (
    Predictors as Predictors,
    encoder_of as encoder_of,
    fit_predictor as fit_predictor,
    load_predictors as load_predictors,
)
from .cross_validation import FEWEST_LABELS as FEWEST_LABELS, cross_validated as cross_validated
from .gaussian_process import (
    JITTER as JITTER,
    GaussianProcess as GaussianProcess,
    KernelParameters as KernelParameters,
    covariance as covariance,
    fit_parameters as fit_parameters,
)
from .interval_refit import refit_intervals as refit_intervals
from .measures import (
    MEASURES as MEASURES,
    coverage_by_fifth as coverage_by_fifth,
    measure_predictions as measure_predictions,
    summarise_draws as summarise_draws,
)
from .names import (
    SHORT_NAME as SHORT_NAME,
    Beside as Beside,
    features_in_words as features_in_words,
    full_name as full_name,
)
from .predictor_info import (
    HeldOut as HeldOut,
    PredictorInfo as PredictorInfo,
    read_info as read_info,
    stored_infos as stored_infos,
)
from .replacing import Replaced as Replaced, replaced_by as replaced_by
from .surrogate import (
    StructureSurrogate as StructureSurrogate,
)
from .trees import MANY_LABELS as MANY_LABELS, grow_trees as grow_trees
