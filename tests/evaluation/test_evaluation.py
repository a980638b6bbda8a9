"""`evaluate`: every row with count, denominator, protocol and split; JSON without NaN."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from svge_core.checkpoints.checkpoint import (
    Checkpoint,
    CheckpointMeta,
    load_checkpoint,
    save_checkpoint,
    update_metrics,
)
from svge_core.data.held_out import cell_numbers
from svge_core.evaluation import run as evaluation
from svge_core.evaluation.edges import EdgeProtocol
from svge_core.evaluation.run import evaluate, evaluation_cells
from svge_core.spaces.registry import SPACES, get_space
from svge_core.tensors import START, to_cells
from svge_core.training.config import TrainConfig
from svge_core.training.drawn import DrawnCells
from tests.support.core import TinySpace, tiny_model, write_checkpoint

SPACE = TinySpace(4)
SMALL: dict[str, Any] = {"encodings": 2, "decodings": 3, "latents": 10, "many": 40}


@pytest.fixture
def checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkpoint:
    monkeypatch.setitem(SPACES, SPACE.name, SPACE)
    return write_checkpoint(tmp_path, tiny_model(SPACE), TrainConfig(epochs=2, held_out=0.25, seed=3))


def test_every_row_says_what_it_counts(checkpoint: Checkpoint) -> None:
    told: list[str] = []
    rows = evaluate(checkpoint, on_row=told.append, **SMALL)
    assert told == list(rows)
    held_out = checkpoint.meta.held_out_count
    rank = rows.pop("smoothness.spearman_edit")  # a correlation, not a share
    assert -1 <= rank["value"] <= 1
    assert rank["n"] > 100_000
    expected = rows.pop("reconstruction.forward.expected")  # a mean probability
    assert 0 <= expected["value"] <= 1
    assert expected["n"] == held_out
    for name, row in rows.items():
        assert {"value", "count", "of", "protocol", "data_set", "split", "epochs", "seeds"} <= set(row), name
        assert 0 <= row["count"] <= row["of"]
        assert row["value"] == (row["count"] / row["of"] if row["of"] else None)
        assert (row["data_set"], row["epochs"]) == ("Tiny 4", 2)
        assert row["seeds"] == "1 training seed (3), sampling seed 0"
    for direction in ("forward", "backward", "both"):
        assert rows[f"reconstruction.{direction}.sampled"]["of"] == held_out * 6
        assert rows[f"reconstruction.{direction}.argmax"]["of"] == held_out
        exact, equivalent = (
            rows[f"{name}.{direction}.sampled"] for name in ("reconstruction", "reconstruction_equivalent")
        )
        assert exact["count"] <= equivalent["count"]
        assert exact["split"] == f"{held_out} cells never trained on"
        assert exact["protocol"].startswith(f"{direction}, raw, sampled, 2 times the mean x 3 decodings")
    for count, times in ((10, 3), (10, 1), (40, 1)):
        for kind in ("raw", "constrained"):
            valid = rows[f"valid.forward.{kind}.{count}x{times}"]
            assert valid["of"] == count * times
            assert sum(valid["reasons"].values()) <= valid["of"] - valid["count"]
            assert rows[f"unique.forward.{kind}.{count}x{times}"]["of"] == valid["count"]
    assert rows["valid.both.constrained.10x3"]["count"] >= rows["valid.both.raw.10x3"]["count"]


def test_rows_are_reproducible_and_fit_into_the_checkpoint(checkpoint: Checkpoint) -> None:
    rows = evaluate(checkpoint, **SMALL)
    assert rows == evaluate(checkpoint, **SMALL)
    update_metrics(checkpoint, rows)
    assert load_checkpoint(checkpoint.folder).meta.metrics == rows
    json.dumps(rows, allow_nan=False)


def test_no_held_out_cells_and_no_valid_decodings_are_told_without_nan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SPACES, SPACE.name, SPACE)
    model = tiny_model(SPACE)
    with torch.no_grad():
        model.generator.types_out.bias[START] = 100.0  # every inner node claims to be the input
    checkpoint = write_checkpoint(tmp_path, model, TrainConfig(epochs=2, held_out=0.0))
    rows = evaluate(checkpoint, **SMALL)
    assert rows["unique.forward.raw.10x3"] == rows["unique.forward.raw.10x3"] | {"value": None, "count": 0, "of": 0}
    assert rows["reconstruction.both.argmax"]["of"] == 0
    assert rows["reconstruction.both.argmax"]["value"] is None
    update_metrics(checkpoint, rows)


def test_cells_without_an_index_are_measured_by_edge_f1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "MAX_UNINDEXED", 10)
    space = get_space("randwire")
    training = TrainConfig(epochs=2, cells_per_epoch=20, held_out=0.25, seed=3)
    model = tiny_model(space, rounds=1)
    meta = CheckpointMeta("randwire", model.config, training.to_dict(), "0" * 16, 40, 0, "python -m svge_core train")
    save_checkpoint(tmp_path, model, meta)
    checkpoint = load_checkpoint(tmp_path)
    cells = evaluation_cells(checkpoint)
    trained = np.concatenate(
        [cell_numbers(space, to_cells(space, DrawnCells(space, training).epoch(epoch))) for epoch in range(2)]
    )
    assert set(cells.known.tolist()) == set(trained.tolist())
    assert not set(cell_numbers(space, to_cells(space, cells.held_out)).tolist()) & set(trained.tolist())
    rows = evaluate(
        checkpoint, edges=EdgeProtocol(held_out=3, choosing=2, guessing=4, draws=2), latents=10, decodings=2
    )
    f1 = rows["edge_f1.forward.argmax.all"]
    assert (f1["n"], f1["unit"], f1["data_set"], f1["epochs"]) == (9, "F1", "RandWire", 2)
    assert f1["seeds"] == "1 training seed (3), sampling seed 0"
    assert rows["reconstruction.both.sampled"]["of"] == len(cells.held_out)
    valid = rows["valid.forward.raw.10x1"]
    assert sum(valid["reasons"].values()) == 10 - valid["count"], "an untrained model draws hardly a member"
    assert rows["unique.forward.raw.10x1"]["of"] == rows["novel.forward.raw.10x1"]["of"] == valid["count"]
    assert -1 <= rows["smoothness.spearman_edit"]["value"] <= 1
    json.dumps(rows, allow_nan=False)
