"""ENAS macro, 6 and 12 layers: the contract, lines of D-VAE's file read by hand, exact counts, the dense fast path."""

import csv
import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest

from svge_core.cells.cell import Cell
from svge_core.errors import InvalidCellError, ParseError, SvgeError
from svge_core.features.structure import structure_features
from svge_core.spaces import ENASMacro
from svge_core.spaces.enas import OPERATIONS
from svge_core.spaces.registry import get_space
from svge_core.tensors import to_batch
from svge_core.testing.spaces import SearchSpaceContract

SIX, TWELVE = ENASMacro(6), ENASMacro(12)
#: the first line of D-VAE's final_structures6.txt
LINE = "[[1], [4, 0], [5, 0, 0], [0, 1, 1, 1], [2, 1, 1, 1, 1], [3, 0, 0, 0, 0, 1]], 0.7302"
TEXT = LINE.rpartition(", ")[0]
CHAIN = ((0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 7))
OPS = ("sep_conv_3x3", "avg_pool_3x3", "max_pool_3x3", "conv_3x3", "conv_5x5", "sep_conv_5x5")
#: that line read by hand: layers 4 and 5 read every earlier vertex, layer 6 reads layer 4
CELL = Cell(("input", *OPS, "output"), (*CHAIN, (0, 4), (1, 4), (2, 4), (0, 5), (1, 5), (2, 5), (3, 5), (4, 6)))
#: lines of D-VAE's files
LINES = (
    LINE,
    "[[5], [3, 1], [2, 1, 1], [3, 1, 1, 0], [5, 0, 0, 0, 1], [2, 0, 1, 1, 1, 0]], 0.7234",
    "[[1], [1, 1], [5, 1, 0], [4, 1, 0, 0], [4, 0, 1, 1, 1], [2, 1, 0, 1, 0, 1]], 0.7278",
)
LINE_TWELVE = (
    "[[2], [1, 1], [0, 0, 0], [5, 0, 1, 1], [4, 0, 1, 0, 0], [3, 1, 0, 0, 0, 1], [1, 1, 1, 1, 1, 0, 0], "
    "[0, 1, 1, 1, 1, 0, 0, 1], [5, 1, 1, 0, 1, 1, 1, 1, 0], [4, 1, 0, 0, 1, 1, 0, 1, 1, 0], "
    "[4, 0, 1, 0, 1, 1, 1, 1, 0, 1, 0], [3, 0, 0, 1, 1, 0, 1, 1, 0, 1, 0, 0]]"
)


def broken_cells(space: ENASMacro) -> list[tuple[Cell, str]]:
    """A gap in the chain, outputs that read too much or nothing, a label in the wrong place."""
    ops = ("input", *OPERATIONS, *OPERATIONS)[: space.max_nodes - 1] + ("output",)
    last = space.max_nodes - 1
    chain = tuple((node, node + 1) for node in range(last))
    return [
        (Cell(ops, chain[1:]), "no edge from 0 to 1"),
        (Cell(ops, (*chain[:2], *chain[3:], (2, 4))), "no edge from 2 to 3"),
        (Cell(ops, chain[:-1]), f"no edge from {last - 1} to {last}"),
        (Cell(ops, (*chain, (0, last))), "reads the last layer alone; got an edge from vertex 0"),
        (Cell(ops, (*chain, (last - 2, last))), f"an edge from vertex {last - 2} too"),
        (Cell(("input", "input", *ops[2:]), chain), "Unknown operation 'input'"),
    ]


class TestENASMacro6Contract(SearchSpaceContract):
    """Six layers, the ones with published labels."""

    space = SIX

    def broken_cells(self) -> list[tuple[Cell, str]]:
        return broken_cells(SIX)


class TestENASMacro12Contract(SearchSpaceContract):
    """Twelve layers, for extrapolation: indices beyond 64 bits."""

    space = TWELVE

    def broken_cells(self) -> list[tuple[Cell, str]]:
        return broken_cells(TWELVE)


# exact facts


def test_both_are_registered() -> None:
    assert isinstance(get_space("enas6"), ENASMacro)
    assert get_space("enas12").title == "ENAS macro, 12 layers"
    with pytest.raises(SvgeError, match="2 or more layers; got 1"):
        ENASMacro(1)


def test_sizes() -> None:
    assert SIX.size == 6**6 * 2**15 == 1_528_823_808
    assert TWELVE.size == 6**12 * 2**66 > 2**64
    assert (SIX.max_nodes, TWELVE.max_nodes) == (8, 14)
    assert not SIX.enumerated
    assert not TWELVE.enumerated
    assert (len(SIX.gene_choices), len(TWELVE.gene_choices)) == (21, 78)


