"""Questions in words: against a search of every cell one by one, and read back from their own words."""

import io
from collections.abc import Sequence
from dataclasses import replace

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from svge_core.atlas.file import load_atlas
from svge_core.cells.cell import Cell
from svge_core.checkpoints.checkpoint import load_checkpoint
from svge_core.data import Prediction, load_scores
from svge_core.errors import ParseError
from svge_core.explorer.explorer import Explorer
from svge_core.explorer.graphs import depths
from svge_core.explorer.queries.conditions import Among, Condition, Counted, Query, Ranged, Top
from svge_core.explorer.queries.finding import find_rows, met_by
from svge_core.explorer.queries.names import NamedColumn, Vocabulary
from svge_core.explorer.queries.parsing import MAX_QUERY, parse_query
from svge_core.explorer.queries.tokens import starts_like_query
from svge_core.explorer.queries.wording import in_words
from svge_core.explorer.queries.words_of import vocabulary_of
from svge_core.explorer.selection import CellFilter, kept_by
from svge_core.explorer.structure import ranks, table_names, table_values
from svge_core.explorer.tables import table_file, table_rows
from svge_core.spaces.registry import get_space
from tests.support.core import random_cells
from tests.support.tiny_checkpoint import MadeUpPredictors, make_checkpoint

SPACE = get_space("nasbench201")
CONV, POOL, SKIP, NONE = "nor_conv_3x3", "avg_pool_3x3", "skip_connect", "none"


@pytest.fixture(scope="module")
def explorer(tmp_path_factory: pytest.TempPathFactory) -> Explorer:
    checkpoint = load_checkpoint(make_checkpoint(tmp_path_factory.mktemp("checkpoint") / "tiny"))
    return Explorer(SPACE, checkpoint, load_atlas(checkpoint, SPACE), load_scores(SPACE), MadeUpPredictors())


@pytest.fixture(scope="module")
def vocabulary(explorer: Explorer) -> Vocabulary:
    return vocabulary_of(explorer)


@pytest.fixture(scope="module")
def cells() -> list[Cell]:
    return list(SPACE.enumerate())


# ---- the oracle: every cell one by one, in plain Python ---------------------------------------------------------


def longest_way(cell: Cell) -> int:
    """Operations on the longest way from input to output, by another library's search over all of them."""
    graph = nx.DiGraph(list(cell.edges))
    graph.remove_nodes_from([node for node, op in enumerate(cell.ops) if op == NONE])
    last = cell.num_nodes - 1
    if 0 not in graph or last not in graph:
        return 0
    ways = nx.all_simple_paths(graph, 0, last)
    return max((sum(cell.ops[node] not in (SKIP, "input", "output") for node in way) for way in ways), default=0)


def by_hand(explorer: Explorer, cells: Sequence[Cell], conditions: Sequence[Condition]) -> set[int]:
    numbers = {key: explorer.scores.frame[key].tolist() for key in explorer.scores.meanings}
    held_out = set(explorer.atlas.held_out.tolist())

    def good(row: int, cell: Cell, condition: Condition) -> bool:
        if isinstance(condition, Counted):
            used = sum(cell.ops.count(op) for op in condition.operations)
            return condition.low <= used <= (99 if condition.high is None else condition.high)
        if isinstance(condition, Ranged):
            value, low, high = numbers[condition.column][row], condition.low, condition.high
            above = low is None or (value > low if condition.open_low else value >= low)
            return above and (high is None or (value < high if condition.open_high else value <= high))
        assert isinstance(condition, Among)
        return ((row in held_out) == (condition.category == "held out")) != condition.negated

    tops = [condition for condition in conditions if isinstance(condition, Top)]
    others = [condition for condition in conditions if not isinstance(condition, Top)]
    found = [row for row, cell in enumerate(cells) if all(good(row, cell, condition) for condition in others)]
    left = set(found)
    for top in tops:
        values, sign = numbers[top.column], -1 if top.end in ("best", "highest") else 1
        left &= set(sorted(found, key=lambda row: (sign * values[row], row))[: top.count])
    return left


