"""Our searchers as Optuna samplers, for a user's own ``objective(trial)`` and ``study.optimize``.

    def objective(trial):
        cell = suggest_cell(trial, space)
        return train_and_validate(cell)

    study = optuna.create_study(direction="maximize", sampler=cell_sampler("gp", space))
    study.optimize(objective, n_trials=50)

Threads of one process (``n_jobs``) never get the same cell. Processes on many machines that share a study are kept
apart by the store of runs instead: see the commands ``search`` and ``worker``.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from svge_core.cells import Cell
from svge_core.checkpoints import Checkpoint
from svge_core.errors import InvalidCellError, SvgeError
from svge_core.search.domain import Domain
from svge_core.search.history import Direction, History, Observation
from svge_core.search.rules import rules_of
from svge_core.search.runs import gene_name
from svge_core.search.searchers import make_searcher, rng_for
from svge_core.spaces import AbstractSearchSpace, get_space

#: attribute that trials of before have: the genes proposed for them, which now only the sampler remembers
_PROPOSED = "svge:genes"


def suggest_cell(trial: Any, space: AbstractSearchSpace | str) -> Cell:
    """The cell that a trial is about, one categorical parameter per gene.

    Works with every sampler of Optuna. One that knows nothing of the space may draw genes that are no member of it; the
    trial is pruned then.

    Args:
        trial: an ``optuna.Trial``, or a ``FixedTrial`` or ``FrozenTrial`` of an earlier one.
        space: the search space or its name.

    Returns:
        a canonical cell.

    Raises:
        optuna.TrialPruned: if the genes are no member of the space.
    """
    import optuna

    space = get_space(space)
    genes = tuple(
        int(trial.suggest_categorical(gene_name(number), list(range(choices))))
        for number, choices in enumerate(space.gene_choices)
    )
    try:
        return space.canonical(space.from_genotype(genes))
    except InvalidCellError as error:
        raise optuna.TrialPruned(str(error)) from None


def cell_sampler(
    method: str,
    space: AbstractSearchSpace | str,
    checkpoint: Checkpoint | None = None,
    seed: int = 0,
    *,
    known: Iterable[Cell] | None = None,
    distinct: bool = True,
    where: Sequence[str] = (),
    like: str = "",
    free: Sequence[int] = (),
) -> Any:
    """An ``optuna.samplers.BaseSampler`` that proposes what a search method proposes.

    Args:
        method: one of :data:`svge_core.search.searchers.registry.METHODS`.
        space: the search space or its name.
        checkpoint: the model, for methods that search a latent space.
        seed: of all chance; a study that goes on proposes what it would have proposed.
        known: the only cells that may be proposed; None for all of the space.
        distinct: whether cells that compute the same are proposed once.
        where: limits that a cell must keep, see :func:`svge_core.search.rules.rules_of`.
        like: a cell whose genes every proposal has; empty for none.
        free: positions of the genes that may be others, from 0.

    Raises:
        SvgeError: if there is no such method, it needs a checkpoint of this space, or no cell may be proposed.
    """
    space = get_space(space)
    domain = Domain(space, known, distinct=distinct, rules=rules_of(space, where, like, free))
    return _sampler_class()(domain, make_searcher(method, domain, checkpoint), seed)


def study_history(
    trials: Iterable[Any],
    space: AbstractSearchSpace,
    directions: Any,
    but: int,
    proposed: Mapping[int, list[int]] | None = None,
) -> History:
    """What the trials of a study say: complete ones are observations, all others but one keep their cells taken.

    Args:
        trials: of the study.
        space: the search space.
        directions: of the study.
        but: number of a trial that is left out.
        proposed: genes of trials that have no parameters yet, by number.
    """
    from optuna.study import StudyDirection
    from optuna.trial import TrialState

    ways: tuple[Direction, ...] = tuple("max" if way == StudyDirection.MAXIMIZE else "min" for way in directions)
    observed: dict[Cell, Observation] = {}
    others: dict[Cell, None] = {}
    for trial in trials:
        if trial.number == but:
            continue
        cell = _cell(trial, space, proposed or {})
        if cell is None:
            continue
        if trial.state == TrialState.COMPLETE:  # of a cell that a user tried twice, the first value counts
            observed.setdefault(cell, Observation(trial.number, cell, tuple(map(float, trial.values))))
        else:
            others[cell] = None
    return History(ways, tuple(observed.values()), tuple(cell for cell in others if cell not in observed))


def _cell(trial: Any, space: AbstractSearchSpace, proposed: Mapping[int, list[int]]) -> Cell | None:
    names = [gene_name(number) for number in range(len(space.gene_choices))]
    if all(name in trial.params for name in names):
        genes = [trial.params[name] for name in names]
    else:
        genes = proposed.get(trial.number) or trial.system_attrs.get(_PROPOSED)
    if not isinstance(genes, list) or not all(isinstance(gene, int) for gene in genes):
        return None
    try:
        return space.canonical(space.from_genotype(tuple(genes)))
    except InvalidCellError:
        return None


@cache
def _sampler_class() -> Any:  # a class of Optuna's, which is imported only now
    from optuna.distributions import CategoricalDistribution
    from optuna.samplers import BaseSampler, RandomSampler

    class CellSampler(BaseSampler):
        """Proposes cells gene by gene; parameters that are no genes are drawn at random."""

        def __init__(self, domain: Domain, searcher: Any, seed: int) -> None:
            self.domain, self.searcher, self.seed = domain, searcher, seed
            self.others = RandomSampler(seed=seed)
            # by study and number of the trial: threads see a proposal before its trial has any parameter
            self.proposed: dict[str, dict[int, list[int]]] = {}
            self.lock = threading.Lock()

        def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
            """The genes of the space, whatever earlier trials had."""
            choices = enumerate(self.domain.space.gene_choices)
            return {gene_name(number): CategoricalDistribution(tuple(range(count))) for number, count in choices}

        def sample_relative(self, study: Any, trial: Any, search_space: dict[str, Any]) -> dict[str, Any]:
            """The genes of one proposal.

            Raises:
                SvgeError: if every cell was evaluated.
            """
            with self.lock:
                space = self.domain.space
                trials = study.get_trials(deepcopy=False)
                proposed = self.proposed.setdefault(study.study_name, {})
                history = study_history(trials, space, study.directions, trial.number, proposed)
                history = self.domain.seen(history)
                proposals = self.searcher.propose(history, 1, rng_for(self.seed, trial.number))
                if not proposals:
                    raise SvgeError(f"No cell is left to propose: {len(history.taken):,} were evaluated.")
                genes = [int(gene) for gene in space.genotype(proposals[0].cell)]
                proposed[trial.number] = genes
            return {gene_name(number): gene for number, gene in enumerate(genes)}

        def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Any:
            """A parameter of the user's own beside the genes."""
            return self.others.sample_independent(study, trial, param_name, param_distribution)

        def reseed_rng(self) -> None:
            """Genes depend on the seed and the number of the trial alone."""
            self.others.reseed_rng()

    return CellSampler
