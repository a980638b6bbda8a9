"""Training runs started from the page: one child process each, in its own process group, with its record on disk.

A record outlives the page, the browser and the server, so every session sees the same runs. The command line does the
work and saves its state, so a run that was stopped, by Cancel or by a power cut, goes on where it was.
"""

import contextlib
import json
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import msgspec

from svge_core.checkpoints import META
from svge_core.errors import SvgeError
from svge_core.jobs.process import ProcessId, born_near
from svge_core.jobs.recorded import PRINTED, RECORD, RecordedJobs
from svge_core.models import ModelConfig
from svge_core.spaces import get_space
from svge_core.training import FILE as STATE_FILE, LOCK_FILE, TrainConfig

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")

State = Literal["running", "done", "cancelled", "failed"]


@dataclass(frozen=True)
class TrainingRequest:
    """What the form asks for.

    Attributes:
        space, name: of the checkpoint.
        model, training: its settings.
        device: that it is trained on: auto, cpu, cuda or mps.

    Raises:
        SvgeError: if the name or a value cannot be used; the text says which.
    """

    space: str
    name: str
    model: ModelConfig
    training: TrainConfig
    device: str = "auto"

    def __post_init__(self) -> None:
        get_space(self.space)
        if not NAME.fullmatch(self.name):
            raise SvgeError(
                "A name is made of small letters, digits, - and _, begins with a letter or digit and has at most 40 "
                f"characters; got {self.name[:60]!r}."
            )
        if self.model.beta < 0:
            raise SvgeError(f"The KL weight must be 0 or more; got {self.model.beta:g}.")

    def command(self, root: Path) -> list[str]:
        """The command line that trains it; every setting is written out, so that the record says it all."""
        words = [sys.executable, "-m", "svge_core", "train", "--json"]
        words += ["--space", self.space, "--name", self.name, "--out", str(root)]
        words += [] if self.device == "auto" else ["--device", self.device]
        for config in (self.model, self.training):
            for name, value in config.to_dict().items():
                option = name.replace("_", "-")
                words += (
                    [f"--{'' if value else 'no-'}{option}"] if isinstance(value, bool) else [f"--{option}", str(value)]
                )
        return words


@dataclass(frozen=True)
class TrainingJob:
    """The record of one run.

    Attributes:
        name, space: of the checkpoint it writes.
        command: as started.
        epochs: asked for.
        pid, born: the process, see :class:`svge_core.jobs.process.ProcessId`.
        cancelled: it was stopped from the page.
    """

    name: str
    space: str
    command: tuple[str, ...]
    epochs: int
    pid: int
    born: str
    cancelled: bool = False

    @property
    def process(self) -> ProcessId:
        """Its process."""
        return ProcessId(self.pid, self.born)


class _StoredJob(msgspec.Struct):
    """A job as JSON holds it; ``born`` was seconds since 1970 once."""

    name: str
    space: str
    command: tuple[str, ...]
    epochs: int
    pid: int
    born: str | float
    cancelled: bool = False

    def job(self) -> TrainingJob:
        """The record with its process as it is known today."""
        born = self.born if isinstance(self.born, str) else born_near(self.pid, self.born)
        return TrainingJob(self.name, self.space, self.command, self.epochs, self.pid, born, self.cancelled)


@dataclass(frozen=True)
class TrainingProgress:
    """Where a run stands.

    Attributes:
        state: done means that the checkpoint was written.
        rows: history rows so far, one per epoch.
        epochs: asked for.
        message: the last lines it wrote about an error, else empty.
    """

    state: State
    rows: tuple[dict[str, Any], ...]
    epochs: int
    message: str = ""

    @property
    def share(self) -> float:
        """Finished part, 0 to 1."""
        return min(1.0, self.rows[-1]["epoch"] / self.epochs) if self.rows else 0.0

    @property
    def cpu_seconds(self) -> float | None:
        """CPU seconds spent so far; None before the first epoch. What is left, a busy machine decides."""
        return (self.rows[-1].get("cpu_seconds") or None) if self.rows else None


class TrainingJobs(RecordedJobs[TrainingJob]):
    """All runs recorded in one folder.

    Args:
        records: folder of the records and logs.
        root: checkpoints are written to ``root/<space>/<name>``.
        environment: variables for the child processes, beside those of this process.
        cwd: folder the children are started in; None for that of this process.
    """

    def __init__(
        self, records: Path, root: Path, environment: dict[str, str] | None = None, cwd: Path | None = None
    ) -> None:
        super().__init__(records, environment, cwd)
        self.root = root

    def folder(self, job: TrainingJob) -> Path:
        """Where the checkpoint goes."""
        return self.root / job.space / job.name

    def start(self, request: TrainingRequest) -> TrainingJob:
        """Start a run.

        Raises:
            SvgeError: if another one is going on, or the name is taken by a checkpoint or an unfinished run.
        """
        folder = self.root / request.space / request.name
        if (folder / META).exists():
            raise SvgeError(f"There is a checkpoint {request.name!r} already. Choose another name.")
        job = TrainingJob(
            request.name, request.space, tuple(request.command(self.root)), request.training.epochs, 0, ""
        )
        if (folder / STATE_FILE).exists() or self._path(job, RECORD).exists():
            raise SvgeError(
                f"There is an unfinished run {request.name!r} already. Resume it, discard it, or choose another name."
            )
        return self._launch(job)[0]

    def resume(self, job: TrainingJob) -> TrainingJob:
        """Go on with a stopped run: the same command again."""
        return self._launch(replace(job, cancelled=False))[0]

    def forget(self, job: TrainingJob) -> None:
        """Remove the record and the logs of a run that is over, and what it saved if it did not finish."""
        if not (folder := self.folder(job)).joinpath(META).exists():
            for file in (STATE_FILE, LOCK_FILE):
                (folder / file).unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                folder.rmdir()  # only where nothing else is in it
        self._forget_files(job)

    def progress(self, job: TrainingJob) -> TrainingProgress:
        """Read where a run stands from what it printed."""
        alive = self.supervisor.alive(job.process)  # before the log, so that an ended run's last line is not missed
        rows: dict[int, dict[str, Any]] = {}
        done = False
        for event in events_of(self._path(job, PRINTED)):
            if event.get("event") == "epoch" and isinstance(event.get("epoch"), int):
                rows[event["epoch"]] = event  # a resumed run may print an epoch again
            done = done or event.get("event") == "done"
        ordered = tuple(rows[epoch] for epoch in sorted(rows))
        if alive:
            return TrainingProgress("running", ordered, job.epochs)
        if done:
            return TrainingProgress("done", ordered, job.epochs)
        if job.cancelled:
            return TrainingProgress("cancelled", ordered, job.epochs)
        return TrainingProgress("failed", ordered, job.epochs, self._last_words(job))

    def _read(self, record: bytes) -> TrainingJob:
        return msgspec.json.decode(record, type=_StoredJob).job()

    def _stem(self, job: TrainingJob) -> str:
        return f"{job.space}.{job.name}"

    def _busy(self, other: TrainingJob) -> str:
        return f"{other.name!r} is being trained. Wait for it or cancel it first."


def events_of(path: Path) -> list[dict[str, Any]]:
    """The JSON objects of a log, line by line; half-written and other lines are left out."""
    try:
        lines = path.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        with contextlib.suppress(json.JSONDecodeError):
            if isinstance(value := json.loads(line), dict):
                found.append(value)
    return found
