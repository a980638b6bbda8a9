"""A tiny checkpoint for the command line, and two fixtures that run it: one for success, one for a user's mistake."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from svge_core.__main__ import main
from svge_core.atlas import build_atlas
from svge_core.atlas_file import save_atlas
from svge_core.cells import Cell
from svge_core.checkpoints import META, WEIGHTS, Checkpoint
from svge_core.data import load_scores
from svge_core.data.scores import ScoreMeaning
from svge_core.models.head import HeadConfig
from svge_core.predictors import fit_predictor
from svge_core.spaces import get_space
from svge_core.spaces.base import AbstractSearchSpace
from svge_core.tensors import CellBatch, to_batch
from tests.core_fixtures import all_cells, overfitted_model, write_checkpoint
from tests.test_projection import free_plane

SPACE = get_space("nasbench201")
#: an architecture in the community's notation, and its official index
ARCH, ARCH_INDEX = SPACE.format(SPACE.from_index(5_000)), 5_000

known_scores = cache(load_scores)


def known_batch(space: AbstractSearchSpace, cells: list[Cell], **options: Any) -> CellBatch:
    """``to_batch`` that does not write out the whole space again."""
    return all_cells(space) if len(cells) == space.size else to_batch(space, cells, **options)


def known_rows(space: AbstractSearchSpace, indices: np.ndarray) -> CellBatch:
    """``index_batch`` that does not write out the whole space again."""
    return all_cells(space).select(torch.from_numpy(indices))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes seconds under the run-time type checks is computed once: the score table and the whole space."""
    monkeypatch.setattr("svge_core.cli.cell_parts.load_scores", known_scores)
    monkeypatch.setattr("svge_core.data.load_scores", known_scores)
    monkeypatch.setattr("svge_core.cli.cell_commands.to_batch", known_batch)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that knows eight cells by heart, with an atlas and predictors of one score."""
    if not made:  # a fixture that two modules import would be made twice, even for a session
        made.append(make(tmp_path_factory.mktemp("cli") / "tiny"))
    return made[0]


made: list[Path] = []


def make(target: Path) -> Path:
    checkpoint = write_checkpoint(target, overfitted_model())
    with pytest.MonkeyPatch.context() as patch:
        for module in ("chart", "predictors"):
            patch.setattr(f"svge_core.{module}.index_batch", known_rows)
        return furnished(checkpoint)


def furnished(checkpoint: Checkpoint) -> Path:
    """Write an atlas and predictors beside the weights."""
    atlas = build_atlas(checkpoint, planes=("pca",))
    # UMAP takes half a minute to import; any other map without an inverse stands in for it
    free = free_plane(np.random.default_rng(0).normal(size=(SPACE.size or 0, 2)), 8)
    save_atlas(checkpoint.folder, replace(atlas, planes={"umap": free, **atlas.planes}))
    values = 80 + all_cells(SPACE).types.eq(3).sum(1).double().numpy()
    head = HeadConfig(layers=2, epochs=1)
    meaning = ScoreMeaning(
        "cifar10_valid", "made-up accuracy", "%", "max", "CIFAR-10", "", None, "", "measured", "made up"
    )
    fit_predictor(checkpoint, meaning, np.arange(len(values)), values, labels=12, seed=3, head=head)
    return checkpoint.folder


Run = Callable[..., Any]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command that must succeed; JSON output comes back parsed."""

    def call(*words: object, expect_json: bool = True) -> Any:
        capsys.readouterr()
        given = [str(word) for word in words]
        code = main([*given, "--json"] if expect_json else given)
        out, err = capsys.readouterr()
        assert (code, err) == (0, "")
        return json.loads(out) if expect_json else out

    return call


@pytest.fixture
def fails(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command that must fail as a user's mistake; its one line comes back."""

    def call(*words: object) -> str:
        capsys.readouterr()
        try:
            code = main([str(word) for word in words])
        except SystemExit as stop:  # argparse leaves like this
            code = stop.code
        out, err = capsys.readouterr()
        assert code == 2, err
        assert out == ""
        assert err.count("\n") == 1, err
        assert "Traceback" not in err
        assert err.startswith("svge_core")
        return err

    return call


def copied(folder: Path, target: Path) -> Path:
    """The weights and meta data alone, for a test to damage."""
    for name in (WEIGHTS, META):
        (target / name).write_bytes((folder / name).read_bytes())
    return target
