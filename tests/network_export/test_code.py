"""``model.py``: equal to the network, of equal weights, readable, and safe whatever a label says."""

import ast
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from svge_core.cells import Cell
from svge_core.data import PredictionRow, ScoreMeaning
from svge_core.errors import SvgeError
from svge_core.exporting import ExportItem
from svge_core.network_export.agreement import largest_difference, with_statistics
from svge_core.network_export.code import model_code, python_docstring
from svge_core.network_export.files import import_code, renamed_weights
from svge_core.networks import build_network
from svge_core.spaces import NASBench201, get_space
from tests.support.paths import ROOT

SIZES: dict[str, dict[str, int]] = {
    "nasbench201": {"channels": 4, "cells_per_stage": 2},
    "nasbench101": {"channels": 7, "cells_per_stage": 2},  # three do not divide 7, nor 14, nor 28
    "enas6": {"channels": 2},
    "enas12": {"channels": 2, "num_classes": 3},
    "randwire": {"channels": 2, "colours": 3},
}
MEANING = ScoreMeaning(
    "user_a",
    "Own",
    "%",
    "max",
    "mine",
    "valid",
    3,
    "one run",
    "measured",
    "a.csv",
    role="other",
    origin="user",
    single_run=True,
)


def cells_of(name: str) -> list[Cell]:
    """Six random cells, and those at the ends of a space."""
    space, rng = get_space(name), np.random.default_rng(7)
    found = [space.canonical(space.random_cell(rng)) for _ in range(6)]
    if name == "nasbench201":
        found += [space.from_genotype((op,) * 6) for op in range(5)]
        # zeros that a convolution reads, and a convolution that leads nowhere
        found += [
            space.from_genotype(genotype) for genotype in [(0, 0, 2, 1, 0, 3), (3, 1, 0, 1, 0, 0), (0, 4, 1, 0, 1, 2)]
        ]
    if name == "nasbench101":
        found.append(Cell(("input", "output"), ((0, 1),)))
        found.append(Cell(("input", *["maxpool3x3"] * 3, "output"), ((0, 1), (1, 2), (2, 3), (1, 4), (2, 4), (3, 4))))
    return found


@pytest.mark.parametrize("name", SIZES)
def test_it_computes_what_the_network_computes_with_the_same_weights(name: str) -> None:
    space, shape = get_space(name), (3, 8, 8)
    for cell in cells_of(name):
        network = with_statistics(build_network(space, cell, **SIZES[name]), shape)
        built = import_code(model_code(space, ExportItem(cell), SIZES[name])).build()
        assert sum(p.numel() for p in built.parameters()) == sum(p.numel() for p in network.parameters())
        built.load_state_dict(renamed_weights(network.state_dict(), built))
        assert largest_difference(network, built.eval(), shape) < 1e-5, space.format(cell)
        # and back: what was trained in model.py
        network.load_state_dict(renamed_weights(built.state_dict(), network))


@pytest.mark.parametrize("name", SIZES)
def test_it_trains_as_the_network_trains(name: str) -> None:
    space = get_space(name)
    cell = cells_of(name)[0]
    network = build_network(space, cell, **SIZES[name])
    built = import_code(model_code(space, ExportItem(cell), SIZES[name])).build()
    built.load_state_dict(renamed_weights(network.state_dict(), built))
    images = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    for module in (network, built):
        module.train()(images).square().sum().backward()
    for mine, its in zip(network.parameters(), built.parameters(), strict=True):
        expected = torch.zeros_like(mine) if mine.grad is None else mine.grad
        found = torch.zeros_like(its) if its.grad is None else its.grad
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4 * max(1.0, float(expected.abs().max())))


def test_a_line_is_what_a_person_would_write() -> None:
    space = NASBench201()
    cell = space.parse("|nor_conv_3x3~0|+|none~0|skip_connect~1|+|skip_connect~0|nor_conv_1x1~1|avg_pool_3x3~2|")
    text = model_code(space, ExportItem(cell), {})
    assert "x1 = self.conv_0_1(x0)\n        x2 = x1\n        return x0 + self.conv_1_3(x1) + self.pool_2_3(x2)" in text
    assert "channels: int = 16, cells_per_stage: int = 5, num_classes: int = 10" in text
    code = text.split('"""', 2)[2]
    assert not re.search(r"for .* in .*(ops|operations)|getattr|exec|[^.]eval\(|__import__|nor_conv|skip_connect", code)


