from .fitting import (
    COUNTED as COUNTED,
    RefitOptions as RefitOptions,
    best_by_rank as best_by_rank,
    refit as refit,
    refit_many as refit_many,
)
from .generator import Generator as Generator
from .policy import Policy as Policy, PolicyOptions as PolicyOptions
from .recurrent import RecurrentOptions as RecurrentOptions, refit_recurrent as refit_recurrent
from .rows import FLAGS as FLAGS, lay_out as lay_out, layout as layout
from .sampling import sample as sample
from .space_views import (
    Graphs as Graphs,
    from_upper_triangular as from_upper_triangular,
    to_cells as to_cells,
    to_graphs as to_graphs,
    topology_view as topology_view,
    view_of as view_of,
)
from .target_weights import targets as targets, weighted_loss as weighted_loss
