"""Trainings of single cells started from the page: one child process each, with its record and its result on disk.

A record outlives the page, the browser and the server. The command line does the work and saves its state, so a
training that was stopped, by Cancel or by a power cut, goes on where it was. The same cell, images and recipe have the
same name, so what was trained once is there.
"""

import contextlib
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from svge_core.data import Scores, scores_from_columns
from svge_core.errors import CheckpointError, SvgeError
from svge_core.jobs.process import ProcessId
from svge_core.jobs.recorded import PRINTED, RecordedJobs
from svge_core.jobs.training import events_of
from svge_core.network_training import RESULT, STATE, TrainedNetwork, TrainRecipe, read_result
from svge_core.spaces import AbstractSearchSpace, get_space

#: held by the training whose turn it is, so that one works at a time
QUEUE = "queue.lock"
CellState = Literal["running", "done", "cancelled", "failed"]


@dataclass(frozen=True)
class CellTrainingRequest:
    """What the form asks for.

    Attributes:
        space: name of the search space.
        cell: in the space's notation, canonical.
        data: words that name the images, see :func:`svge_core.network_training.open_images`.
        recipe: how to train.
    """

    space: str
    cell: str
    data: str
    recipe: TrainRecipe

    @property
    def name(self) -> str:
        """16 hex digits, the same for the same request."""
        return sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]

    def command(self, folder: Path) -> list[str]:
        """The command line that trains it; every setting is written out, so that the record says it all."""
        words = [sys.executable, "-m", "svge_core", "train-cell", "--json", "--space", self.space]
        words += [f"--cell={self.cell}", f"--data={self.data}", "--out", str(folder)]
        for name, value in self.recipe.to_dict().items():
            option = name.replace("_", "-")
            if isinstance(value, bool):
                words.append(f"--{'' if value else 'no-'}{option}")
            elif not (name == "cells_per_stage" and "cells_per_stage" not in self._options()):
                words.append(f"--{option}={value}")
        return words

    def _options(self) -> tuple[str, ...]:
        from svge_core.networks import network_options

        return network_options(self.space)


@dataclass(frozen=True)
class CellTrainingJob:
    """The record of one training.

    Attributes:
        name: of the request.
        space, cell, data: of the request.
        recipe: as plain values.
        command: as started.
        pid, born: the process, see :class:`svge_core.jobs.process.ProcessId`.
        cancelled: it was stopped from the page.
    """

    name: str
    space: str
    cell: str
    data: str
    recipe: dict[str, Any]
    command: tuple[str, ...]
    pid: int
    born: str
    cancelled: bool = False

    @property
    def process(self) -> ProcessId:
        """Its process."""
        return ProcessId(self.pid, self.born)


@dataclass(frozen=True)
class CellTrainingProgress:
    """Where a training stands.

    Attributes:
        state: done means that the result was written.
        rows: curve so far, one event per epoch of all seeds.
        step, steps: of all seeds together; 0 before the first word.
        seconds_left: at the pace so far; None before there is one.
        message: the last lines it wrote about an error, else empty.
        result: of a training that is done.
        waiting: for another training.
    """

    state: CellState
    rows: tuple[dict[str, Any], ...]
    step: int
    steps: int
    seconds_left: float | None
    message: str = ""
    result: TrainedNetwork | None = None
    waiting: bool = False

    @property
    def share(self) -> float:
        """Finished part, 0 to 1."""
        return min(1.0, self.step / self.steps) if self.steps else 0.0


