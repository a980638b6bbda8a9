"""Training: schedules, splits, exact resumption after an interruption and after a kill."""

import json
import math
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from svge_core.__main__ import main
from svge_core.data.held_out import split_cells
from svge_core.errors import CheckpointError, SvgeError
from svge_core.evaluation.metrics import generation
from svge_core.models.config import ModelConfig
from svge_core.models.encoder import Posterior
from svge_core.models.options import DecodeOptions
from svge_core.models.vae import Elbo, GraphVAE
from svge_core.spaces.registry import SPACES, get_space
from svge_core.tensors import CellBatch, to_batch, to_cells
from svge_core.training.config import TrainConfig
from svge_core.training.drawn import DrawnCells
from svge_core.training.run import LOCK_FILE, start_from, train
from svge_core.training.state import FILE, restore_state, save_state
from svge_core.training.trainer import Trainer, TrainRow
from tests.support.core import TINY, tiny_batch, tiny_model, write_checkpoint
from tests.support.paths import ROOT

CONFIG = TrainConfig(epochs=3, batch_size=8, learning_rate=1e-2, warmup_steps=4, kl_warmup_epochs=1.5, held_out=0.0)
SMALL = ModelConfig(hidden=8, latent=4)
CELLS = tiny_batch(count=30)  # the last step of an epoch has six cells


def trainer(config: TrainConfig = CONFIG, cells: CellBatch = CELLS, **settings: object) -> Trainer:
    return Trainer(tiny_model(TINY, 1, **settings), cells, config)


def same_weights(a: GraphVAE, b: GraphVAE) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def rows_of(run: Trainer) -> list[TrainRow]:
    return [replace(row, cpu_seconds=0.0) for row in run.epochs()]


def test_training_lowers_the_loss_and_reports_every_epoch() -> None:
    run = trainer(replace(CONFIG, epochs=8))
    rows = rows_of(run)
    assert [row.epoch for row in rows] == list(range(1, 9))
    assert [row.cells_seen for row in rows] == [30 * epoch for epoch in range(1, 9)]
    assert rows[-1].loss < 0.9 * rows[0].loss
    assert run.step == run.total_steps == 8 * 4
    assert run.cpu_seconds > 0
    assert list(run.epochs()) == [], "a finished run has nothing left to do"


def test_a_row_holds_means_over_all_cells_however_they_are_batched() -> None:
    # so small a rate leaves the weights as they are: the row is then the mean over the cells at the start
    config = replace(CONFIG, epochs=1, learning_rate=1e-30, kl_warmup_epochs=0.0)
    run = trainer(config, posterior_noise=0.0, beta=0.3)
    with torch.no_grad():
        expected = run.model.elbo(CELLS, None)
    (row,) = run.epochs()
    assert row.loss == pytest.approx(float(expected.loss.mean()), rel=1e-5)
    assert row.types == pytest.approx(float(expected.types.mean()), rel=1e-5)
    assert row.edges == pytest.approx(float(expected.edges.mean()), rel=1e-5)
    assert row.kl == pytest.approx(float(expected.kl.mean()), rel=1e-5)


def test_learning_rate_warms_up_linearly_and_falls_along_a_cosine(monkeypatch: pytest.MonkeyPatch) -> None:
    run = trainer(replace(CONFIG, epochs=25, warmup_steps=10))
    monkeypatch.setattr(run, "_step", lambda batch, written, function: torch.zeros(5, dtype=torch.float64))
    rates = []
    for _ in run.steps():
        rates.append(run.optimiser.param_groups[0]["lr"])
    assert len(rates) == 100
    assert rates[:10] == pytest.approx([0.01 * (step + 1) / 10 for step in range(10)])
    assert rates[10:] == pytest.approx([0.005 * (1 + math.cos(math.pi * step / 90)) for step in range(90)])
    assert max(rates) == pytest.approx(0.01)


def test_the_kl_weight_rises_linearly() -> None:
    run = trainer(replace(CONFIG, kl_warmup_epochs=2.0), beta=1.0, posterior_noise=0.0)
    shares = []
    while run.step < 10:
        shares.append(run._kl_share())
        run.step += 1
    assert shares == pytest.approx([min(1.0, (step + 1) / 8) for step in range(10)])
    assert trainer(replace(CONFIG, kl_warmup_epochs=0.0))._kl_share() == 1.0


@pytest.mark.parametrize(("count", "share"), [(100, 0.1), (101, 0.25), (7, 0.0), (15_625, 0.1), (3, 0.9)])
def test_the_split_is_a_seeded_partition(count: int, share: float) -> None:
    split = split_cells(count, share, 1)
    assert sorted([*split.train.tolist(), *split.held_out.tolist()]) == list(range(count))
    assert len(split.held_out) == round(count * share)
    assert torch.equal(split.train, split_cells(count, share, 1).train)
    if 0 < len(split.held_out) < count and count > 10:
        assert not torch.equal(split.held_out, split_cells(count, share, 2).held_out)
        assert split.held_out.diff().max() > 1, "drawn at random, not cut off"


