"""Cells that compute the same are proposed once where every evaluation is made anew, and each where a table is read."""

import numpy as np
import pytest

from svge_core.cells.cell import Cell
from svge_core.search.domain import Domain
from svge_core.search.history import History, Observation
from svge_core.search.runs.reading import read_run
from svge_core.search.runs.types import SearchConfig
from svge_core.search.searchers import make_searcher, rng_for
from svge_core.spaces.registry import get_space
from tests.support.runs import HERE, config, execute, started

SPACE = get_space("nasbench201")
#: by key, the indices of its cells: written down a second time
CLASSES: dict[str, list[int]] = {}
for _index in range(15_625):
    CLASSES.setdefault(SPACE.key(SPACE.from_index(_index)), []).append(_index)


def worth(cell: Cell) -> float:
    """A value that depends on what a cell computes alone."""
    return float(np.random.default_rng(list(SPACE.key(cell).encode())).random())


def test_every_class_has_one_cell() -> None:
    domain = Domain(SPACE, distinct=True)
    assert len(CLASSES) == 6466
    for key, indices in list(CLASSES.items())[::97]:
        stands = {domain.canonical(SPACE.from_index(index)) for index in indices}
        assert stands == {SPACE.from_index(min(indices))}
        assert {SPACE.key(cell) for cell in stands} == {key}


def test_neighbours_are_those_of_the_whole_class() -> None:
    domain, plain = Domain(SPACE, distinct=True), Domain(SPACE)
    for indices in [members for members in CLASSES.values() if 2 <= len(members) <= 5][::200]:
        cells = [SPACE.from_index(index) for index in indices]
        wanted = {SPACE.key(other) for cell in cells for other in plain.neighbours(cell)} - {SPACE.key(cells[0])}
        found = domain.neighbours(domain.canonical(cells[-1]))
        assert {SPACE.key(cell) for cell in found} == wanted
        assert len(found) == len(wanted)


def test_of_a_restricted_domain_a_known_cell_stands_for_its_class() -> None:
    members = next(indices for indices in CLASSES.values() if len(indices) == 3)
    other = next(indices for indices in CLASSES.values() if len(indices) == 1)
    known = [SPACE.from_index(index) for index in (*members[1:], *other)]
    domain = Domain(SPACE, known, distinct=True)
    assert domain.known == (known[0], known[2])
    assert domain.canonical(SPACE.from_index(members[0])) == known[0]


@pytest.mark.parametrize("method", ["random", "local-search", "evolution", "reinforce", "tpe", "gp", "trees"])
def test_no_method_proposes_an_equivalent(method: str) -> None:
    domain = Domain(SPACE, distinct=True)
    searcher, observations = make_searcher(method, domain), list[Observation]()
    while len(observations) < (25 if method in ("gp", "trees") else 60):  # these two take their time
        asked = searcher.propose(History(observations=tuple(observations)), 5, rng_for(3, len(observations)))
        assert asked
        observations += [
            Observation(len(observations) + i, proposal.cell, (worth(proposal.cell),))
            for i, proposal in enumerate(asked)
        ]
    assert len({SPACE.key(o.cell) for o in observations}) == len(observations)


def test_a_class_that_is_exhausted_ends_the_search() -> None:
    indices = [members for members in CLASSES.values() if len(members) > 1][0]
    domain = Domain(SPACE, [SPACE.from_index(index) for index in indices], distinct=True)
    (only,) = domain.fresh(np.random.default_rng(0), 5, ())
    assert make_searcher("random", domain).propose(History(pending=(only,)), 3, rng_for(0, 0)) == []


def test_functions_leave_equivalents_out_and_tables_do_not(storage: str) -> None:
    assert config().leaves_out_equivalents  # a function
    assert not SearchConfig("nasbench201", ("table:cifar10_valid",), "random", 5).leaves_out_equivalents
    assert SearchConfig("nasbench201", ("table:cifar10_valid",), "random", 5, distinct=True).leaves_out_equivalents
    assert not SearchConfig("nasbench201", (f"{HERE}worth",), "random", 5, distinct=False).leaves_out_equivalents
    name = started(storage, method="evolution", budget=60)
    assert execute(storage, name) == "finished"
    view = read_run(storage, name)
    assert view.domain_title == "NAS-Bench-201, equivalent cells once"
    assert len({SPACE.key(e.cell) for e in view.done}) == len(view.done) == 60


def test_runs_of_before_go_on_as_they_did() -> None:
    raw = config().to_dict()
    assert SearchConfig.from_dict(raw) == config()
    del raw["distinct"]
    assert not SearchConfig.from_dict(raw).leaves_out_equivalents