WORDS = [
    (
        "at least 3 conv3x3, no pool, under 1.1 M parameters",
        [
            Counted((CONV,), 3),
            Counted((POOL,), 0, 0),
            Ranged("params_m", high=1.1, open_high=True),
        ],
    ),
    ("exactly 2 skip", [Counted((SKIP,), 2, 2)]),
    ("accuracy above 91", [Ranged("cifar10_valid", low=91.0, open_low=True)]),
    ("top 100 by ImageNet16-120 validation", [Top(100, "imagenet16_valid")]),
    ("three best under 0.5 M parameters", [Top(3, "cifar10_valid"), Ranged("params_m", high=0.5, open_high=True)]),
    (
        "1-3 convs and 2 or more zeroize; FLOPs at most 60M",
        [
            Counted(("nor_conv_1x1", CONV), 1, 3),
            Counted((NONE,), 2),
            Ranged("flops_m", high=60.0),
        ],
    ),
    (
        "not held out, CIFAR 100 accuracy between 70 and 72.5 %",
        [
            Among("split", "held out", negated=True),
            Ranged("cifar100_valid", 70.0, 72.5),
        ],
    ),
    (
        "10 lowest by latency, no more than 1 identity, run 2 over 80",
        [
            Top(10, "cifar10_latency_ms", "lowest"),
            Counted((SKIP,), 0, 1),
            Ranged("cifar10_valid_s1", low=80.0, open_low=True),
        ],
    ),
    ("latency under 0.012 s", [Ranged("cifar10_latency_ms", high=12.0, open_high=True)]),
    ("zero conv3x3, at least 1 zero", [Counted((CONV,), 0, 0), Counted((NONE,), 1)]),
    ("no skip and at least 1 pool", [Counted((SKIP,), 0, 0), Counted((POOL,), 1)]),
    (
        "skips: zero, conv3x3 <= zero, not held out",
        [
            Counted((SKIP,), 0, 0),
            Counted((CONV,), 0, 0),
            Among("split", "held out", negated=True),
        ],
    ),
]


@pytest.mark.parametrize(("text", "conditions"), WORDS, ids=[text for text, _ in WORDS])
def test_words_mean_the_cells_that_a_search_one_by_one_finds(
    explorer: Explorer, vocabulary: Vocabulary, cells: list[Cell], text: str, conditions: list[Condition]
) -> None:
    found = find_rows(explorer, text)
    assert found.query.conditions == tuple(conditions)
    expected = by_hand(explorer, cells, conditions)
    assert set(found.rows.tolist()) == expected and len(found.rows) == len(expected) > 0
    assert kept_by(explorer, CellFilter(where=text)).sum() == len(expected)


NUMBERS = {"cifar10_valid": (80.0, 91.0), "params_m": (0.1, 1.2), "flops_m": (10.0, 200.0)}


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    kind = draw(st.sampled_from(["count", "range", "top", "among"]))
    if kind == "count":
        operations = draw(st.sampled_from([(op,) for op in SPACE.operations] + [("nor_conv_1x1", CONV)]))
        low = draw(st.integers(0, 4))
        high = draw(st.one_of(st.integers(max(low, 1), 6), st.none()))
        return Counted(operations, *draw(st.sampled_from([(low, high), (0, 0)])))
    if kind == "among":
        return Among("split", draw(st.sampled_from(["held out", "trained on"])), draw(st.booleans()))
    column = draw(st.sampled_from(sorted(NUMBERS)))
    if kind == "top":
        return Top(draw(st.integers(1, 3_000)), column, draw(st.sampled_from(["best", "worst", "highest", "lowest"])))
    numbers = st.floats(*NUMBERS[column])
    low, high = sorted((draw(numbers), draw(numbers)))
    open_end = draw(st.booleans())
    below, above = Ranged(column, None, high, open_high=open_end), Ranged(column, low, None, open_low=open_end)
    return draw(st.sampled_from([Ranged(column, low, high), below, above]))


def direction(explorer: Explorer, condition: Condition) -> Condition:
    """Best and worst as highest and lowest, for the oracle."""
    if isinstance(condition, Top) and condition.end in ("best", "worst"):
        larger = (explorer.meaning(condition.column).direction == "max") == (condition.end == "best")
        return Top(condition.count, condition.column, "highest" if larger else "lowest")
    return condition


