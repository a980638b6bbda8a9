from .components import StructureComponents as StructureComponents
from .scaling import (
    REFERENCE_CELLS as REFERENCE_CELLS,
    FeatureScaling as FeatureScaling,
    feature_scaling as feature_scaling,
)
from .structure import (
    GROUPS as GROUPS,
    FeatureTable as FeatureTable,
    structure_features as structure_features,
)
