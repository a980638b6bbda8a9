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
from svge_core.checkpoints.metric_row import (
    MetricRow,
    Mode,
    RowDirection,
    RowKey,
    by_key,
    edge_f1_key,
    generation_key,
    reconstruction_key,
)
from svge_core.data.held_out import cell_numbers
from svge_core.evaluation import run as evaluation
from svge_core.evaluation.edges import EdgeProtocol
from svge_core.evaluation.run import evaluate, evaluation_cells
from svge_core.files.schema import to_plain
from svge_core.spaces.registry import SPACES, get_space
from svge_core.tensors import START, to_cells
from svge_core.training.config import TrainConfig
from svge_core.training.drawn import DrawnCells
from tests.support.core import TinySpace, tiny_model, write_checkpoint
from tests.support.untyped import there

SPACE = TinySpace(4)
DIRECTIONS: tuple[RowDirection, ...] = ("forward", "backward", "both")
MODES: tuple[Mode, ...] = ("raw", "constrained")
SMALL: dict[str, Any] = {"encodings": 2, "decodings": 3, "latents": 10, "many": 40}


@pytest.fixture
def checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkpoint:
    monkeypatch.setitem(SPACES, SPACE.name, SPACE)
    return write_checkpoint(tmp_path, tiny_model(SPACE), TrainConfig(epochs=2, held_out=0.25, seed=3))


def test_every_row_says_what_it_counts(checkpoint: Checkpoint) -> None:
    told: list[MetricRow] = []
    measured = evaluate(checkpoint, on_row=told.append, **SMALL)
    assert tuple(told) == measured
    rows = by_key(measured)
    assert len(rows) == len(measured), "every row has its own key"
    held_out = checkpoint.meta.held_out_count
    rank = rows.pop(RowKey("smoothness", how="spearman_edit"))  # a correlation, not a share
    assert rank.value is not None and -1 <= rank.value <= 1
    assert (rank.n or 0) > 100_000
    expected = rows.pop(reconstruction_key("forward", "expected"))  # a mean probability
    assert expected.value is not None and 0 <= expected.value <= 1
    assert expected.n == held_out
    for row in rows.values():
        assert row.count is not None and row.of is not None and row.protocol and row.split
        assert 0 <= row.count <= row.of
        assert row.value == (row.count / row.of if row.of else None)
        assert (row.data_set, row.epochs) == ("Tiny 4", 2)
        assert (row.seeds, row.seed) == ("1 training seed (3), sampling seed 0", 0)
    for direction in DIRECTIONS:
        sampled = rows[reconstruction_key(direction, "sampled")]
        assert sampled.of == held_out * 6 and (sampled.encodings, sampled.decodings) == (2, 3)
        assert rows[reconstruction_key(direction, "argmax")].of == held_out
        equivalent = rows[reconstruction_key(direction, "sampled", "reconstruction_equivalent")]
        assert (sampled.count or 0) <= (equivalent.count or 0)
        assert sampled.split == f"{held_out} cells never trained on"
        assert sampled.protocol.startswith(f"{direction}, raw, sampled, 2 times the mean x 3 decodings")
    for count, times in ((10, 3), (10, 1), (40, 1)):
        for mode in MODES:
            valid = rows[generation_key("valid", "forward", mode, count, times)]
            assert valid.of == count * times
            assert sum((valid.reasons or {}).values()) <= there(valid.of) - (valid.count or 0)
            assert rows[generation_key("unique", "forward", mode, count, times)].of == valid.count
    raw, constrained = (rows[generation_key("valid", "both", mode, 10, 3)].count or 0 for mode in MODES)
    assert constrained >= raw


def test_rows_are_reproducible_and_fit_into_the_checkpoint(checkpoint: Checkpoint) -> None:
    rows = evaluate(checkpoint, **SMALL)
    assert rows == evaluate(checkpoint, **SMALL)
    update_metrics(checkpoint, rows)
    assert load_checkpoint(checkpoint.folder).meta.metrics == rows
    json.dumps(to_plain(rows), allow_nan=False)


def test_no_held_out_cells_and_no_valid_decodings_are_told_without_nan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SPACES, SPACE.name, SPACE)
    model = tiny_model(SPACE)
    with torch.no_grad():
        model.generator.types_out.bias[START] = 100.0  # every inner node claims to be the input
    checkpoint = write_checkpoint(tmp_path, model, TrainConfig(epochs=2, held_out=0.0))
    measured = evaluate(checkpoint, **SMALL)
    rows = by_key(measured)
    for key in (generation_key("unique", "forward", "raw", 10, 3), reconstruction_key("both", "argmax")):
        assert (rows[key].value, rows[key].count, rows[key].of) == (None, 0, 0)
    update_metrics(checkpoint, measured)


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
    measured = evaluate(
        checkpoint, edges=EdgeProtocol(held_out=3, choosing=2, guessing=4, draws=2), latents=10, decodings=2
    )
    rows = by_key(measured)
    f1 = rows[edge_f1_key("forward", "argmax")]
    assert (f1.n, f1.unit, f1.data_set, f1.epochs) == (9, "F1", "RandWire", 2)
    assert f1.seeds == "1 training seed (3), sampling seed 0"
    assert rows[reconstruction_key("both", "sampled")].of == len(cells.held_out)
    valid, unique, novel = (
        rows[generation_key(what, "forward", "raw", 10, 1)] for what in ("valid", "unique", "novel")
    )
    assert sum((valid.reasons or {}).values()) == 10 - (valid.count or 0), "an untrained model draws hardly a member"
    assert unique.of == novel.of == valid.count
    rank = rows[RowKey("smoothness", how="spearman_edit")].value
    assert rank is not None and -1 <= rank <= 1
    json.dumps(to_plain(measured), allow_nan=False)


def test_one_training_cell_has_no_width(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SPACES, SPACE.name, SPACE)
    size = SPACE.size or 0
    config = TrainConfig(epochs=1, held_out=1 - 1.2 / size, seed=3)
    found = evaluate(write_checkpoint(tmp_path, tiny_model(SPACE), config), **SMALL)
    assert {row.how for row in found if row.what == "valid"} == {"", "standard", "fitted"}
