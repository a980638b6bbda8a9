"""Checkpoints of the baselines: trained from the command line, read back, evaluated; old files are SVGe's."""

import json
from pathlib import Path

import pytest
import torch

from svge_core.__main__ import main
from svge_core.checkpoints.checkpoint import load_checkpoint
from svge_core.errors import CheckpointError, SvgeError
from svge_core.evaluation.card import card
from svge_core.evaluation.extrapolation.larger_cells import extended_model
from svge_core.evaluation.run import evaluate
from svge_core.figures.operations import operation_tables
from svge_core.models.config import ModelConfig
from svge_core.models.registry import MODELS
from svge_core.spaces.registry import SPACES
from tests.support.core import TinySpace, tiny_model, write_checkpoint

SPACE = TinySpace(4)
TRAIN = ["train", "--space", SPACE.name, "--epochs", "1", "--batch-size", "64", "--hidden", "8", "--latent", "4"]


@pytest.fixture(autouse=True)
def tiny_space(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SPACES, SPACE.name, SPACE)


@pytest.mark.parametrize("kind", ["dvae", "gcn", "dgmg"])
def test_a_baseline_is_trained_read_back_evaluated_and_described(kind: str, tmp_path: Path) -> None:
    words = [*TRAIN, "--out", str(tmp_path), "--name", kind, "--model", kind, "--encoding", "learned"]
    assert main(words) == 0
    checkpoint = load_checkpoint(tmp_path / SPACE.name / kind)
    model = checkpoint.model
    assert (checkpoint.meta.model, model.kind, type(model)) == (kind, kind, MODELS[kind].model)
    assert model.table.shape == (4, 3), "the published dimension is their default"
    assert model.config.rounds == (3 if kind == "gcn" else 2)
    rows = evaluate(checkpoint, encodings=1, decodings=2, latents=5, many=10)
    assert {row.direction for row in rows if row.what == "reconstruction"} == {"forward"}
    assert card(checkpoint).startswith(f"# {model.title} on {SPACE.title}")
    assert model.source in card(checkpoint)
    assert "Learned encoding, shared by both" in operation_tables(model)
    with pytest.raises(SvgeError, match="cannot be extended"):
        extended_model(model, TinySpace(5))


def test_a_run_is_not_resumed_as_another_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TRAIN, "--out", str(tmp_path), "--name", "first", "--model", "dgmg"]) == 0
    first = str(tmp_path / SPACE.name / "first")
    words = [*TRAIN, "--out", str(tmp_path), "--name", "second", "--model", "dvae", "--initial", first]
    assert main(words) == 2
    assert "has another model: model" in capsys.readouterr().err


def test_files_without_the_field_are_of_svge_and_unknown_models_are_named(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path, tiny_model(SPACE))
    path = tmp_path / "meta.json"
    values = json.loads(path.read_text())
    assert values.pop("model") == "svge"
    values |= {"format_version": 1, "metrics": {}}
    path.write_text(json.dumps(values))
    again = load_checkpoint(tmp_path)
    assert again.meta.model == again.model.kind == "svge"
    assert torch.equal(again.model.table, checkpoint.model.table)
    path.write_text(json.dumps({**values, "model": "gpt"}))
    with pytest.raises(CheckpointError, match="field 'model' must be one of svge, dvae, gcn, dgmg, rows; got 'gpt'"):
        load_checkpoint(tmp_path)


def test_defaults_of_svge_are_what_they_were() -> None:
    assert MODELS["svge"].defaults == ModelConfig()
