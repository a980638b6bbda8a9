from .atlas import Atlas as Atlas, Place as Place, build_atlas as build_atlas, latent_tensor as latent_tensor
from .charted import (
    chart_indices as chart_indices,
    chart_scores as chart_scores,
    encode_indices as encode_indices,
    latents_file as latents_file,
    operation_counts as operation_counts,
    wiring_columns as wiring_columns,
)
from .drawn import DrawnChart as DrawnChart, chartable as chartable
from .fields import (
    SHARES as SHARES,
    density_levels as density_levels,
    interpolated_values as interpolated_values,
    point_density as point_density,
)
from .file import (
    FILE as FILE,
    LEAN_FROM as LEAN_FROM,
    load_atlas as load_atlas,
    load_chart as load_chart,
    save_atlas as save_atlas,
)
from .neighbours import (
    COUNTED as COUNTED,
    PointTable as PointTable,
    nearest_among as nearest_among,
    nearest_known as nearest_known,
    nearest_lengths as nearest_lengths,
    nearest_rows as nearest_rows,
    nearest_spacings as nearest_spacings,
)
from .polygon import select_in_polygon as select_in_polygon
from .projection import PlaneName as PlaneName, Projection as Projection, weighted_latent as weighted_latent
from .size import CHARTED as CHARTED, DRAWN as DRAWN
