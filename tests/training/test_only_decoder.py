"""Training of the decoder alone: whatever follows from latents stays as it is."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from svge_core.checkpoints.checkpoint import load_checkpoint, load_meta, save_checkpoint
from svge_core.errors import SvgeError
from svge_core.models.config import DEFAULTS
from svge_core.models.registry import MODELS, build_model
from svge_core.spaces.registry import SPACES, get_space
from svge_core.tensors import to_batch
from svge_core.training.run import train
from svge_core.training.state import restore_state, save_state
from svge_core.training.trainer import Trainer
from tests.support.core import TINY
from tests.training.test_training import CONFIG, SMALL, rows_of, same_weights


@pytest.mark.parametrize("kind", sorted(MODELS))
def test_a_decoder_trained_alone_leaves_every_latent_as_it_is(kind: str, tmp_path: Path) -> None:
    space = get_space("randwire" if kind == "rows" else "nasbench201")
    config = replace(DEFAULTS[kind], encoding="one-hot" if kind == "rows" else "learned")
    torch.manual_seed(1)
    model = build_model(kind, space, config)
    cells = to_batch(space, [space.random_cell(np.random.default_rng(row)) for row in range(16)])
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    posterior = model.encode(cells)
    run = Trainer(model, cells, replace(CONFIG, epochs=4, prior_share=0.5, prior_from=0.0, only_decoder=True))
    rows = rows_of(run)
    again = model.encode(cells)
    assert torch.equal(again.mean, posterior.mean) and torch.equal(again.log_var, posterior.log_var)
    assert rows[-1].edges < rows[0].edges
    changed = {name for name, weight in model.named_parameters() if not torch.equal(weight, before[name])}
    assert changed == {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert 0 < len(run.trained) == len(changed)
    whole = Trainer(model, cells, replace(run.config, only_decoder=False))
    assert len(whole.trained) == len(list(model.parameters())), "a run on its own, whatever was fixed before"
    save_state(tmp_path, run, [])
    other = Trainer(build_model(kind, space, config), cells, run.config)
    restore_state(tmp_path, other)
    assert same_weights(other.model, model)


def test_a_decoder_is_not_trained_alone_beside_an_encoder_that_was_not_trained(tmp_path: Path) -> None:
    with pytest.raises(SvgeError, match="name the checkpoint to start from"):
        train(TINY, tmp_path / "new", SMALL, replace(CONFIG, epochs=1, only_decoder=True))
    assert not (tmp_path / "new").exists()


def test_a_third_training_knows_both_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where from, and how long: each run starts from the weights of the one before."""
    monkeypatch.setitem(SPACES, TINY.name, TINY)
    once = replace(CONFIG, epochs=2)
    train(TINY, tmp_path / "a", SMALL, once, command="one")
    train(TINY, tmp_path / "b", SMALL, replace(once, epochs=3), initial=tmp_path / "a", command="two")
    found = train(TINY, tmp_path / "c", SMALL, replace(once, epochs=1), initial=tmp_path / "b", command="three").meta
    assert found.commands == ["one", "two", "three"]
    assert (found.total_epochs, found.longest_run, found.initial_epochs) == (6, 3, 5)
    seconds = [load_meta(tmp_path / name)[0].history[-1]["cpu_seconds"] for name in "abc"]
    assert found.total_cpu_seconds == pytest.approx(sum(seconds))
    unknown = replace(found, environment={**found.environment, "initial_cpu_seconds": None})
    assert math.isnan(unknown.total_cpu_seconds)


@pytest.mark.parametrize("command", ["", "two\nlines\x0b of one"])
def test_commands_are_told_apart_whatever_they_are(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SPACES, TINY.name, TINY)
    first = tmp_path / "a"
    meta = train(TINY, first, SMALL, replace(CONFIG, epochs=1), command="x").meta
    checkpoint = load_checkpoint(first)
    save_checkpoint(first, checkpoint.model, replace(meta, command=command))
    found = train(TINY, tmp_path / "b", SMALL, replace(CONFIG, epochs=1), initial=first).meta
    assert found.commands[0] == command and len(found.commands) == 2
    assert found.commands[1].endswith("initial='a')")


def test_cells_of_a_chain_are_drawn_alike(tmp_path: Path) -> None:
    """Else it would not be known which cells it was trained on."""
    space, config = get_space("enas6"), replace(CONFIG, epochs=2, cells_per_epoch=40, held_out=0.1)
    meta = train(space, tmp_path / "a", SMALL, config).meta
    assert meta.data_count == 80
    again = replace(config, epochs=1)
    found = train(space, tmp_path / "b", SMALL, again, initial=tmp_path / "a").meta
    assert found.data_count == 80, "the same cells again"
    with pytest.raises(SvgeError, match="cells_per_epoch 40, not 10"):
        train(space, tmp_path / "c", SMALL, replace(again, cells_per_epoch=10), initial=tmp_path / "a")
