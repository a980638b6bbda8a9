"""Our searchers as Optuna samplers: a user's own ``objective(trial)`` works unchanged."""

from pathlib import Path

import numpy as np
import optuna
import pytest

from svge_core.cells.cell import Cell
from svge_core.errors import SvgeError
from svge_core.search.domain import Domain
from svge_core.search.history import History, Observation
from svge_core.search.samplers import cell_sampler, study_history, suggest_cell
from svge_core.search.searchers.base import rng_for
from svge_core.search.searchers.registry import make_searcher
from svge_core.spaces.registry import get_space
from tests.support.runs import SPACE, worth
from tests.support.untyped import there

optuna.logging.set_verbosity(optuna.logging.WARNING)


def of_trial(trial: optuna.Trial) -> float:
    return worth(suggest_cell(trial, SPACE))


def cells(study: optuna.Study) -> list[Cell]:
    return [SPACE.canonical(SPACE.from_genotype(tuple(trial.params.values()))) for trial in study.trials]


@pytest.mark.parametrize("method", ["random", "evolution", "local-search"])
def test_a_study_proposes_what_the_searcher_does(method: str) -> None:
    study = optuna.create_study(direction="maximize", sampler=cell_sampler(method, SPACE, seed=4))
    study.optimize(of_trial, n_trials=12)
    searcher, observations = make_searcher(method, Domain(SPACE, distinct=True)), []
    for number in range(12):
        (proposal,) = searcher.propose(History(("max",), tuple(observations)), 1, rng_for(4, number))
        observations.append(Observation(number, proposal.cell, (worth(proposal.cell),)))
    assert cells(study) == [observation.cell for observation in observations]
    assert study.best_value == max(observation.values[0] for observation in observations)


def test_a_study_goes_on_from_its_store(tmp_path: Path) -> None:
    found = []
    for parts in ((10,), (4, 6)):
        url, study = f"sqlite:///{tmp_path / str(len(parts))}.db", None
        for count in parts:
            sampler = cell_sampler("evolution", "nasbench201", seed=1)
            study = optuna.create_study(
                storage=url, study_name="mine", direction="minimize", sampler=sampler, load_if_exists=True
            )
            study.optimize(of_trial, n_trials=count)
        found.append(cells(there(study)))
    assert found[0] == found[1]


def test_threads_never_get_the_same_cell(tmp_path: Path) -> None:
    study = optuna.create_study(storage=f"sqlite:///{tmp_path / 's.db'}", sampler=cell_sampler("local-search", SPACE))
    study.optimize(of_trial, n_trials=24, n_jobs=4)
    assert len(set(cells(study))) == 24


def test_own_parameters_pruned_and_failed_trials_are_no_hindrance() -> None:
    def objective(trial: optuna.Trial) -> tuple[float, float]:
        cell = suggest_cell(trial, SPACE)
        rate = trial.suggest_float("learning rate", 1e-4, 1e-1, log=True)
        if trial.number % 4 == 1:
            raise optuna.TrialPruned
        if trial.number % 4 == 2:
            raise ValueError
        return worth(cell), rate

    study = optuna.create_study(directions=["maximize", "minimize"], sampler=cell_sampler("evolution", SPACE))
    study.optimize(objective, n_trials=12, catch=ValueError)
    history = study_history(study.trials, SPACE, study.directions, but=-1)
    assert history.directions == ("max", "min")
    assert (len(history.observations), len(history.pending), len(history.taken)) == (6, 6, 12)


def test_the_whole_of_a_small_domain_then_one_line() -> None:
    known = [SPACE.from_index(index) for index in range(5)]
    study = optuna.create_study(sampler=cell_sampler("random", SPACE, known=known))
    study.optimize(of_trial, n_trials=5)
    assert set(cells(study)) == {SPACE.canonical(cell) for cell in known}
    with pytest.raises(SvgeError, match="No cell is left to propose: 5 were evaluated"):
        study.optimize(of_trial, n_trials=1)


@pytest.mark.parametrize("method", ["random", "local-search", "gp"])
def test_proposals_meet_what_is_asked_for(method: str) -> None:
    like = SPACE.from_index(4_321)
    sampler = cell_sampler(method, SPACE, where=("params_m<0.5",), like="#4321", free=(0, 3, 5))
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.optimize(of_trial, n_trials=12)
    for cell in cells(study):
        assert SPACE.cost(cell).params_m < 0.5
        pairs = zip(SPACE.genotype(cell), SPACE.genotype(like), strict=True)
        assert all(one == other for place, (one, other) in enumerate(pairs) if place not in (0, 3, 5))
    with pytest.raises(SvgeError, match="give both"):
        cell_sampler(method, SPACE, like="#4321")
    with pytest.raises(SvgeError, match="is no limit"):
        cell_sampler(method, SPACE, where=("params<1",))


def test_methods_without_their_model_are_refused() -> None:
    with pytest.raises(SvgeError, match="Unknown search method 'magic'"):
        cell_sampler("magic", SPACE)
    with pytest.raises(SvgeError, match="checkpoint"):
        cell_sampler("latent-bo", SPACE)


def test_samplers_that_do_not_know_the_space_are_pruned_where_they_leave_it() -> None:
    space = get_space("nasbench101")
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(lambda trial: space.cost(suggest_cell(trial, space)).params_m, n_trials=12)
    states = {trial.state.name for trial in study.trials}
    assert "PRUNED" in states
    assert "FAIL" not in states


def test_a_cell_comes_back_from_its_parameters(rng: np.random.Generator) -> None:
    for name in ("nasbench201", "nasbench101", "enas6"):
        space = get_space(name)
        cell = space.canonical(space.random_cell(rng))
        params = {f"gene {number}": gene for number, gene in enumerate(space.genotype(cell))}
        assert suggest_cell(optuna.trial.FixedTrial(params), name) == cell  # type: ignore[arg-type]