def test_every_cell_is_seen_once_per_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    run, seen = trainer(), []
    rows = CellBatch(CELLS.types, CELLS.adjacency, CELLS.sizes)
    monkeypatch.setattr(CellBatch, "select", lambda self, order: seen.append(order.tolist()) or rows)
    monkeypatch.setattr(run, "_step", lambda batch, written, function: torch.zeros(5, dtype=torch.float64))
    assert len(list(run.steps())) == 12
    orders = [sum(seen[4 * epoch : 4 * epoch + 4], []) for epoch in range(3)]
    assert all(sorted(order) == list(range(30)) for order in orders)
    assert orders[0] != orders[1]


@pytest.mark.parametrize("stop", [1, 4, 6, 11])
def test_a_restored_run_goes_on_as_if_never_stopped(stop: int, tmp_path: Path) -> None:
    whole = trainer()
    expected = rows_of(whole)
    first, history = trainer(), []
    for progress in first.steps():
        if progress.row is not None:
            history.append({"epoch": progress.row.epoch})
        if progress.step == stop:
            break
    save_state(tmp_path, first, history)
    second = trainer()
    with torch.no_grad():  # whatever was in the new object is replaced
        for parameter in second.model.parameters():
            parameter.add_(1.0)
    assert restore_state(tmp_path, second) == history
    assert second.step == stop
    assert second.cpu_seconds == first.cpu_seconds
    assert rows_of(second) == expected[stop // 4 :]
    assert same_weights(second.model, whole.model)


def test_a_run_can_be_left_and_called_again() -> None:
    whole, pieces = trainer(), trainer()
    rows_of(whole)
    while pieces.step < pieces.total_steps:
        next(pieces.steps())
    assert same_weights(whole.model, pieces.model)


def test_global_randomness_is_neither_read_nor_changed() -> None:
    torch.manual_seed(1)
    a = trainer()
    before = torch.random.get_rng_state()
    rows_of(a)
    assert torch.equal(before, torch.random.get_rng_state())
    torch.manual_seed(2)
    b = trainer()
    rows_of(b)
    assert same_weights(a.model, b.model)


def test_a_state_of_another_run_is_refused_by_name(tmp_path: Path) -> None:
    assert restore_state(tmp_path, trainer()) == []
    run = trainer()
    next(run.steps())
    save_state(tmp_path, run, [])
    others = {
        "training config": trainer(replace(CONFIG, seed=2)),
        "model config": trainer(latent=5),
        "training cells": trainer(cells=tiny_batch(count=29)),
        "space": Trainer(tiny_model(type(TINY)(4)), tiny_batch(type(TINY)(4)), CONFIG),
    }
    for field, other in others.items():
        with pytest.raises(
            CheckpointError, match=f"belongs to another run: {field} is .* there and .* here.*start afresh"
        ):
            restore_state(tmp_path, other)
        assert other.step == 0


def test_a_damaged_state_is_refused(tmp_path: Path) -> None:
    run = trainer()
    next(run.steps())
    save_state(tmp_path, run, [])
    path = tmp_path / FILE
    content = path.read_bytes()
    for damaged in (content[: len(content) // 2], b"", b"\xff" * 100):
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match="is damaged .* Delete it to start the training afresh"):
            restore_state(tmp_path, trainer())
    path.write_bytes(content)
    with safe_open(path, framework="pt") as file:
        header = file.metadata()
    tensors = load_file(path)
    save_file(tensors, path, metadata={**header, "format_version": "9"})
    with pytest.raises(CheckpointError, match="'format_version' is '9', this version reads 1"):
        restore_state(tmp_path, trainer())
    save_file({name: t for name, t in tensors.items() if "readout.gate_bias" not in name}, path, metadata=header)
    with pytest.raises(CheckpointError, match="lacks the weight 'encoder.readout.gate_bias'"):
        restore_state(tmp_path, trainer())


def test_a_loss_that_is_not_finite_stops_the_run() -> None:
    run = trainer()
    with torch.no_grad():
        run.model.get_parameter("encoder.readout.value").fill_(math.nan)
    with pytest.raises(SvgeError, match=r"not finite at step 0; lower learning_rate \(now 0.0025\)"):
        list(run.epochs())


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"epochs": 0}, "epochs must be at least 1; got 0"),
        ({"batch_size": 0}, "batch_size must be at least 1; got 0"),
        ({"cells_per_epoch": 0}, "cells_per_epoch must be at least 1; got 0"),
        ({"held_out": 1.0}, "0 <= held_out < 1; got 1.0"),
        ({"held_out": math.nan}, "held_out"),
        ({"mean_share": -0.1}, "0 <= mean_share < 1; got -0.1"),
        ({"prior_share": -1.0}, "prior_share"),
        ({"learning_rate": 0.0}, "learning_rate must be positive"),
        ({"learning_rate": math.inf}, "learning_rate"),
        ({"clip": -1.0}, "clip must be positive"),
        ({"warmup_steps": -1}, "warmup_steps"),
        ({"kl_warmup_epochs": math.nan}, "kl_warmup_epochs"),
        ({"seed": 2**63}, "seed must be below"),
    ],
    ids=str,
)
def test_settings_are_checked(wrong: dict[str, float], text: str) -> None:
    with pytest.raises(SvgeError, match=text):
        TrainConfig(**wrong)  # type: ignore[arg-type]