class CellTrainingJobs(RecordedJobs[CellTrainingJob]):
    """All trainings of cells recorded in one folder, beside their results."""

    def of(self, space: str, cell: str, jobs: list[CellTrainingJob] | None = None) -> list[CellTrainingJob]:
        """The trainings of one cell, the newest first; ``jobs`` are all, where they were just read."""
        return [job for job in (self.all() if jobs is None else jobs) if (job.space, job.cell) == (space, cell)]

    def folder(self, name: str) -> Path:
        """Where state, weights and result of a training lie."""
        return self.records / name

    def start(self, request: CellTrainingRequest) -> CellTrainingJob:
        """Start a training, or let the one of the same request go on.

        Raises:
            SvgeError: if another one is going on, or this one is done.
        """
        if self.trained(request):
            raise SvgeError("This cell was trained like this already: its result is below.")
        return self._launch(self._job(request))[0]

    def start_all(self, requests: Sequence[CellTrainingRequest]) -> list[CellTrainingJob]:
        """Start the trainings that have no result yet; one works at a time, in no set order, and the others wait.

        Raises:
            SvgeError: if another one is going on, or all are done.
        """
        missing = [request for request in requests if not self.trained(request)]
        if not missing:
            raise SvgeError("All of them were trained like this already: their results are in their panels.")
        return self._launch(*map(self._job, missing))

    def trained(self, request: CellTrainingRequest) -> bool:
        """Whether its result is there."""
        return (self.folder(request.name) / RESULT).is_file()

    def _job(self, request: CellTrainingRequest) -> CellTrainingJob:
        command = [*request.command(self.folder(request.name)), "--queue", str(self.records / QUEUE)]
        recipe = request.recipe.to_dict()
        return CellTrainingJob(request.name, request.space, request.cell, request.data, recipe, tuple(command), 0, "")

    def resume(self, job: CellTrainingJob) -> CellTrainingJob:
        """Go on with a stopped training: the same command again.

        Raises:
            SvgeError: if another one is going on.
        """
        return self._launch(replace(job, cancelled=False))[0]

    def forget(self, job: CellTrainingJob) -> None:
        """Remove the record of a training that is over, with its logs, state, weights and result."""
        shutil.rmtree(self.folder(job.name), ignore_errors=True)
        self._forget_files(job)

    def progress(self, job: CellTrainingJob) -> CellTrainingProgress:
        """Read where a training stands from what it printed."""
        alive = self.supervisor.alive(job.process)  # before the log, so that an ended one's last line is not missed
        rows: dict[tuple[int, int], dict[str, Any]] = {}
        step, steps, left, waiting = 0, 0, None, False
        for event in events_of(self._path(job, PRINTED)):
            waiting = event.get("event") == "waiting"
            if isinstance(event.get("step"), int) and isinstance(event.get("steps"), int):
                step, steps, left = event["step"], event["steps"], event.get("seconds_left")
            if event.get("event") == "epoch" and isinstance(event.get("epoch"), int):
                rows[event.get("seed", 0), event["epoch"]] = event  # a resumed training may print an epoch again
        ordered = tuple(rows[key] for key in sorted(rows))
        if not alive and (result := self.result(job)) is not None:
            return CellTrainingProgress("done", ordered, steps, steps, None, result=result)
        state: CellState = "running" if alive else "cancelled" if job.cancelled else "failed"
        message = self._last_words(job) if state == "failed" else ""
        return CellTrainingProgress(state, ordered, step, steps, left, message, waiting=alive and waiting)

    def result(self, job: CellTrainingJob) -> TrainedNetwork | None:
        """What a training came to; None where it is not done."""
        try:
            return read_result(self.folder(job.name))
        except CheckpointError:
            return None

    def has_state(self, job: CellTrainingJob) -> bool:
        """Whether a training that did not finish goes on from what it saved."""
        return (self.folder(job.name) / STATE).is_file()

    def stamp(self) -> tuple[tuple[str, int], ...]:
        """What changes whenever a result comes or goes."""
        found = []
        for path in self.records.glob(f"*/{RESULT}"):
            with contextlib.suppress(OSError):
                found.append((path.parent.name, path.stat().st_mtime_ns))
        return tuple(sorted(found))

    def results(self, space: str) -> list[TrainedNetwork]:
        """All results of a space."""
        found = (self.result(job) for job in self.all() if job.space == space)
        return [each for each in found if each is not None]

    def _read(self, record: bytes) -> CellTrainingJob:
        return msgspec.json.decode(record, type=CellTrainingJob)

    def _stem(self, job: CellTrainingJob) -> str:
        return job.name

    def _busy(self, other: CellTrainingJob) -> str:
        return f"Another cell is being trained ({other.cell[:60]}): wait for it or cancel it first."


def trained_scores(space: AbstractSearchSpace | str, results: Sequence[TrainedNetwork]) -> Scores | None:
    """Results as columns over all cells of a space, one per meaning; None where there is none or no list of cells.

    Args:
        space: of the cells.
        results: of trainings.
    """
    space = get_space(space)
    if not results or not space.enumerated or space.size is None:
        return None
    columns: dict[str, np.ndarray] = {}
    for found in results:
        values = columns.setdefault(found.meaning.key, np.full(space.size, np.nan))
        values[space.index(space.parse(found.cell))] = found.validation
    return scores_from_columns(space.name, columns, {found.meaning.key: found.meaning for found in results})