def test_nothing_can_list_the_space() -> None:
    with pytest.raises(SvgeError, match="ENAS macro, 6 layers is not enumerated: it has 1,528,823,808 cells"):
        SIX.enumerate()


def test_vocabulary_has_the_type_ids_of_svge() -> None:
    assert SIX.vocabulary == (
        "output",
        "input",
        "conv_3x3",
        "sep_conv_3x3",
        "conv_5x5",
        "sep_conv_5x5",
        "avg_pool_3x3",
        "max_pool_3x3",
    )


def test_a_line_read_by_hand() -> None:
    assert SIX.parse_labelled_line(LINE) == (CELL, 0.7302)
    assert SIX.parse(TEXT) == CELL
    assert SIX.format(CELL) == TEXT
    assert SIX.genotype(CELL) == (1, 4, 0, 5, 0, 0, 0, 1, 1, 1, 2, 1, 1, 1, 1, 3, 0, 0, 0, 0, 1)


@pytest.mark.parametrize("line", LINES)
def test_lines_of_the_file_come_back(line: str) -> None:
    cell, accuracy = SIX.parse_labelled_line(f"{line}\n")
    assert f"{SIX.format(cell)}, {accuracy}" == line
    assert SIX.parse(line.rpartition(", ")[0].replace(" ", "")) == cell
    assert SIX.parse_labelled_line(line.rpartition(", ")[0]) == (cell, None)


def test_a_line_of_twelve_layers_comes_back() -> None:
    assert TWELVE.format(TWELVE.parse(LINE_TWELVE)) == LINE_TWELVE
    with pytest.raises(ParseError, match="ENAS macro, 6 layers.* 6 in all; got 12"):
        SIX.parse(LINE_TWELVE)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (TEXT.replace("[4, 0]", "[4]"), "Layer 2 has an operation and 1 skip bits, 2 numbers; got 1"),
        (TEXT.replace("[4, 0]", "[6, 0]"), r"Layer 2 has an operation from 0 to 5, then bits 0 or 1; got \[6, 0\]"),
        (TEXT.replace("[4, 0]", "[4, 2]"), r"then bits 0 or 1; got \[4, 2\]"),
        (TEXT.replace("[4, 0]", "[-1, 0]"), "Layer 2 has an operation from 0 to 5"),
        (TEXT.replace("[4, 0]", "[4, true]"), "expected one list per layer"),
        (TEXT.replace("[4, 0]", "[4.0, 0]"), "expected one list per layer"),
        (TEXT.replace("[4, 0], ", ""), "6 in all; got 5"),
        (TEXT.replace("[4, 0]", "4"), "expected one list per layer"),
        (LINE, "expected one list per layer"),
        ("[" * 1_500, "expected one list per layer"),
        ("__import__('os')", "expected one list per layer"),
        (TEXT + " " * 10 + "]" * 5_000, "expected one list per layer"),
        ("[[" + "9" * 1_900 + "]]", "6 in all; got 1"),
    ],
)
def test_malformed_texts_are_rejected(text: str, reason: str) -> None:
    with pytest.raises(ParseError, match=reason) as caught:
        SIX.parse(text)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("score", ["nan", "inf", "-0.7", "1e-3", "00.7302", "0.7302, 1", "seven", "9" * 400, ""])
def test_scores_that_are_no_decimals_are_rejected(score: str) -> None:
    with pytest.raises(ParseError, match=r"Not a line of an ENAS file: expected .*, 0\.7302"):
        SIX.parse_labelled_line(f"{TEXT}, {score}")


def test_the_index_reads_the_genotype_from_the_left() -> None:
    zeros = (0,) * 21
    assert SIX.index(SIX.from_genotype(zeros)) == 0
    assert SIX.index(SIX.from_genotype((*zeros[:-1], 1))) == 1  # the last layer's last skip bit
    assert SIX.index(SIX.from_genotype((*zeros[:15], 1, *zeros[16:]))) == 2**5  # the last layer's operation
    assert SIX.index(SIX.from_genotype((1, *zeros[1:]))) == 1_528_823_808 // 6
    assert SIX.index(SIX.from_genotype(tuple(c - 1 for c in SIX.gene_choices))) == 1_528_823_807
    last = TWELVE.from_index(6**12 * 2**66 - 1)
    assert TWELVE.genotype(last) == tuple(choices - 1 for choices in TWELVE.gene_choices)


def test_neighbours_are_counted() -> None:
    rng = np.random.default_rng(0)
    assert len(SIX.neighbours(SIX.random_cell(rng))) == 6 * 5 + 15
    assert len(TWELVE.neighbours(TWELVE.random_cell(rng))) == 12 * 5 + 66