def test_saved_settings_are_checked() -> None:
    values = CONFIG.to_dict()
    assert TrainConfig.from_dict(values) == CONFIG
    with pytest.raises(CheckpointError, match=r"training config: \$: unknown field 'momentum'"):
        TrainConfig.from_dict({**values, "momentum": 1})
    with pytest.raises(CheckpointError, match=r"training config: \$\.epochs: expected int, got str \('many'\)"):
        TrainConfig.from_dict({**values, "epochs": "many"})


def test_nothing_to_train_on_is_an_error() -> None:
    with pytest.raises(SvgeError, match="no cell to train on"):
        trainer(cells=CELLS.select(slice(0, 0)))


EPOCHS = 6
SETTINGS = f"--hidden 8 --latent 4 --epochs {EPOCHS} --batch-size 64 --held-out 0.97 --warmup-steps 5 --device cpu"
COMMAND = ["train", "--json", "--threads", "1", "--save-every", "0", *SETTINGS.split()]


def test_a_killed_training_run_is_resumed_by_the_same_command(tmp_path: Path) -> None:
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    folder = killed / "nasbench201" / "svge"
    words = [sys.executable, "-m", "svge_core", *COMMAND, "--out", str(killed)]
    dying = [sys.executable, "-m", "tests.support.dying_training", *words[3:]]
    died = subprocess.run(dying, cwd=ROOT, capture_output=True, text=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    first = json.loads(died.stdout.splitlines()[0])
    assert (first["event"], first["epoch"]) == ("epoch", 1)
    assert (folder / FILE).exists()
    assert not (folder / "meta.json").exists(), "killed in the middle"
    again = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    events = [json.loads(line) for line in again.stdout.splitlines()]
    assert events[0]["event"] == "resumed"
    assert events[0]["step"] >= 1
    assert events[-1]["event"] == "done"
    assert not (folder / FILE).exists()
    assert main([*COMMAND, "--out", str(whole)]) == 0
    weights = [load_file(path / "nasbench201" / "svge" / "weights.safetensors") for path in (killed, whole)]
    # exact equality is tested above within one process; between processes the matrix library may round differently
    for name, tensor in weights[1].items():
        torch.testing.assert_close(weights[0][name], tensor, rtol=1e-3, atol=1e-4)
    metas = [json.loads((path / "nasbench201" / "svge" / "meta.json").read_text()) for path in (killed, whole)]
    for meta in metas:
        assert [row["epoch"] for row in meta["history"]] == list(range(1, EPOCHS + 1))
    assert metas[0]["history"][-1]["loss"] == pytest.approx(metas[1]["history"][-1]["loss"], rel=1e-5)
    assert not [path for path in folder.iterdir() if path.suffix == ".part"]


@pytest.mark.parametrize("name", ["enas6", "randwire"])  # cells drawn by their index, and one by one
def test_a_run_over_drawn_cells_stopped_at_any_step_goes_on_as_if_never_stopped(name: str, tmp_path: Path) -> None:
    space, config = get_space(name), TrainConfig(epochs=3, cells_per_epoch=40, batch_size=16, seed=4)
    whole = Trainer(tiny_model(space), DrawnCells(space, config), config)
    rows = list(whole.epochs())
    part = Trainer(tiny_model(space), DrawnCells(space, config), config)
    for progress in part.steps():
        if progress.step == 4:  # in the middle of the second epoch
            break
    save_state(tmp_path, part, [])
    resumed = Trainer(tiny_model(space, 9), DrawnCells(space, config), config)
    restore_state(tmp_path, resumed)
    later = list(resumed.epochs())
    assert [row.loss for row in later] == [row.loss for row in rows[1:]]
    assert same_weights(whole.model, resumed.model)


def test_learning_from_the_prior_makes_raw_decodings_members() -> None:
    space = get_space("nasbench101")
    cells = to_batch(space, [space.from_index(index) for index in range(0, space.size or 0, 4_001)])

    def valid_share(config: TrainConfig) -> float:
        run = Trainer(tiny_model(space, 5, edge_sampling="sequential"), cells, config)
        for _ in run.epochs():
            pass
        found = generation(run.model.eval(), cells, DecodeOptions("forward"), latents=300, decodings=1)
        return found.valid.value

    plain = TrainConfig(epochs=25, batch_size=32, learning_rate=2e-2, warmup_steps=10, kl_warmup_epochs=1.0)
    assert valid_share(replace(plain, prior_share=1.0, prior_from=0.2)) > valid_share(plain) + 0.05


def test_a_share_of_the_cells_is_decoded_from_the_mean() -> None:
    model, batch = tiny_model(TINY, 1), tiny_batch(count=8)
    drawn: list[torch.Tensor] = []
    original = model.elbo_from

    def spied(cells: CellBatch, posterior: Posterior, z: torch.Tensor, function: None) -> Elbo:
        drawn.append((z - posterior.mean).abs().sum(1).detach())
        return original(cells, posterior, z, function)

    model.elbo_from = spied  # type: ignore[method-assign]
    next(Trainer(model, batch, replace(CONFIG, mean_share=0.25)).steps())
    assert (drawn[0] == 0).tolist() == [True, True] + [False] * 6


def test_training_starts_from_the_weights_of_another_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SPACES, TINY.name, TINY)
    first, config = tiny_model(TINY, 1), TrainConfig(epochs=2, seed=3)
    found = write_checkpoint(tmp_path, first, config)
    for settings in ({}, {"beta": 0.7}):  # the objective may change
        model = tiny_model(TINY, 9, **settings)
        notes = start_from(tmp_path, model, replace(config, epochs=7))
        assert same_weights(model, first)
        assert notes["initial_weights"] == found.digest
        assert notes["initial_epochs"] == notes["initial_longest"] == 2
    part = trainer()
    part.initial = "0123456789abcdef"
    next(part.steps())
    save_state(tmp_path, part, [])
    with pytest.raises(CheckpointError, match="initial weights is '0123456789abcdef' there and '' here"):
        restore_state(tmp_path, trainer())
    with pytest.raises(SvgeError, match="trained with seed 3, not 4"):
        start_from(tmp_path, tiny_model(TINY, 9), replace(config, seed=4))
    with pytest.raises(SvgeError, match="another model: hidden differ"):
        start_from(tmp_path, tiny_model(TINY, 9, hidden=6), config)