def test_generated_files_are_formatted_and_without_a_finding(tmp_path: Path) -> None:
    for name, sizes in SIZES.items():
        space = get_space(name)
        for number, cell in enumerate(cells_of(name)):
            (tmp_path / f"{name}_{number}.py").write_text(model_code(space, ExportItem(cell), sizes), "utf-8")
    for words in (["format", "--check"], ["check", "--ignore", "D417,E501"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "--config", str(ROOT / "pyproject.toml"), str(tmp_path)],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr


def test_it_says_what_is_known_and_whether_it_was_measured() -> None:
    space = NASBench201()
    cell = space.from_index(9930)
    predicted = PredictionRow("user_a", 91.0, 90.0, 92.0, 0.9, "a model")
    item = ExportItem(cell, "my cell", {"user_a": 93.25}, {"user_a": MEANING}, (predicted,))
    text = ast.get_docstring(ast.parse(model_code(space, item, {"channels": 8}))) or ""
    assert space.format(cell) in text and "number 9,930" in text and "my cell" in text
    assert "- Own: 93.25 %, mine, valid, 3 epochs, one run, higher is better, measured. Source: a.csv" in text
    assert "- Own, mine: about 91 % (90 to 92 with 90 %), PREDICTED by a model." in text
    assert "channels=8, cells_per_stage=5, num_classes=10" in text


HOSTILE = [
    '"""\nimport os\nos.abort()\n"""',
    '""""""\\"""',
    "\\",
    '\\"\\"\\"',
    "a\nraise SystemExit\n",
    "\r\x0c\x1c\u2028raise SystemExit",
    "{0} {channels} %s $epochs",
    "\N{RIGHT-TO-LEFT OVERRIDE}#\N{POP DIRECTIONAL FORMATTING}",
    "'''; raise SystemExit #",
    "\\N{DIGIT ONE} \\x41 \\u0041",
]


def without_docstring(text: str) -> str:
    tree = ast.parse(text)
    assert isinstance(tree.body[0], ast.Expr) and isinstance(tree.body[0].value, ast.Constant)
    return ast.dump(ast.Module(tree.body[1:], []))


@pytest.mark.parametrize("label", HOSTILE)
def test_a_label_stays_a_text(label: str) -> None:
    space, cell = NASBench201(), NASBench201().from_index(1)
    text = model_code(space, ExportItem(cell, label), {})
    assert without_docstring(text) == without_docstring(model_code(space, ExportItem(cell), {}))
    import_code(text)
    docstring = ast.get_docstring(ast.parse(text), clean=False) or ""
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in label)
    assert " ".join(shown.split()) in " ".join(docstring.split())
    assert all(letter.isprintable() or letter == "\n" for letter in docstring)


@pytest.mark.parametrize("label", HOSTILE)
def test_a_docstring_says_exactly_its_lines(label: str) -> None:
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in label)
    assert ast.literal_eval(python_docstring(["a", label]).strip()) == f"a\n{shown}\n"


def test_the_file_runs_alone(tmp_path: Path) -> None:
    space = NASBench201()
    path = tmp_path / "model.py"
    sizes = {"channels": 2, "cells_per_stage": 1}
    path.write_text(model_code(space, ExportItem(space.from_index(9930)), sizes), "utf-8")
    done = subprocess.run([sys.executable, "-I", str(path)], cwd=tmp_path, capture_output=True, text=True)
    network = build_network(space, space.from_index(9930), **sizes)
    count = sum(weight.numel() for weight in network.parameters())
    assert done.stdout.splitlines() == [f"{count:,} parameters", "logits of two images: (2, 10)"], done.stderr


def test_a_space_that_does_not_say_how_is_told_so() -> None:
    class Silent(NASBench201):
        title = "Silent"

        def network_code(self) -> Any:
            return None

    with pytest.raises(SvgeError, match="Networks of Silent cannot be written as code, as the space has no 'network_c"):
        model_code(Silent(), ExportItem(Silent().from_index(1)), {})


def test_weights_of_another_network_are_refused() -> None:
    space = NASBench201()
    small: Mapping[str, Any] = build_network(space, space.from_index(9930), channels=2, cells_per_stage=1).state_dict()
    with pytest.raises(SvgeError, match=r"The weights are of another network: \d+ tensors, expected \d+ of the shapes"):
        renamed_weights(small, build_network(space, space.from_index(9930), channels=3, cells_per_stage=1))
