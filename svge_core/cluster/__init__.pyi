from .connection import connected as connected, load_ray as load_ray, ray_address as ray_address
from .evaluations import Needs as Needs, RayEvaluations as RayEvaluations, evaluations_on_ray as evaluations_on_ray
from .sweep import (
    SUFFIXES as SUFFIXES,
    MakeBlocks as MakeBlocks,
    SweepResult as SweepResult,
    blocks_here as blocks_here,
    blocks_on_ray as blocks_on_ray,
    sweep_space as sweep_space,
    write_sweep as write_sweep,
)
from .sweep_blocks import BlockPredictor as BlockPredictor, BlockResult as BlockResult, SweepConfig as SweepConfig
from .sweep_limits import (
    BLOCK as BLOCK,
    KEEP as KEEP,
    MAX_BLOCK as MAX_BLOCK,
    MAX_KEPT as MAX_KEPT,
    SAMPLE as SAMPLE,
    Ranker as Ranker,
)