def test_a_folder_is_trained_by_one_process_at_a_time(tmp_path: Path) -> None:
    """The later of two would replace the earlier one's weights; a killed process holds nothing."""
    folder = tmp_path / "small"
    folder.mkdir()
    code = (
        "import pathlib, sys, time\nfrom svge_core.files import exclusive\n"
        "with exclusive(pathlib.Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(600)\n"
    )
    words = [sys.executable, "-c", code, str(folder / LOCK_FILE)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=ROOT) as other:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        with pytest.raises(SvgeError, match="is being trained by another process"):
            train(TINY, folder, SMALL, replace(CONFIG, epochs=1))
        assert [path.name for path in folder.iterdir()] == [LOCK_FILE]
        other.kill()
    train(TINY, folder, SMALL, replace(CONFIG, epochs=1))
    assert (folder / "meta.json").is_file() and not (folder / LOCK_FILE).exists()


def test_what_cannot_be_trained_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(SvgeError):
        train(TINY, tmp_path / "new", SMALL, replace(CONFIG, epochs=1), initial=tmp_path / "nothing")
    assert not (tmp_path / "new").exists()


def test_translation_writes_the_first_cell_that_computes_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    space = get_space("nasbench201")
    texts = (
        "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|",
        "|none~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|",
        "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|",
        "|none~0|+|none~0|nor_conv_3x3~1|+|nor_conv_1x1~0|none~1|none~2|",
    )
    cells = [space.parse(text) for text in texts]
    assert [space.key(cell) == space.key(cells[0]) for cell in cells] == [True, False, True, False]
    written: list[list[str]] = []

    def spied(self: GraphVAE, batch: CellBatch, *others: object) -> Elbo:
        written.append([space.format(cell) for cell in to_cells(space, batch)])
        return original(self, batch, *others)  # pyright: ignore[reportArgumentType]

    original = GraphVAE.elbo_from
    monkeypatch.setattr(GraphVAE, "elbo_from", spied)
    for translate, expected in ((True, [texts[0], texts[1], texts[0], texts[1]]), (False, list(texts))):
        written.clear()
        run = Trainer(tiny_model(space, 1), to_batch(space, cells), replace(CONFIG, epochs=1, translate=translate))
        next(run.steps())
        assert sorted(written[0]) == sorted(expected)
