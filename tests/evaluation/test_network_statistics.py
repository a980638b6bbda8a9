"""Statistics of untrained networks as columns: what stands in a row, and what an earlier table spares."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from svge_core.data import load_scores
from svge_core.data.importers import load_imported
from svge_core.evaluation.network_statistics import untrained_columns
from svge_core.files.atomic import cache_dir
from svge_core.networks import STATISTICS, UntrainedProtocol, untrained_statistics
from svge_core.spaces import get_space
from tests.support.cli import RunCommand

SPACE = get_space("nasbench201")
SMALL = UntrainedProtocol(side=8, channels=2, batch=4, initialisations=1)
#: of the first two the second reads a copy of what the first reads; through the last nothing flows
PAIR = [
    SPACE.index(SPACE.parse(text))
    for text in (
        "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|nor_conv_1x1~2|",
        "|none~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|nor_conv_1x1~2|",
    )
]
CUT = SPACE.index(SPACE.parse("|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|"))


def last(indices: list[int], **given) -> pd.DataFrame:
    *_, (done, table) = untrained_columns(SPACE, indices, SMALL, **given)
    assert done == len(indices)
    return table.frame.set_index("index")


def test_a_row_is_that_of_the_first_cell_that_computes_the_same() -> None:
    frame = last([9_930, *PAIR, CUT])
    firsts = [SPACE.representative(SPACE.from_index(index)) for index in (9_930, *PAIR)]
    assert firsts[1] == firsts[2]
    expected = untrained_statistics(SPACE, firsts, SMALL).values
    found = frame.loc[[9_930, *PAIR]].to_numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert np.ptp(found[1:], axis=0).max() == 0
    assert np.ptp(found[:2], axis=0).min() > 0
    assert bool(frame.loc[[CUT]].isna().to_numpy().all())


def test_what_is_known_is_not_taken_again(monkeypatch: pytest.MonkeyPatch) -> None:
    *_, (_, before) = untrained_columns(SPACE, [9_930, CUT], SMALL)
    asked: list[int] = []

    def counting(space, cells, protocol):
        asked.append(len(cells))
        return untrained_statistics(space, cells, protocol)

    monkeypatch.setattr("svge_core.evaluation.network_statistics.untrained_statistics", counting)
    steps = list(untrained_columns(SPACE, [9_930, CUT, 5], SMALL, before))
    assert asked == [1]
    assert [done for done, _ in steps] == [3]
    kept = steps[-1][1].frame.set_index("index").loc[[9_930]]
    pd.testing.assert_frame_equal(kept, before.frame.set_index("index").loc[[9_930]])
    assert [done for done, _ in untrained_columns(SPACE, [9_930], SMALL, before)] == [1]
    other = replace(SMALL, seed=1)
    assert len(list(untrained_columns(SPACE, [9_930], other, before))[-1][1].frame) == 1
    assert asked == [1, 1]


def test_the_command_stores_columns_that_the_scores_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: RunCommand, fails: RunCommand
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("svge_core.data.importers.cache.cache_dir", cache_dir)
    document = run("data", "untrained", "--space", "nasbench101", "--count", "2")
    assert document["rows"] == 2
    (table,) = load_imported("nasbench101")
    scores = load_scores("nasbench101")
    known = scores.frame[[f"untrained_{name}" for name in STATISTICS]].dropna(how="all")
    assert list(known.index) == table.frame["index"].tolist()
    meaning = scores.meaning("untrained_nwot")
    assert (meaning.epochs, meaning.role, meaning.kind) == (0, "other", "measured")
    (line,) = run("data", "list", expect_json=False).splitlines()
    assert line.endswith("2 architectures, 4 columns, from networks of this program") and "nasbench101" in line
    refusals = (
        ("enas6", "whose cells are listed"),
        ("nowhere", "nowhere"),
        ("nasbench101", "say how many with --count"),
    )
    for space, told in refusals:
        assert told in fails("data", "untrained", "--space", space)


def test_all_cells_of_nasbench201_come_with_the_program() -> None:
    """Rows of the shipped table, taken anew by the protocol that it names."""
    scores = load_scores("nasbench201")
    names = [f"untrained_{name}" for name in STATISTICS]
    indices = [9_930, PAIR[1]]
    cells = [SPACE.representative(SPACE.from_index(index)) for index in indices]
    expected = untrained_statistics(SPACE, cells).values
    np.testing.assert_allclose(scores.frame.loc[indices, names].to_numpy(), expected, rtol=1e-4)
    dead = scores.frame["untrained_nwot"].isna()
    assert dead[CUT]
    assert not dead[9_930]
