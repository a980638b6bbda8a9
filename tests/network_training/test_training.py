"""The loop: against a plain one written out here, resumed bit for bit, stopped, and failing in one line."""

import errno
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from svge_core.data import meaning_from_dict
from svge_core.errors import CheckpointError, InvalidCellError, SvgeError
from svge_core.network_training import (
    RESULT,
    STATE,
    NetworkStep,
    TrainedNetwork,
    TrainingCancelledError,
    TrainingFailedError,
    TrainRecipe,
    network_for,
    open_images,
    read_result,
    run as run_module,
    state as state_module,
    train_network,
)
from svge_core.network_training.trainer import NetworkTrainer
from svge_core.spaces import SPACES

SPACE = SPACES["nasbench201"]
CELL = SPACE.from_index(9930)
TINY = TrainRecipe(epochs=2, batch_size=256, channels=2, flip=True, crop_padding=1)


def rows(found: TrainedNetwork) -> list[tuple[float, float, float]]:
    return [(row.loss, row.train, row.validation) for run in found.runs for row in run.curve]


def test_losses_are_those_of_a_plain_loop_with_nesterov_weight_decay_and_a_cosine():
    """Whole batches, so that the order of the images changes nothing but rounding."""
    recipe = TrainRecipe(
        optimiser="sgd", learning_rate=0.05, nesterov=True, weight_decay=0.01, epochs=3, batch_size=897, channels=2
    )
    data = open_images("digits")
    network = network_for(SPACE, CELL, data, recipe, seed=5).train()
    weights = list(network.parameters())
    speeds, losses = [torch.zeros_like(weight) for weight in weights], []
    images = data.train.images.expand(-1, 3, -1, -1)
    for step in range(3):
        rate = 0.05 * (1 + math.cos(math.pi * step / 3)) / 2
        log = network(images).log_softmax(1)
        loss = -log[torch.arange(897), data.train.classes].mean()
        gradients = torch.autograd.grad(loss, weights, allow_unused=True)
        losses.append(float(loss.detach()))
        with torch.no_grad():
            for weight, speed, gradient in zip(weights, speeds, gradients, strict=True):
                if gradient is not None:
                    gradient = gradient + 0.01 * weight
                    speed.mul_(0.9).add_(gradient)
                    weight.sub_(rate * (gradient + 0.9 * speed))
    found = train_network(SPACE, CELL, data, recipe, seed=5)
    assert [row.loss for row in found.runs[0].curve] == pytest.approx(losses, rel=2e-3)
    with torch.no_grad():
        network.eval()
        answers = network(data.test.images.expand(-1, 3, -1, -1)).argmax(1).numpy()
    assert found.test == pytest.approx(100 * np.mean(answers == data.test.classes.numpy()), abs=1.0)


def test_augmentation_is_a_flip_and_a_crop_of_each_image():
    data = open_images("digits")
    recipe = replace(TINY, crop_padding=2)
    trainer = NetworkTrainer(network_for(SPACE, CELL, data, recipe), data, recipe, 3, 3)
    images = torch.randn(20, 3, 8, 8)
    found = trainer._augmented(images)
    assert torch.equal(found, trainer._augmented(images))  # of the step, not of the call
    seen = set()
    for image, result in zip(images.numpy(), found.numpy(), strict=True):
        candidates = {
            (flip, down, right): np.pad(image[:, :, ::-1] if flip else image, ((0, 0), (2, 2), (2, 2)))[
                :, down : down + 8, right : right + 8
            ]
            for flip in (False, True)
            for down in range(5)
            for right in range(5)
        }
        equal = [key for key, value in candidates.items() if np.array_equal(value, result)]
        assert len(equal) == 1
        seen.add(equal[0])
    assert len({flip for flip, _, _ in seen}) == 2 and len(seen) > 5


def test_label_smoothing_spreads_the_target():
    data = open_images("digits")
    recipe = TrainRecipe(epochs=1, batch_size=897, channels=2, label_smoothing=0.3)
    network = network_for(SPACE, CELL, data, recipe).train()
    log = network(data.train.images.expand(-1, 3, -1, -1)).log_softmax(1)
    target = 0.7 * functional.one_hot(data.train.classes, 10) + 0.03
    expected = float(-(target * log).sum(1).mean().detach())
    assert train_network(SPACE, CELL, data, recipe).runs[0].curve[0].loss == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("stop", [1, 5])  # in the first epoch of the first run, and in the second run
