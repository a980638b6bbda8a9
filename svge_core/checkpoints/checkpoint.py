"""Checkpoints on disk: ``weights.safetensors`` + ``meta.json``.

No pickle; files are written whole or not at all; every mismatch is named.
"""

import contextlib
import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from svge_core.checkpoints.metric_row import MetricRow, by_key, rows_of_format_1
from svge_core.errors import CheckpointError
from svge_core.files import (
    Count,
    Scalar,
    check_version,
    read_record,
    read_tensors,
    to_plain,
    write_atomically,
    write_record,
)
from svge_core.models import GraphVAE, ModelConfig, build_model, with_added_fields
from svge_core.spaces import get_space
from svge_core.tensors import CellBatch

FORMAT_VERSION = 2
WEIGHTS, META = "weights.safetensors", "meta.json"
#: beside the checkpoints of a space; holds the name of one of them
DEFAULT = "DEFAULT"


@dataclass(frozen=True)
class CheckpointMeta:
    """What ``meta.json`` holds besides the model's config.

    Attributes:
        space: name of the search space.
        config: the model's config.
        training: the training config, as plain values.
        data_digest: digest of the training cells (see :func:`data_digest`).
        data_count: number of training cells.
        held_out_count: number of cells never trained on; 0 where the cells of the space cannot be counted.
        command: the command that made the checkpoint.
        metrics: measured numbers, each with denominators, data set and split in its fields.
        history: one row per epoch.
        environment: versions and device of the training run, and of the run that it started from.
        model: name of the model; files from before there were others do not say it.
    """

    space: str
    config: ModelConfig
    training: dict[str, Scalar]
    data_digest: str
    data_count: Count
    held_out_count: Count
    command: str
    metrics: tuple[MetricRow, ...] = ()
    history: list[dict[str, int | float]] = field(default_factory=list)
    environment: dict[str, Scalar] = field(default_factory=dict)
    model: str = "svge"

    @property
    def commands(self) -> list[str]:
        """The trainings one after the other, each from the weights of the one before; one not recorded is empty."""
        text = str(self.environment.get("initial_commands") or "")
        try:
            before = json.loads(text or "[]")
        except ValueError:
            before = None
        if not isinstance(before, list):
            before = [text]
        if "initial_command" in self.environment:  # of a file from before there were chains
            before = [self.environment["initial_command"] or ""]
        return [*map(str, before), self.command]

    @property
    def own_epochs(self) -> int:
        """Epochs of this run alone."""
        return int(_number(self.training.get("epochs"), len(self.history)))

    @property
    def initial_epochs(self) -> int:
        """Epochs of the runs before, whose weights this one started from; 0 where there was none."""
        return int(_number(self.environment.get("initial_epochs"), 0))

    @property
    def total_epochs(self) -> int:
        """Epochs of this run and of those before."""
        return self.own_epochs + self.initial_epochs

    @property
    def longest_run(self) -> int:
        """Epochs of the longest of these runs: each counts from 0, and draws the same cells in an epoch."""
        return max(self.own_epochs, int(_number(self.environment.get("initial_longest"), self.initial_epochs)))

    @property
    def total_cpu_seconds(self) -> float:
        """CPU seconds of all of them; NaN where they were not recorded."""
        own = self.history[-1].get("cpu_seconds", math.nan) if self.history else math.nan
        before = self.environment.get("initial_cpu_seconds", 0.0)
        return own + _number(before, math.nan)


def _number(value: Scalar, otherwise: int | float) -> int | float:
    return value if isinstance(value, int | float) else otherwise


@dataclass(frozen=True)
class Checkpoint:
    """A loaded model with its meta data.

    Attributes:
        model: in evaluation mode.
        meta: see :class:`CheckpointMeta`.
        digest: short digest of the weights, the identity of everything computed with them.
        folder: where it was read from.
    """

    model: GraphVAE
    meta: CheckpointMeta
    digest: str
    folder: Path


def data_digest(cells: CellBatch) -> str:
    """Digest of the cells in their order: 16 hex digits of SHA-256 over sizes, types and adjacency."""
    sha = hashlib.sha256()
    for tensor in (cells.sizes, cells.types, cells.adjacency.to(torch.uint8)):
        sha.update(tensor.cpu().contiguous().numpy().tobytes())
    return sha.hexdigest()[:16]


def save_checkpoint(folder: Path, model: GraphVAE, meta: CheckpointMeta) -> None:
    """Write weights, then meta data; an interrupted save leaves the old checkpoint or a folder that does not load."""
    weights = save({name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()})
    write_atomically(folder / WEIGHTS, weights)
    write_meta(folder, meta, hashlib.sha256(weights).hexdigest())


def write_meta(folder: Path, meta: CheckpointMeta, weights_sha256: str) -> None:
    """Write ``meta.json``."""
    values = {"format_version": FORMAT_VERSION, **to_plain(meta), "weights_sha256": weights_sha256}
    write_record(folder / META, values, indent=1)


def update_metrics(checkpoint: Checkpoint, metrics: Iterable[MetricRow]) -> CheckpointMeta:
    """Merge rows into a checkpoint's ``meta.json``, each in place of the one of its key; returns the new meta data."""
    rows = {**by_key(checkpoint.meta.metrics), **by_key(metrics)}
    meta = replace(checkpoint.meta, metrics=tuple(rows.values()))
    write_meta(checkpoint.folder, meta, hashlib.sha256((checkpoint.folder / WEIGHTS).read_bytes()).hexdigest())
    return meta


