from .comparison import (
    TOLERANCE as TOLERANCE,
    Hypervolumes as Hypervolumes,
    Lineup as Lineup,
    MethodCurve as MethodCurve,
    Standing as Standing,
    best_curves as best_curves,
    by_method as by_method,
    comparable as comparable,
    hypervolumes as hypervolumes,
    standings as standings,
)
from .domain import Domain as Domain
from .history import History as History, Observation as Observation
from .learned_distribution import (
    Draws as Draws,
    EdgeShares as EdgeShares,
    at_random as at_random,
    draw_learned as draw_learned,
    edge_shares as edge_shares,
    marks as marks,
    operation_shares as operation_shares,
    values_of as values_of,
)
from .rules import (
    CostLimit as CostLimit,
    FixedGenes as FixedGenes,
    Rules as Rules,
    fixed_genes as fixed_genes,
    parse_limit as parse_limit,
)
from .runs import (
    SearchConfig as SearchConfig,
    control as control,
    create_run as create_run,
    delete_run as delete_run,
    execute as execute,
    list_runs as list_runs,
    read_run as read_run,
)
from .samplers import cell_sampler as cell_sampler, suggest_cell as suggest_cell
