from .components import StructureComponents as StructureComponents, function_features as function_features
from .kernel import (
    KERNEL_ENTRIES as KERNEL_ENTRIES,
    KernelComponents as KernelComponents,
    has_kernel as has_kernel,
    output_kernels as output_kernels,
)
from .kinds import FUNCTION_WORDS as FUNCTION_WORDS, FunctionKind as FunctionKind
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
from .targets import FunctionTargets as FunctionTargets, log_sizes as log_sizes
