"""Cells side by side: edits against networkx, distances against NumPy, the best only where it is known."""

from collections.abc import Sequence
from typing import Any

import networkx as nx
import numpy as np
import pytest

from svge_core.cells.cell import Cell
from svge_core.cells.differences import difference
from svge_core.comparison import Comparison, ScoreRow, compare_cells, example_pair, random_pairs, value_in_words
from svge_core.comparison.pairs import RandomPairs, cell_pairs
from svge_core.comparison.scores import ComparedValue
from svge_core.comparison.wording import (
    distance_in_words,
    edits_of_pair,
    full_meaning,
    meanings_in_words,
    short_meaning,
)
from svge_core.errors import DataError, InvalidCellError, SvgeError
from svge_core.explorer import Explorer
from svge_core.exporting.graphs import to_networkx
from svge_core.spaces.registry import get_space
from tests.comparison.conftest import EQUAL, MISSING, own_meaning
from tests.support.untyped import there

NB101, NB201 = get_space("nasbench101"), get_space("nasbench201")
OTHERS = RandomPairs(np.arange(10.0))


def charted(explorer: Explorer, *rows: int) -> Comparison:
    return compare_cells(explorer, explorer.cells_at(np.array(rows)))


def row_of(compared: Comparison, key: str, kind: str) -> ScoreRow:
    (found,) = [row for row in compared.rows if (row.meaning.key, row.kind) == (key, kind)]
    return found


# ---- pairs ------------------------------------------------------------------------------------------------------


def graph_edit_distance(first: Cell, second: Cell) -> float:
    """By networkx: a changed label, a node or an edge more or less is one edit; the ends stay the ends."""
    ends = {"input", "output"}

    def replaced(one: dict[str, Any], other: dict[str, Any]) -> int:
        return 0 if one["op"] == other["op"] else 1_000 if {one["op"], other["op"]} & ends else 1

    graphs = (to_networkx(first), to_networkx(second))
    return nx.graph_edit_distance(
        *graphs, node_subst_cost=replaced, node_del_cost=lambda _: 1, node_ins_cost=lambda _: 1
    )


def nb101_cell(ops: Sequence[int], edges: Sequence[tuple[int, int]]) -> Cell:
    return NB101.canonical(Cell(("input", *(NB101.operations[op] for op in ops), "output"), tuple(edges)))


ORDERED = (
    nb101_cell((1, 0, 2, 0), ((0, 1), (0, 4), (1, 2), (1, 4), (1, 5), (2, 3), (2, 4), (3, 4), (4, 5))),
    nb101_cell((1, 2, 1, 2), ((0, 1), (0, 3), (1, 2), (1, 3), (1, 5), (2, 3), (3, 4), (3, 5), (4, 5))),
)


def small_cells() -> list[Cell]:
    return [
        nb101_cell((0,), ((0, 1), (1, 2))),
        nb101_cell((2,), ((0, 1), (0, 2), (1, 2))),
        nb101_cell((0, 1), ((0, 1), (0, 2), (1, 3), (2, 3))),
        nb101_cell((0, 1, 2), ((0, 1), (1, 2), (2, 3), (3, 4), (0, 3))),
    ]


@pytest.mark.parametrize("cells", [small_cells(), list(ORDERED)], ids=["small", "ordered"])
def test_edits_are_those_of_networkx(cells: list[Cell]) -> None:
    found = cell_pairs(NB101, cells, np.zeros((len(cells), 2), dtype=np.float32), OTHERS)
    assert [(pair.first, pair.second) for pair in found] == [
        (a, b) for a in range(len(cells)) for b in range(a + 1, len(cells))
    ]
    for pair in found:
        assert pair.edits == pair.fewest == graph_edit_distance(cells[pair.first], cells[pair.second])
        assert pair.change == difference(cells[pair.first], cells[pair.second])


def test_what_drawings_mark_may_be_more_than_the_fewest_edits_and_is_told_apart() -> None:
    (pair,) = cell_pairs(NB101, ORDERED, np.zeros((2, 2), dtype=np.float32), OTHERS)
    assert (pair.edits, pair.change.edits) == (6, 9)
    assert edits_of_pair(pair) == "6 edits"


def test_operations_with_places_of_their_own_are_compared_place_by_place() -> None:
    first, second = NB201.from_index(6_111), NB201.from_index(9_000)
    (pair,) = cell_pairs(NB201, [first, second], np.zeros((2, 2), dtype=np.float32), OTHERS)
    assert pair.edits == sum(a != b for a, b in zip(first.ops, second.ops, strict=True))


