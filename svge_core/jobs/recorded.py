"""Processes of one kind with their records in one folder: one at a time, found again by whoever looks later."""

import contextlib
import json
from abc import ABC, abstractmethod
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar, runtime_checkable

import msgspec

from svge_core.errors import SvgeError
from svge_core.files import write_atomically
from svge_core.jobs.process import STOP_SECONDS, ProcessId, Supervisor, locked, log_tail


@runtime_checkable
class RecordedJob(Protocol):
    """A frozen dataclass, ``pid``, ``born`` and ``cancelled`` among its fields."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def command(self) -> tuple[str, ...]:
        """As started."""
        ...

    @property
    def process(self) -> ProcessId:
        """Its process."""
        ...


_Job = TypeVar("_Job", bound=RecordedJob)
#: of what belongs to a job: its record, what it printed, what it said about errors
SUFFIXES = RECORD, PRINTED, ERRORS = ".json", ".jsonl", ".err"


class RecordedJobs(ABC, Generic[_Job]):
    """All jobs recorded in one folder.

    Args:
        records: folder of the records and logs.
        environment: variables for the child processes, beside those of this process.
        cwd: folder the children are started in; None for that of this process.
    """

    def __init__(self, records: Path, environment: dict[str, str] | None = None, cwd: Path | None = None) -> None:
        self.records = records
        self.supervisor = Supervisor(environment, cwd)

    @abstractmethod
    def _read(self, record: bytes) -> _Job:
        """A job from its record; raises MsgspecError where it is damaged."""

    @abstractmethod
    def _stem(self, job: _Job) -> str:
        """The part of its files' names that no other job has."""

    @abstractmethod
    def _busy(self, other: _Job) -> str:
        """What whoever starts a job is told while another one is going on."""

    def all(self) -> list[_Job]:
        """Every recorded job, the newest first; damaged records are left out."""
        found: list[tuple[float, _Job]] = []
        for path in self.records.glob(f"*{RECORD}"):
            with contextlib.suppress(msgspec.MsgspecError, OSError):  # also where another window forgets it meanwhile
                found.append((path.stat().st_mtime, self._read(path.read_bytes())))
        return [job for _, job in sorted(found, key=lambda each: each[0], reverse=True)]

    def running(self, jobs: list[_Job] | None = None) -> _Job | None:
        """The job that is going on, if any.

        Args:
            jobs: all jobs, where they were just read.
        """
        return next(iter(self.going(jobs)), None)

    def going(self, jobs: list[_Job] | None = None) -> list[_Job]:
        """All jobs whose process lives, those that wait for their turn too, the newest first; ``jobs`` as above."""
        found = self.all() if jobs is None else jobs
        return [job for job in found if self.supervisor.alive(job.process)]

    def cancel(self, job: _Job) -> _Job:
        """Stop a job and all it started; what it saved last stays, so it can be resumed."""
        with locked(self.records):
            # another window may have resumed it since
            latest = next((each for each in self.all() if self._stem(each) == self._stem(job)), job)
            stopped = replace(latest, cancelled=True)
            self._write(stopped)  # first, so that nobody takes the end for a failure
        self.supervisor.stop(stopped.process, STOP_SECONDS)
        return stopped

    def _launch(self, *jobs: _Job) -> list[_Job]:
        """Start the processes of jobs, and write their records."""
        begun: list[_Job] = []
        with locked(self.records):  # of two windows that press the button at once, one is refused
            if (other := self.running()) is not None:
                raise SvgeError(self._busy(other))
            for job in jobs:
                output, errors = self._path(job, PRINTED), self._path(job, ERRORS)
                process = self.supervisor.start(list(job.command), errors=errors, output=output)
                begun.append(replace(job, pid=process.pid, born=process.born))
                self._write(begun[-1])
        return begun

    def _forget_files(self, job: _Job) -> None:
        for suffix in SUFFIXES:
            self._path(job, suffix).unlink(missing_ok=True)

    def _last_words(self, job: _Job) -> str:
        return log_tail(self._path(job, ERRORS), lines=6, characters=2000)

    def _write(self, job: _Job) -> None:
        write_atomically(self._path(job, RECORD), json.dumps(asdict(job)).encode())

    def _path(self, job: _Job, suffix: str) -> Path:
        return self.records / f"{self._stem(job)}{suffix}"
