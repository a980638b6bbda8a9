"""Checkpoints on disk: round trip, and every way of being damaged named in one line."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from msgspec import structs
from safetensors.torch import load_file, save_file

from svge_core.checkpoints import checkpoint as checkpoints
from svge_core.checkpoints.checkpoint import (
    META,
    WEIGHTS,
    Checkpoint,
    data_digest,
    find_checkpoints,
    load_checkpoint,
    load_meta,
    save_checkpoint,
    update_metrics,
)
from svge_core.checkpoints.metric_row import MetricRow
from svge_core.errors import CheckpointError, SvgeError
from svge_core.files.atomic import write_atomically
from svge_core.models.vae import GraphVAE
from svge_core.spaces.registry import get_space
from tests.support.core import tiny_batch, tiny_model, write_checkpoint

NB201 = get_space("nasbench201")


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return write_checkpoint(tmp_path_factory.mktemp("stored"), tiny_model(NB201, encoding="learned"))


@pytest.fixture
def folder(stored: Checkpoint, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    for name in (WEIGHTS, META):
        (tmp_path / name).write_bytes((stored.folder / name).read_bytes())
    return tmp_path


def edit_meta(folder: Path, **changes: Any) -> None:
    values = json.loads((folder / META).read_text())
    for name, value in changes.items():
        if value is ...:
            del values[name]
        else:
            values[name] = value
    (folder / META).write_text(json.dumps(values))


def edit_weights(folder: Path, change: Any) -> None:
    """Change the tensors and store the digest that belongs to them."""
    weights = load_file(folder / WEIGHTS)
    change(weights)
    save_file(weights, folder / WEIGHTS)
    meta, _ = load_meta(folder)
    digest = checkpoints.hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    checkpoints.write_meta(folder, meta, digest)


def message(folder: Path, **options: Any) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(folder, **options)
    assert "\n" not in str(caught.value), "one line"
    return str(caught.value)


def test_a_checkpoint_comes_back_as_it_was(stored: Checkpoint, folder: Path) -> None:
    model, batch = tiny_model(NB201, encoding="learned"), tiny_batch(NB201)
    again = load_checkpoint(folder, space="nasbench201")
    assert again.meta == stored.meta
    assert again.digest == stored.digest
    assert len(again.digest) == 16
    assert not again.model.training
    assert again.model.config == model.config
    assert torch.equal(again.model.encode(batch).mean, model.encode(batch).mean)
    assert (again.meta.data_count, again.meta.held_out_count) == (14_063, 1_562)


def test_the_digest_is_that_of_the_weights(stored: Checkpoint, tmp_path: Path) -> None:
    same = write_checkpoint(tmp_path / "same", tiny_model(NB201, encoding="learned"))
    other = write_checkpoint(tmp_path / "other", tiny_model(NB201, 5, encoding="learned"))
    assert same.digest == stored.digest != other.digest


def test_metrics_are_merged_and_the_weights_stay(folder: Path) -> None:
    checkpoint = load_checkpoint(folder)
    before = (folder / WEIGHTS).read_bytes()
    first, second = MetricRow(what="valid", value=1.0, latents=5, decodings=1), MetricRow(what="elbo", value=None)
    update_metrics(checkpoint, [first, second])
    better = structs.replace(first, value=0.5, count=1, of=2)
    meta = update_metrics(load_checkpoint(folder), [better])
    assert load_checkpoint(folder).meta == meta
    assert meta == replace(checkpoint.meta, metrics=(better, second))
    assert (folder / WEIGHTS).read_bytes() == before


def test_what_is_missing_is_named(folder: Path) -> None:
    assert "has meta.json but no weights.safetensors" in message_without(folder, WEIGHTS)
    assert "No checkpoint in" in message_without(folder, META)
    assert "Make one with 'train'" in message(folder / "nowhere")


def message_without(folder: Path, name: str) -> str:
    (folder / name).unlink()
    return message(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"format_version": 1,}'])
def test_damaged_json_is_named(content: bytes, folder: Path) -> None:
    (folder / META).write_bytes(content)
    assert "meta.json is damaged: it is not JSON" in message(folder)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"format_version": 3}, "$.format_version: expected 1 or 2, which this version reads, got 3"),
        ({"format_version": ...}, "$.format_version: expected 1 or 2, which this version reads, got None"),
        ({"space": ...}, "$: object missing required field space"),
        ({"weights_sha256": ...}, "$: object missing required field weights_sha256"),
        ({"environment": ...}, "$: object missing required field environment"),
        ({"extra": 1}, "$: unknown field 'extra'"),
        ({"space": "atlantis"}, "Unknown search space 'atlantis'"),
        ({"space": 3}, "$.space: expected str, got int (3)"),
        ({"config": "big"}, "$.config: expected object, got str ('big')"),
        ({"config": {}}, "$.config: object missing required field hidden"),
        ({"metrics": {}}, "$.metrics: expected array, got object"),
        ({"metrics": [{"what": "valid", "value": "all"}]}, "$.metrics[0].value: expected float | null, got str"),
        ({"history": None}, "$.history: expected array, got null"),
        ({"history": [{"loss": 1.0}, {"loss": "low"}]}, "$.history[1]['loss']: expected int | float, got str ('low')"),
        ({"data_count": -1}, "$.data_count: expected int >= 0"),
    ],
    ids=str,
)
def test_a_wrong_field_is_named(changes: dict[str, Any], text: str, folder: Path) -> None:
    edit_meta(folder, **changes)
    with pytest.raises(SvgeError) as caught:
        load_checkpoint(folder)
    assert text in str(caught.value)


@pytest.mark.parametrize("content", ["[]", "3", '"text"', "null"])
def test_json_that_is_no_object_is_named(content: str, folder: Path) -> None:
    (folder / META).write_text(content)
    assert "expected an object with the field 'format_version'" in message(folder)


def test_unknown_config_keys_fail_by_name(folder: Path) -> None:
    values = json.loads((folder / META).read_text())
    edit_meta(folder, config={**values["config"], "depth": 2})
    assert "$.config: unknown field 'depth'; expected hidden, latent" in message(folder)


def test_another_space_is_named(folder: Path) -> None:
    assert "field 'space' is 'nasbench201', expected 'nasbench101'" in message(folder, space="nasbench101")


def test_one_flipped_byte_is_noticed(folder: Path) -> None:
    content = bytearray((folder / WEIGHTS).read_bytes())
    for position in (10, len(content) // 2, len(content) - 1):
        damaged = bytearray(content)
        damaged[position] ^= 1
        (folder / WEIGHTS).write_bytes(damaged)
        text = message(folder)
        assert "is damaged: its SHA-256 starts with" in text
        assert "Restore the file" in text
    (folder / WEIGHTS).write_bytes(content[:-100])
    assert "is damaged" in message(folder)


def test_weights_that_are_no_safetensors_are_named(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes(b"pickle" * 50)
    meta, _ = load_meta(folder)
    checkpoints.write_meta(folder, meta, checkpoints.hashlib.sha256(b"pickle" * 50).hexdigest())
    assert "is damaged (not safetensors" in message(folder)


def test_weights_that_do_not_fit_the_config_are_named(folder: Path) -> None:
    original = {name: (folder / name).read_bytes() for name in (WEIGHTS, META)}
    name = "encoder.readout.gate"
    for change, text in (
        (lambda w: w.pop(name), f"lacks the weight '{name}' (1 missing in all)"),
        (lambda w: w.update(other=torch.zeros(2)), "has the unknown weight 'other' (1 in all)"),
        (
            lambda w: w.update({name: torch.zeros(2, 4, 3)}),
            f"weight '{name}' has shape (2, 4, 3), the config asks for (2, 4, 2)",
        ),
    ):
        for file, content in original.items():
            (folder / file).write_bytes(content)
        edit_weights(folder, change)
        assert text in message(folder)


@pytest.mark.parametrize("field", ["hidden", "latent", "rounds", "operation_dim"])
@pytest.mark.parametrize("size", [10**4, 10**9, 2**62])
def test_sizes_that_the_weights_do_not_have_are_named_before_anything_is_built(
    field: str, size: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def built(*_: object) -> None:
        pytest.fail("a model was built")

    monkeypatch.setattr(checkpoints, "build_model", built)
    edit_meta(folder, config={**json.loads((folder / META).read_text())["config"], field: size})
    assert f"no weights for config field '{field}' = {size}" in message(folder)


def test_sizes_that_do_not_fit_take_no_memory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wider than the weights, though not by much: noticed on shapes alone."""
    devices: list[str] = []
    build = checkpoints.build_model

    def built(*arguments: Any) -> GraphVAE:
        model = build(*arguments)
        devices.append(next(model.parameters()).device.type)
        return model

    monkeypatch.setattr(checkpoints, "build_model", built)
    edit_meta(folder, config={**json.loads((folder / META).read_text())["config"], "hidden": 64})
    assert "the config asks for" in message(folder)
    assert devices == ["meta"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_an_interrupted_write_leaves_the_old_file(
    step: str, folder: Path, stored: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(*((os, "fsync") if step == "fsync" else (Path, "replace")), killed)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(folder, tiny_model(NB201, 9, encoding="learned"), stored.meta)
    monkeypatch.undo()
    assert load_checkpoint(folder).digest == stored.digest
    assert sorted(path.name for path in folder.iterdir()) == [META, WEIGHTS], "nothing is left behind"


def test_a_save_stopped_between_the_two_files_does_not_load_as_something_else(
    folder: Path, stored: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints, "write_meta", killed)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(folder, tiny_model(NB201, 9, encoding="learned"), stored.meta)
    assert "is damaged: its SHA-256" in message(folder)


def test_atomic_writing_replaces_and_is_readable_by_others(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.bin"
    write_atomically(path, b"one")
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o644
    assert [child.name for child in path.parent.iterdir()] == ["file.bin"]


def test_the_data_digest_depends_on_cells_and_order() -> None:
    batch = tiny_batch(NB201, 6)
    digest = data_digest(batch)
    assert digest == data_digest(tiny_batch(NB201, 6))
    assert len({digest, data_digest(batch.reversed()), data_digest(batch.select(torch.arange(5, -1, -1)))}) == 3


def test_checkpoints_are_found_below_a_root(tmp_path: Path) -> None:
    for name in ("space/b", "space/a", "other/c", "space/empty"):
        (tmp_path / name).mkdir(parents=True)
        if name != "space/empty":
            (tmp_path / name / META).write_text("{}")
    assert [str(path.relative_to(tmp_path)) for path in find_checkpoints(tmp_path)] == ["other/c", "space/a", "space/b"]
    assert find_checkpoints(tmp_path / "nowhere") == []