def test_the_same_function_is_what_the_space_says() -> None:
    none, skip = NB201.operations.index("none"), NB201.operations.index("skip_connect")
    genotypes = ((none,) * 6, (none, none, skip, none, none, none), (none, none, none, skip, none, none))
    cells = [NB201.from_genotype(genotype) for genotype in genotypes]
    found = cell_pairs(NB201, cells, np.zeros((3, 2), dtype=np.float32), OTHERS)
    # a skip from a feature map that is always zero adds zero; one from the input does not
    assert [pair.same_function for pair in found] == [True, False, False]


def test_too_large_cells_have_at_most_so_many_edits() -> None:
    space, rng = get_space("randwire"), np.random.default_rng(3)
    cells = [space.canonical(space.random_cell(rng)) for _ in range(2)]
    (pair,) = cell_pairs(space, cells, np.zeros((2, 2), dtype=np.float32), OTHERS)
    assert pair.fewest is None and pair.edits == pair.change.edits
    assert edits_of_pair(pair) == f"at most {pair.edits} edits"


def test_distances_are_those_of_the_latents_and_stand_among_random_pairs(explorer: Explorer) -> None:
    compared = charted(explorer, 3, 4, 9)
    for pair in compared.pairs:
        one, other = (explorer.encode(compared.architectures[at]) for at in (pair.first, pair.second))
        expected = float(np.sqrt(((one.astype(np.float64) - other) ** 2).sum()))
        assert pair.distance == pytest.approx(expected, rel=1e-5)
        assert pair.farther.count == int((compared.random.distances > pair.distance).sum())
        assert pair.farther.of == len(compared.random.distances) == 10_000
        assert distance_in_words(pair).startswith(f"{expected:.2f}, nearer than ")


def test_random_pairs_are_of_two_cells_and_the_same_for_everybody(explorer: Explorer) -> None:
    few = random_pairs(explorer.atlas, 4_000, seed=1)
    latents = explorer.atlas.latents.astype(np.float64)
    every = np.linalg.norm(latents[:, None] - latents[None], axis=2)[np.triu_indices(len(latents), 1)]
    assert few.distances.min() >= every.min() - 1e-6 and few.distances.max() <= every.max() + 1e-6
    assert few.median == pytest.approx(np.median(every), rel=0.1)
    assert (few.distances == random_pairs(explorer.atlas, 4_000, seed=1).distances).all()
    assert (np.diff(few.distances) >= 0).all()
    assert (OTHERS.farther(4.0).count, OTHERS.farther(-1.0).count, OTHERS.farther(9.0).count) == (5, 10, 0)


# ---- comparisons ------------------------------------------------------------------------------------------------


def test_a_comparison_holds_cells_in_order_and_every_pair_once(explorer: Explorer) -> None:
    compared = charted(explorer, 9, 3, 40, 12)
    assert [found.row for found in compared.cells] == [9, 3, 40, 12]
    assert compared.names[1] == f"#{explorer.atlas.indices[3]}"
    assert len(compared.pairs) == 6 and compared.pair(2, 0) == compared.pair(0, 2) == compared.pairs[1]
    with pytest.raises(SvgeError, match="two different positions from 0 to 3; got 2 and 2"):
        compared.pair(2, 2)


def test_marks_are_of_the_others_and_of_two_both_are_marked(explorer: Explorer) -> None:
    three = charted(explorer, 1, 2, 3)
    assert three.marks(1) == (three.change(1, 0).second, None, three.change(1, 2).second)
    two = charted(explorer, 1, 2)
    assert two.marks(0) == (two.change(0, 1).first, two.change(0, 1).second)
    assert two.marks(1) == (two.change(1, 0).second, two.change(1, 0).first)


@pytest.mark.parametrize("rows", [(), (1,), (1, 2, 3, 4, 5)])
def test_too_few_and_too_many_are_refused(rows: tuple[int, ...], explorer: Explorer) -> None:
    with pytest.raises(SvgeError, match=f"of 2 to 4 architectures; got {len(rows)}"):
        compare_cells(explorer, explorer.cells_at(np.array(rows, dtype=np.int64)))


def test_the_same_twice_and_strangers_are_refused(explorer: Explorer) -> None:
    with pytest.raises(DataError, match="Architectures 2 and 3 are the same"):
        charted(explorer, 1, 2, 2)
    with pytest.raises(InvalidCellError):
        compare_cells(explorer, [NB201.from_index(0), NB201.from_index(1)])