def test_no_two_cells_share_a_key() -> None:
    rng = np.random.default_rng(1)
    cells = {SIX.random_cell(rng) for _ in range(500)} | set(SIX.neighbours(CELL)) | {CELL}
    assert len({SIX.key(cell) for cell in cells}) == len(cells)
    assert SIX.key(CELL) == ENASMacro(6).key(CELL)


def test_a_graph_of_the_other_depth_is_no_member() -> None:
    with pytest.raises(InvalidCellError, match="ENAS macro, 12 layers has 14 nodes .* got 8"):
        TWELVE.validate(CELL)


def test_decoding_rules_leave_exactly_the_skips_free() -> None:
    rules = SIX.decoding_rules()
    assert (rules.edges == -1).sum() == 15
    assert (rules.edges == 1).sum() == 7
    assert set(zip(*np.nonzero(rules.edges[:, -1:]), strict=True)) == {(6, 0)}
    assert rules.node_types.sum(1).tolist() == [1, *[6] * 6, 1]


# many cells at once


@pytest.mark.parametrize("space", [SIX, TWELVE], ids=lambda space: space.name)
def test_genotype_arrays_equal_the_batch_of_the_cells(space: ENASMacro) -> None:
    genotypes = space.sample_genotypes(np.random.default_rng(2), 200)
    batch = to_batch(space, [space.from_genotype(tuple(row)) for row in genotypes.tolist()])
    for array, tensor in zip(
        space.genotype_arrays(genotypes), (batch.types, batch.adjacency, batch.sizes), strict=True
    ):
        assert array.dtype == tensor.numpy().dtype
        np.testing.assert_array_equal(array, tensor.numpy())


@pytest.mark.parametrize("space", [SIX, TWELVE], ids=lambda space: space.name)
def test_sampled_genotypes_are_uniform_and_seeded(space: ENASMacro) -> None:
    genotypes = space.sample_genotypes(np.random.default_rng(3), 12_000)
    assert genotypes.dtype == np.int8
    np.testing.assert_array_equal(genotypes[:5], space.sample_genotypes(np.random.default_rng(3), 12_000)[:5])
    for gene, choices in enumerate(space.gene_choices):
        shares = np.bincount(genotypes[:, gene], minlength=choices) / len(genotypes)
        assert len(shares) == choices
        # six standard deviations of a share
        assert np.abs(shares - 1 / choices).max() < 6 * np.sqrt((1 / choices) * (1 - 1 / choices) / len(genotypes))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda g: g[:, :-1], r"of shape \(cells, 21\); got \(4, 20\)"),
        (lambda g: np.where(np.arange(21) == 2, 2, g), "Digit 3 of a genotype of .* between 0 and 1; got 2"),
        (lambda g: np.where(np.arange(21) == 0, -1, g), "Digit 1 of a genotype of .* between 0 and 5; got -1"),
    ],
)
def test_broken_genotype_arrays_are_rejected(change, reason: str) -> None:
    with pytest.raises(InvalidCellError, match=reason):
        SIX.genotype_arrays(change(SIX.sample_genotypes(np.random.default_rng(4), 4)))


@pytest.mark.parametrize("space", [SIX, TWELVE], ids=lambda space: space.name)
def test_structure_features_tell_cells_apart(space: ENASMacro) -> None:
    rng = np.random.default_rng(5)
    cells = [space.random_cell(rng) for _ in range(1_000)]
    table = structure_features(space, cells)
    assert np.isfinite(table.values).all()
    live = table.names.index("edges: live")
    assert table.values[:, live].tolist() == [len(cell.edges) for cell in cells], "everything in a cell is live"
    changed = structure_features(space, [cells[0], *space.neighbours(cells[0])]).values
    assert (np.abs(changed[1:] - changed[0]).max(axis=1) > 0).all(), "every edit shows"


# the whole labelled set, where it is


@pytest.mark.skipif("SVGE_DATA" not in os.environ, reason="SVGE_DATA does not name the folder of label tables")
def test_every_labelled_line_comes_back() -> None:
    with gzip.open(Path(os.environ["SVGE_DATA"]) / "enas_macro6.csv.gz", "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 20_020
    assert len({SIX.index(SIX.parse(row["arch"])) for row in rows}) == 20_015, "the authors' file repeats five cells"
    for row in rows:
        cell, accuracy = SIX.parse_labelled_line(f"{row['arch']}, {row['ws_acc']}")
        assert json.loads(SIX.format(cell)) == json.loads(row["arch"])
        assert accuracy == float(row["ws_acc"])
        assert "".join(str(OPERATIONS.index(op)) for op in cell.ops[1:-1]) == row["ops"]