@settings(max_examples=20, deadline=None)
@given(chosen=st.lists(conditions(), min_size=1, max_size=4))
def test_any_conditions_find_what_a_search_one_by_one_finds_and_their_words_are_read_back(
    explorer: Explorer, vocabulary: Vocabulary, cells: list[Cell], chosen: list[Condition]
) -> None:
    query = Query(tuple(chosen))
    words = in_words(query, vocabulary)
    assert parse_query(words, vocabulary) == query, words
    assert len(words) > MAX_QUERY or parse_query(words.upper(), vocabulary) == query
    found = set(np.flatnonzero(met_by(explorer, query, vocabulary=vocabulary)).tolist())
    assert found == by_hand(explorer, cells, [direction(explorer, condition) for condition in chosen])


#: what the queries above are made of, and signs
FRAGMENTS = sorted({piece.rstrip(",;") for text, _ in WORDS for piece in text.split()} | set(',-"<%'))


@settings(max_examples=120, deadline=None)
@given(
    text=st.one_of(
        st.text(max_size=60),
        st.lists(st.sampled_from(FRAGMENTS), max_size=12).map(" ".join),
    )
)
def test_any_text_is_read_or_refused_in_one_line(vocabulary: Vocabulary, text: str) -> None:
    try:
        query = parse_query(text, vocabulary)
    except ParseError as error:
        assert len(str(error).splitlines()) == 1 and str(error).endswith(vocabulary.example)
    else:
        assert parse_query(in_words(query, vocabulary), vocabulary) == query


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("at least 3 foo", "'foo' was not understood"),
        ("no foo", "'foo' is no operation"),
        ("skip or pool", "all conditions must hold"),
        ("no skip and pool", "'no skip and pool' can mean two things: say 'no pool' or 'at least 1 pool'"),
        ("without conv3x3 and conv1x1", "can mean two things"),
        ("zero skips & pools", "can mean two things"),
        ("at most 1 skip, pool", "'at most 1 skip, pool' can mean two things"),
        ("not mostly skip and pool", "can mean two things"),
        ("no skip or pool", "all conditions must hold, such as 'no A, no B'"),
        ("not 2 skip", "'2 skip' is no operation"),
        ("best 3 by accuracy error", "Neither end of .* is better: say highest or lowest"),
        ("bottom 3 by depth", "Neither end of Depth is better"),
        ("accuracy 91", "say above, below"),
        ("under 500000 parameters", "write 0.5 M or 500 k"),
        ("latency under 3 %", "is in ms, not in %"),
        ("at most 2.5 skip", "whole numbers"),
        ("between 3 and 1 skip", "the smaller one first"),
        ("best 3 by foo", "no column 'foo'"),
        ("highest 3", "by which column"),
        ("edges over 3", "equal in edges"),
        ("at least", "needs a number"),
        ("depth", "needs a number"),
        ("  ", "at most 500 characters"),
        ("skip, " * 100, "at most 500 characters"),
    ],
)
def test_what_is_not_understood_is_said_with_an_example(vocabulary: Vocabulary, text: str, said: str) -> None:
    with pytest.raises(ParseError, match=said) as caught:
        parse_query(text, vocabulary)
    assert f"For example: {vocabulary.example}" in str(caught.value)


def test_the_example_finds_cells(explorer: Explorer, vocabulary: Vocabulary) -> None:
    found = find_rows(explorer, vocabulary.example)
    values = explorer.scores.frame["cifar10_valid"].to_numpy()[found.rows]
    assert len(values) == 3 and sorted(values, reverse=True) == values.tolist()
    assert explorer.where(vocabulary.example).tolist() == found.rows.tolist()