def test_the_example_is_the_best_cell_and_its_nearest(explorer: Explorer) -> None:
    first, second = example_pair(explorer)
    best = int(np.nanargmax(explorer.scores.frame["accuracy"]))
    latents = explorer.atlas.latents
    distances = np.linalg.norm(latents - latents[best], axis=1)
    distances[best] = np.inf
    assert (explorer.row_of(first), explorer.row_of(second)) == (best, int(distances.argmin()))


# ---- scores -----------------------------------------------------------------------------------------------------


def test_the_best_is_marked_by_the_direction_where_all_are_known(explorer: Explorer) -> None:
    compared = charted(explorer, 10, 30, 20)
    assert row_of(compared, "accuracy", "measured").best == (1,)
    assert row_of(compared, "user_loss", "measured").best == (1,)
    params = row_of(compared, "params_m", "analytic")
    values = [there(value).value for value in params.values]
    expected = [explorer.space.cost(cell).params_m for cell in compared.architectures]
    assert values == pytest.approx(expected)
    assert params.best == tuple(place for place, value in enumerate(values) if value == min(values))


def test_equal_values_have_no_best_and_a_shared_best_is_marked_twice(explorer: Explorer) -> None:
    row = row_of(charted(explorer, *EQUAL), "accuracy", "measured")
    assert row.best == () and row.unmarked == "all are equal"
    assert row_of(charted(explorer, *EQUAL, 2), "accuracy", "measured").best == (0, 1)


def test_a_missing_value_is_said_and_no_prediction_stands_in_for_it(explorer: Explorer) -> None:
    compared = charted(explorer, 10, MISSING)
    row = row_of(compared, "accuracy", "measured")
    assert row.values[1] is None and row.best == ()
    assert value_in_words(row, 1) == "unknown" and value_in_words(row, 0) == "2.50 %"
    assert "not known of all, so none is marked as best" in full_meaning(row)


def test_predictions_have_rows_of_their_own_with_intervals_and_no_best(explorer: Explorer) -> None:
    compared = charted(explorer, 0, 30)
    row = row_of(compared, "enas6_ws_acc", "predicted")
    mean = [70.0 + cell.ops.count("conv_5x5") for cell in compared.architectures]
    used = [True, False]  # the first two charted cells were labels
    assert row.values == tuple(ComparedValue(m, m - 1.5, m + 1.25, u) for m, u in zip(mean, used, strict=True))
    assert row.best == () and "guesses" in row.unmarked and row.model == "made-up model, 3 labels"
    assert value_in_words(row, 0) == f"≈ {mean[0]:.2f} ({mean[0] - 1.5:.2f} to {mean[0] + 1.25:.2f}) % †"
    assert short_meaning(row) == "predicted, 90 % interval · higher is better"
    assert "no test" in full_meaning(row)
    lines = meanings_in_words(compared.rows)
    assert any(line.startswith("Predicted by: made-up model") for line in lines)
    assert any(line.startswith(f"{row.title}: only predicted. Stands for: ") for line in lines), (
        "no cell has a measured one"
    )


def test_a_cell_that_is_not_charted_has_its_costs_and_its_prediction(explorer: Explorer) -> None:
    rng = np.random.default_rng(4)
    stranger = explorer.space.canonical(explorer.space.random_cell(rng))
    assert explorer.row_of(stranger) is None
    compared = compare_cells(explorer, [stranger, *explorer.cells_at(np.array([10]))])
    assert compared.names[0] == f"#{explorer.space.index(stranger)}"
    assert there(row_of(compared, "flops_m", "analytic").values[0]).value == explorer.space.cost(stranger).flops_m
    assert row_of(compared, "accuracy", "measured").values[0] is None
    assert row_of(compared, "enas6_ws_acc", "predicted").values[0] is not None


def test_details_come_last_and_are_no_goal(explorer: Explorer) -> None:
    rows = charted(explorer, 10, 30).rows
    assert rows[-1].meaning.detail and rows[-1].best == ()
    assert not any("Run 1" in line for line in meanings_in_words(rows))


def test_values_that_differ_are_shown_with_digits_that_tell_them_apart() -> None:
    def digits(*values: float) -> int:
        return ScoreRow(
            own_meaning("x", "X"), "measured", tuple(ComparedValue(float(value)) for value in values), ()
        ).digits

    assert (digits(91.5, 92.5), digits(0.5, 0.75), digits(2_880, 5_000), digits(3, 3)) == (2, 4, 0, 2)
    assert digits(0.00511, 0.00512) == 5 and digits(0.1, 0.1 + 1e-12) == 6
