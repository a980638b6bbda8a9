"""A tiny checkpoint for the command line."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from svge_core.atlas.atlas import build_atlas
from svge_core.atlas.file import save_atlas
from svge_core.cells.cell import Cell
from svge_core.checkpoints.checkpoint import META, WEIGHTS, Checkpoint
from svge_core.data import load_scores
from svge_core.data.meaning import ScoreMeaning
from svge_core.models.head import HeadConfig
from svge_core.predictors.checkpoint_predictors import fit_predictor
from svge_core.spaces.base import AbstractSearchSpace
from svge_core.spaces.registry import get_space
from svge_core.tensors import CellBatch, to_batch
from tests.support.core import all_cells, overfitted_model, write_checkpoint
from tests.support.planes import free_plane

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


def make(target: Path) -> Path:
    checkpoint = write_checkpoint(target, overfitted_model())
    with pytest.MonkeyPatch.context() as patch:
        for module in ("atlas.charted", "predictors.checkpoint_predictors"):
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
        "cifar10_valid",
        "made-up accuracy",
        "%",
        "max",
        "CIFAR-10",
        "",
        None,
        "",
        "measured",
        "made up",
        role="accuracy",
        origin="imported",
        single_run=False,
    )
    fit_predictor(checkpoint, meaning, np.arange(len(values)), values, labels=12, seed=3, head=head)
    return checkpoint.folder


RunCommand = Callable[..., Any]


def copied(folder: Path, target: Path) -> Path:
    """The weights and meta data alone, for a test to damage."""
    for name in (WEIGHTS, META):
        (target / name).write_bytes((folder / name).read_bytes())
    return target