def test_a_killed_training_goes_on_bit_for_bit(tmp_path: Path, stop: int):
    recipe = replace(TINY, seeds=2, patience=3, optimiser="rmsprop")
    whole = train_network(SPACE, CELL, "digits", recipe)
    taken: list[int] = []

    class Killed(BaseException):
        pass

    def die(at: NetworkStep) -> None:
        taken.append(at.step)
        if at.step == stop + 4 * (stop > 4):
            raise Killed

    with pytest.raises(Killed):
        train_network(SPACE, CELL, "digits", recipe, folder=tmp_path, save_every=0.0, on_step=die)
    assert (tmp_path / STATE).is_file() and not (tmp_path / RESULT).exists()
    first: list[int] = []
    found = train_network(SPACE, CELL, "digits", recipe, folder=tmp_path, on_step=lambda at: first.append(at.step))
    assert first[0] > 0
    assert rows(found) == rows(whole)
    assert [(run.validation, run.test) for run in found.runs] == [(run.validation, run.test) for run in whole.runs]
    assert not (tmp_path / STATE).exists()
    assert {run.weights for run in found.runs} == {"weights-seed0.safetensors", "weights-seed1.safetensors"}
    assert read_result(tmp_path) == found
    assert train_network(SPACE, CELL, "digits", recipe, folder=tmp_path) == found  # there, so nothing is trained
    with pytest.raises(SvgeError, match="another training"):
        train_network(SPACE, CELL, "digits", TINY, folder=tmp_path)


def test_the_score_says_what_it_is():
    recipe = replace(TINY, seeds=2, seed=4)
    found = train_network(SPACE, CELL, "digits", recipe)
    meaning = found.meaning
    assert [run.seed for run in found.runs] == [4, 5]
    assert found.validation == pytest.approx(sum(run.validation for run in found.runs) / 2)
    assert (meaning.kind, meaning.data_set, meaning.epochs) == ("measured", "Digits", 2)
    assert meaning.seeds == "mean of 2 runs"
    assert "450 validation images" in meaning.split and "channels 2" in meaning.source and not meaning.single_run
    assert meaning_from_dict(meaning.to_dict()) == meaning
    other = train_network(SPACE, CELL, "digits", replace(recipe, flip=False, epochs=1, seeds=1))
    assert other.meaning.key != meaning.key  # another recipe is another score
    said = other.meaning.describe()
    assert said.startswith("Digits validation accuracy, 1 epoch, one run (%), 450 validation images;")
    assert all(said.count(word) == 1 for word in ("Digits", "epoch", "one run"))
    network = network_for(SPACE, CELL, open_images("digits"), recipe)
    assert found.parameters == sum(each.numel() for each in network.parameters())


def test_early_stop_keeps_the_best_epoch_by_validation(monkeypatch: pytest.MonkeyPatch):
    told = iter([50.0, 70.0, 60.0, 65.0, 90.0])
    monkeypatch.setattr(NetworkTrainer, "accuracy", lambda self, part: next(told) if len(part) == 450 else 0.0)
    recipe = TrainRecipe(epochs=20, batch_size=897, channels=2, patience=2)
    found = train_network(SPACE, CELL, "digits", recipe).runs[0]
    assert (len(found.curve), found.epoch, found.validation, found.test) == (4, 2, 70.0, 90.0)


def test_every_space_trains():
    for name in ("nasbench101", "randwire", "enas6"):
        space = SPACES[name]
        cell = space.random_cell(np.random.default_rng(0))
        found = train_network(space, cell, "digits", TrainRecipe(epochs=1, batch_size=448, channels=6))
        assert 0 <= found.validation <= 100 and found.parameters > 0


def test_cancel_keeps_the_state(tmp_path: Path):
    with pytest.raises(TrainingCancelledError, match="stopped after 1 of 2 epochs"):
        train_network(SPACE, CELL, "digits", TINY, folder=tmp_path, on_step=lambda at: at.row is None)
    assert (tmp_path / STATE).is_file()