@pytest.mark.parametrize(
    "name", ["conv3x3", "3x3 conv", "conv 3×3", "3x3 convolutions", "nor_conv_3x3", "Conv-3x3 layers"]
)
def test_operations_are_known_by_the_names_that_people_use(vocabulary: Vocabulary, name: str) -> None:
    assert parse_query(f"at least 2 {name}", vocabulary).conditions == (Counted((CONV,), 2),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("erdős–rényi", Among("family", "Erdős-Rényi")),
        ("trained on", Among("split", "not held out")),
        ("not trained on", Among("split", "not held out", negated=True)),
        ("not held out", Among("split", "not held out")),
    ],
)
def test_categories_are_known_by_the_names_that_people_use(text: str, expected: Among) -> None:
    split = NamedColumn("split", "Training or held-out cell", categories=("not held out", "held out"))
    family = NamedColumn("family", "Random generator", categories=("Erdős-Rényi", "Watts-Strogatz"))
    known = Vocabulary("RandWire", {"sep_conv_3x3": ("sep conv 3×3",)}, (family, split))
    assert parse_query(text, known) == parse_query(in_words(Query((expected,)), known), known) == Query((expected,))


def test_predicted_accuracies_of_the_whole_space_lie_within_what_can_be(explorer: Explorer) -> None:
    class TooHigh(MadeUpPredictors):
        def whole_space(self, key: str) -> Prediction:
            found = super().whole_space(key)
            return replace(found, mean=found.mean + 19, low=found.low - 99, high=found.high + 19)

    key, rows = "cifar10_valid", np.arange(len(explorer.atlas))
    high = replace(explorer, predictors=TooHigh())
    by_hand = np.minimum(explorer.stored_predictions[key].mean + 19, 100)
    assert (by_hand == 100).any() and (by_hand < 100).any()
    found = table_rows(high, rows)
    assert found[f"predicted_{key}"].tolist() == table_values(high, f"predicted-{key}").tolist() == by_hand.tolist()
    assert found[f"predicted_{key}_low"].min() == 0 and found[f"predicted_{key}_high"].max() == 100


def test_a_question_and_a_mistyped_notation_are_told_apart() -> None:
    assert all(map(starts_like_query, ("at least 3 skip", "depth over 2", "params < 0.5", "top 5", "no pool")))
    assert not any(map(starts_like_query, ("|nor_conv_3x3~0|", "<b>17000</b>", "431204", "#12", "")))


# ---- what follows from the structure ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["nasbench201", "nasbench101"])
def test_depth_is_that_of_a_search_over_all_ways(name: str) -> None:
    space = get_space(name)
    chosen = [space.canonical(cell) for cell in random_cells(space, 60)]
    arrays = space.arrays(np.array([space.index(cell) for cell in chosen]))
    assert depths(space, arrays).tolist() == list(map(longest_way, chosen))


def test_counts_and_depth_are_columns_of_the_table(explorer: Explorer, cells: list[Cell]) -> None:
    keys = [name.key for name in table_names(explorer)]
    assert {"index", f"count-{CONV}", "depth", "cifar10_valid", "predicted-cifar10_valid"} <= set(keys)
    assert table_values(explorer, f"count-{CONV}").tolist() == [cell.ops.count(CONV) for cell in cells]
    rows = np.random.default_rng(0).choice(len(cells), 100)
    assert table_values(explorer, "depth")[rows].tolist() == [longest_way(cells[row]) for row in rows.tolist()]


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.sampled_from([1.0, 2.0, 2.5, -3.0, float("nan")]), max_size=12), larger=st.booleans())
def test_a_rank_is_one_more_than_the_number_of_better_values(values: list[float], larger: bool) -> None:
    expected = [
        0 if mine != mine else 1 + sum((other > mine) if larger else (other < mine) for other in values)
        for mine in values
    ]
    assert ranks(np.array(values, dtype=np.float64), larger_first=larger).tolist() == expected


def test_the_whole_table_is_written_piece_by_piece_as_it_is_at_once(
    explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = np.array([7, 3, 15_624, 0, 12, 9, 100])
    whole = table_rows(explorer, rows)
    monkeypatch.setattr("svge_core.explorer.tables.PIECE", 3)
    csv, parquet = (io.BytesIO(table_file(explorer, rows, form)) for form in ("csv", "parquet"))
    for found in (pd.read_csv(csv), pd.read_parquet(parquet)):
        pd.testing.assert_frame_equal(found, whole, check_dtype=False)
    assert whole["index"].tolist() == rows.tolist()
    assert whole["count_nor_conv_3x3"].tolist() == [SPACE.from_index(row).ops.count(CONV) for row in rows.tolist()]