@dataclass(frozen=True)
class _Stored(CheckpointMeta):
    """The file: the meta data, and the digest of the weights they belong to."""

    weights_sha256: str = ""


def _upgrade(plain: object) -> dict[str, Any]:
    """Content of any format as one of today's."""
    values = dict(check_version(plain, "format_version", (1, FORMAT_VERSION)))
    if isinstance(config := values.get("config"), dict):
        values["config"] = with_added_fields(config)
    if values.pop("format_version") == 1:
        values.setdefault("model", CheckpointMeta.model)
        if "metrics" in values:
            values["metrics"] = rows_of_format_1(values["metrics"])
    return values


def load_meta(folder: Path) -> tuple[CheckpointMeta, str]:
    """Read and check ``meta.json``; also returns the digest its weights must have.

    Raises:
        CheckpointError: missing, damaged or of another version; the message names the field.
    """
    path = folder / META
    if not path.is_file():
        raise CheckpointError(f"No checkpoint in {folder}: expected a file {META} there. Make one with 'train'.")
    advice = "Restore the folder or train again."
    stored = read_record(path, _Stored, advice, upgrade=_upgrade, complete=(_Stored, ModelConfig))
    meta = CheckpointMeta(**{field.name: getattr(stored, field.name) for field in fields(CheckpointMeta)})
    return meta, stored.weights_sha256


def load_checkpoint(folder: Path, *, space: str | None = None, device: str | torch.device = "cpu") -> Checkpoint:
    """Read a checkpoint folder.

    Args:
        folder: the checkpoint.
        space: name of the search space it must belong to.
        device: where the model's weights are put.

    Raises:
        CheckpointError: missing, damaged, of another version or space; the message names the field.
    """
    meta, sha = load_meta(folder)
    if space is not None and meta.space != space:
        raise CheckpointError(
            f"{folder}: field 'space' is {meta.space!r}, expected {space!r}. Choose another checkpoint."
        )
    path = folder / WEIGHTS
    if not path.is_file():
        raise CheckpointError(f"{folder} has {META} but no {WEIGHTS}. Restore the file or train again.")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != sha:
        raise CheckpointError(
            f"{path} is damaged: its SHA-256 starts with {digest[:12]}, {META} expects {sha[:12]}. Restore the file."
        )
    _, weights = read_tensors(path, "Restore the file.")
    _check_sizes(meta.config.to_dict(), weights, str(path))
    with contextlib.suppress(NotImplementedError, RuntimeError), torch.device("meta"):  # shapes alone, without memory
        check_weights(build_model(meta.model, get_space(meta.space), meta.config), weights, str(path))
    model = build_model(meta.model, get_space(meta.space), meta.config)
    load_weights(model, weights, str(path))
    return Checkpoint(model.to(device).eval(), meta, digest[:16], folder)


def _check_sizes(config: Mapping[str, Any], weights: Mapping[str, Tensor], source: str) -> None:
    """No width or number of layers is larger than what the weights have; checked before anything is built."""
    most = max((64, len(weights), *(size for tensor in weights.values() for size in tensor.shape)))
    apart = {**config, "latent": config["latent"] - config["function"]}  # the two parts may have weights of their own
    for name, value in apart.items():
        if isinstance(value, int) and value > most:
            raise CheckpointError(
                f"{source} has no weights for config field {name!r} = {value}: its largest size is {most:,}."
            )


def load_weights(model: torch.nn.Module, weights: Mapping[str, Tensor], source: str) -> None:
    """Put weights into a model; the first difference in name or shape is named."""
    check_weights(model, weights, source)
    model.load_state_dict(dict(weights))


def check_weights(model: torch.nn.Module, weights: Mapping[str, Tensor], source: str) -> None:
    """Whether weights are those of a model.

    Raises:
        CheckpointError: naming the first difference in name or shape.
    """
    own = model.state_dict()
    if missing := sorted(set(own) - set(weights)):
        raise CheckpointError(f"{source} lacks the weight {missing[0]!r} ({len(missing)} missing in all).")
    if unknown := sorted(set(weights) - set(own)):
        raise CheckpointError(f"{source} has the unknown weight {unknown[0]!r} ({len(unknown)} in all).")
    for name, tensor in own.items():
        if tensor.shape != weights[name].shape:
            raise CheckpointError(
                f"{source}: weight {name!r} has shape {tuple(weights[name].shape)}, "
                f"the config asks for {tuple(tensor.shape)}."
            )


def find_checkpoints(root: Path) -> list[Path]:
    """Folders below ``root/<space>/<name>`` that hold a meta file, sorted."""
    return sorted(path.parent for path in root.glob(f"*/*/{META}"))


def usual_checkpoint(folder: Path) -> Path:
    """Of the checkpoints in the folder of a space, the one that is meant where none is named.

    It is the one that the file ``DEFAULT`` names, if it is there, else ``svge``, which need not be there.
    """
    with contextlib.suppress(OSError, UnicodeDecodeError):
        named = (folder / DEFAULT).read_text("utf-8").strip()
        if named == Path(named).name and (folder / named / META).is_file():
            return folder / named
    return folder / "svge"
