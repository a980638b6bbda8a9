"""Ctrl-C and SIGTERM: both kinds of training save the step that was done, and go on from it as if never stopped."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from svge_core.models import ModelConfig
from svge_core.network_training import STATE, TrainRecipe, train_network
from svge_core.spaces import get_space
from svge_core.threads import between_steps, interruptible
from svge_core.training import TrainConfig, train
from svge_core.training.state import FILE

SPACE = get_space("nasbench201")
STOP = 3


def cell_training(folder: Path, told: Callable[[Any], None]) -> None:
    recipe = TrainRecipe(epochs=2, batch_size=256, channels=2)
    train_network(SPACE, SPACE.from_index(9930), "digits", recipe, folder=folder, on_step=told)


def model_training(folder: Path, told: Callable[[Any], None]) -> None:
    config = TrainConfig(epochs=2, batch_size=128, held_out=0.97)
    train(SPACE, folder, ModelConfig(hidden=8, latent=4), config, on_step=told)


@pytest.fixture(autouse=True)
def nobody_else_listens() -> Iterator[None]:
    """As in a program at a terminal: what started the tests, or a library used by one, may have changed that."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    before = {number: signal.signal(number, answer) for number, answer in usual.items()}
    yield
    for number, answer in before.items():
        signal.signal(number, answer)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize(
    ("training", "state", "weights"),
    [(cell_training, STATE, "weights-seed0.safetensors"), (model_training, FILE, "weights.safetensors")],
    ids=["a cell", "a model"],
)
def test_a_training_asked_to_end_saves_its_last_step(
    training: Callable[..., None], state: str, weights: str, number: signal.Signals, tmp_path: Path
) -> None:
    def ask(at: Any) -> None:
        if at.step == STOP:
            signal.raise_signal(number)

    stopped, whole = tmp_path / "stopped", tmp_path / "whole"
    listening = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt):
        training(stopped, ask)
    assert signal.getsignal(number) is listening
    assert (stopped / state).is_file(), "saves come every half minute: this one came because the end was asked for"
    steps: list[int] = []
    training(stopped, lambda at: steps.append(at.step))
    assert steps[0] == STOP
    training(whole, lambda at: None)
    found, wanted = load_file(stopped / weights), load_file(whole / weights)
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)
    assert not (stopped / state).exists()


def test_without_a_folder_nothing_is_caught() -> None:
    """As in the process of an evaluation, whose death by a signal says that the machine stops and blames no cell."""
    heard: list[object] = []
    recipe = TrainRecipe(epochs=1, batch_size=448, channels=2)
    cell = SPACE.from_index(9930)
    train_network(SPACE, cell, "digits", recipe, on_step=lambda at: heard.append(signal.getsignal(signal.SIGTERM)))
    assert set(heard) == {signal.SIG_DFL}


def test_the_second_request_does_not_wait_for_the_step() -> None:
    with pytest.raises(KeyboardInterrupt), between_steps() as leave:
        leave()
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        leave()


def test_a_request_after_the_last_step_is_not_forgotten(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), between_steps() as leave:
        leave()
        signal.raise_signal(signal.SIGINT)
    recipe, cell = TrainRecipe(epochs=1, batch_size=448, channels=2), SPACE.from_index(9930)

    def ask(at: Any) -> None:
        if at.row is not None:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train_network(SPACE, cell, "digits", recipe, folder=tmp_path, on_step=ask)
    assert train_network(SPACE, cell, "digits", recipe, folder=tmp_path).runs[0].epoch == 1


def test_somebody_elses_listener_stays() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    try:
        with interruptible(), between_steps() as leave:
            signal.raise_signal(signal.SIGTERM)
            leave()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM]
