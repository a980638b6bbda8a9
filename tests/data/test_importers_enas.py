"""D-VAE's ENAS text: every line read, cells that stand twice averaged, wrong lines named."""

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from svge_core.data.importers.enas_text import read_enas
from svge_core.errors import DataError
from svge_core.spaces.registry import get_space
from tests.support.imports import ENAS_LINES
from tests.support.meanings import read_back_from_old


def written(folder: Path, *lines: str) -> Path:
    path = folder / "final_structures6.txt"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_cells_and_their_accuracies(tmp_path: Path) -> None:
    table = read_enas(written(tmp_path, *ENAS_LINES, ""))
    assert read_back_from_old(table.meanings)
    space = get_space("enas6")
    assert (table.space, table.key, len(table.frame)) == ("enas6", "arch", 2)
    assert table.frame["enas6_ws_acc"].tolist() == pytest.approx([73.52, 72.34])
    assert table.frame["row"].tolist() == [0, 1]
    for arch, index in zip(table.frame["arch"], table.frame["cell_index"], strict=True):
        assert space.index(space.parse(arch)) == index
    assert space.genotype(space.parse(table.frame["arch"].tolist()[1]))[:3] == (5, 3, 1)
    assert any("1 cells stand on several lines" in note for note in table.notes)
    line = table.meanings["enas6_ws_acc"].describe()
    assert "shared weights" in line
    assert "not trained from scratch" in line
    assert "accuracy, %" not in line


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[[1], [4, 0]], 0.7", "6 in all; got 2"),
        (ENAS_LINES[0].replace("0.7302", "73.02"), "its accuracy is 73.02; expected 0 to 1"),
        (ENAS_LINES[0].partition("]],")[0] + "]]", "it has no accuracy: the file is cut off"),
        (ENAS_LINES[0][:-9], "Not a cell of ENAS macro"),
        ("__import__('os').system('x')", "Not a line of an ENAS file"),
        ("[" * 3000, "more than 2,000 characters"),
        ("é", "cannot be used"),
    ],
)
def test_wrong_lines_are_named(line: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"final_structures6.txt, line 2 \(byte 84\) cannot be used: ") as caught:
        read_enas(written(tmp_path, ENAS_LINES[0], line))
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no line"):
        read_enas(written(tmp_path))


@given(st.text(max_size=60))
def test_any_text_is_one_clear_line(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("enas") / "x.txt"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        read_enas(path)
    except DataError as error:
        assert "\n" not in str(error)