# faults, each by its name


def test_a_loss_that_is_not_a_number_is_one_line():
    with pytest.raises(TrainingFailedError, match=r"not a finite number in epoch 1.*learning_rate \(now 1e\+30\)"):
        train_network(SPACE, CELL, "digits", replace(TINY, optimiser="sgd", learning_rate=1e30))


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_out_of_memory_is_one_line(monkeypatch: pytest.MonkeyPatch, error: Exception):
    def no_memory(*_: object) -> None:
        raise error

    monkeypatch.setattr(NetworkTrainer, "_augmented", no_memory)
    with pytest.raises(TrainingFailedError, match="Out of memory in epoch 1 with batches of 256 images: take smaller"):
        train_network(SPACE, CELL, "digits", TINY)


def test_another_runtime_error_is_not_hidden(monkeypatch: pytest.MonkeyPatch):
    def wrong(*_: object) -> None:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(NetworkTrainer, "_augmented", wrong)
    with pytest.raises(RuntimeError, match="a mistake"):
        train_network(SPACE, CELL, "digits", TINY)


def test_a_full_disk_keeps_the_state_of_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(TrainingCancelledError):
        train_network(SPACE, CELL, "digits", TINY, folder=tmp_path, on_step=lambda at: at.row is None)
    before = (tmp_path / STATE).read_bytes()

    def full(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(state_module, "write_atomically", full)
        with pytest.raises(
            TrainingFailedError, match="cannot be written: the disk is full. What was saved before is kept"
        ):
            train_network(SPACE, CELL, "digits", TINY, folder=tmp_path, save_every=0.0)
    assert (tmp_path / STATE).read_bytes() == before
    with monkeypatch.context() as patched:
        patched.setattr(run_module, "write_atomically", full)
        with pytest.raises(TrainingFailedError, match="The weights in .* the disk is full"):
            train_network(SPACE, CELL, "digits", TINY, folder=tmp_path)
    assert train_network(SPACE, CELL, "digits", TINY, folder=tmp_path).validation > 0


def test_two_processes_do_not_train_into_one_folder(tmp_path: Path):
    def again(at: NetworkStep) -> None:
        with pytest.raises(SvgeError, match="Another process trains into"):
            train_network(SPACE, CELL, "digits", TINY, folder=tmp_path)

    train_network(SPACE, CELL, "digits", replace(TINY, epochs=1, batch_size=897), folder=tmp_path, on_step=again)


def test_damaged_and_other_states_are_named(tmp_path: Path):
    with pytest.raises(TrainingCancelledError):
        train_network(SPACE, CELL, "digits", TINY, folder=tmp_path, on_step=lambda at: at.row is None)
    with pytest.raises(CheckpointError, match="another recipe"):
        train_network(SPACE, CELL, "digits", replace(TINY, epochs=3), folder=tmp_path)
    with pytest.raises(CheckpointError, match="another cell"):
        train_network(SPACE, SPACE.from_index(1462), "digits", TINY, folder=tmp_path)
    (tmp_path / STATE).write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="damaged"):
        train_network(SPACE, CELL, "digits", TINY, folder=tmp_path)
    (tmp_path / RESULT).write_text(json.dumps({"format_version": 1}))
    with pytest.raises(CheckpointError, match="no result of a training"):
        read_result(tmp_path)


def test_what_cannot_be_trained_is_refused_before_a_folder_is_made(tmp_path: Path):
    folder = tmp_path / "new"
    with pytest.raises(SvgeError, match="needs CUDA"):
        train_network(SPACE, CELL, "digits", replace(TINY, precision="bfloat16"), folder=folder, device="cpu")
    with pytest.raises(InvalidCellError):
        train_network("nasbench101", CELL, "digits", TINY, folder=folder)
    assert not folder.exists()


@pytest.mark.parametrize("inside", [".", "results/one"])
def test_results_do_not_go_among_the_images(tmp_path: Path, inside: str):
    with pytest.raises(SvgeError, match="lies in the folder of the images, .*: choose a folder outside"):
        train_network(SPACE, CELL, str(tmp_path), TINY, folder=tmp_path / inside)
    assert list(tmp_path.iterdir()) == []
