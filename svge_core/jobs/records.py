"""What this machine notes about the runs it works on: small files that outlive the page, the browser and the server."""

import contextlib
import json
import threading
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec

from svge_core.errors import SvgeError
from svge_core.files import write_atomically
from svge_core.jobs.process import ProcessId, locked, log_tail
from svge_core.search.runs import SearchConfig


@dataclass(frozen=True)
class SearchJob:
    """What this machine does about a run.

    Attributes:
        name: of the run.
        order: earlier ones start first.
        pid, born: its process; 0 while it waits for a free core.
        again: start it anew once its process has ended.
        asked: "pause" or "cancel" while its process has yet to obey.
        stop_by: when the process is killed if it has not ended, in seconds since 1970; 0 for never.
        ended: its process is over without having finished the run; the job is kept for its last words.
    """

    name: str
    order: float = 0.0
    pid: int = 0
    born: str = ""
    again: bool = False
    asked: str = ""
    stop_by: float = 0.0
    ended: bool = False

    @property
    def waits(self) -> bool:
        """Whether it waits for a free core."""
        return not self.pid and not self.ended

    @property
    def process(self) -> ProcessId:
        """Its process."""
        return ProcessId(self.pid, self.born)


@dataclass(frozen=True)
class Plan:
    """A race that is being written into the store.

    Attributes:
        race: its name.
        configs: runs that are still to be written.
        of: how many the race has.
        python: the person who started it agreed that its ``python:`` objective is imported.
        problem: why it could not be written, one line; else empty.
        owner: whose its runs are; empty for nobody's.
    """

    race: str
    configs: tuple[SearchConfig, ...]
    of: int
    python: bool = False
    problem: str = ""
    owner: str = ""


class _StoredPlan(msgspec.Struct):
    """A plan as JSON holds it; the configurations check themselves."""

    race: str
    configs: list[dict[str, Any]]
    of: int
    python: bool = False
    problem: str = ""
    owner: str = ""


class SearchRecords:
    """The files of one folder.

    Args:
        records: the folder.
    """

    def __init__(self, records: Path) -> None:
        self.records = records
        self.lock = threading.RLock()

    def jobs(self) -> dict[str, SearchJob]:
        """All jobs by the name of their run, in their order; damaged records are left out."""
        found = []
        for path in self.records.glob("job-*.json"):
            with contextlib.suppress(msgspec.MsgspecError, OSError):
                found.append(msgspec.json.decode(path.read_bytes(), type=SearchJob))
        return {job.name: job for job in sorted(found, key=lambda job: (job.order, job.name))}

    def plans(self) -> list[Plan]:
        """Races that are being written, or could not be."""
        found = []
        for path in sorted(self.records.glob("plan-*.json")):
            with contextlib.suppress(msgspec.MsgspecError, OSError, SvgeError):
                raw = msgspec.json.decode(path.read_bytes(), type=_StoredPlan)
                configs = tuple(map(SearchConfig.from_dict, raw.configs))
                found.append(Plan(raw.race, configs, raw.of, raw.python, raw.problem, raw.owner))
        return found

    def last_words(self, name: str) -> str:
        """What the process of a run wrote last about an error."""
        return log_tail(self._path("log", name), lines=4, characters=1500)

    def forget(self, name: str) -> None:
        """Drop the record of a run that is not being worked on."""
        for kind in ("job", "log", "python"):
            self._path(kind, name).unlink(missing_ok=True)

    def drop_plan(self, race: str) -> None:
        """Stop writing a race; what is written stays."""
        self._path("plan", race).unlink(missing_ok=True)

    def agreed(self, name: str) -> frozenset[str]:
        """The ``python:`` words that somebody on this machine agreed to for a run; the store may name others by now."""
        try:
            return msgspec.json.decode(self._path("python", name).read_bytes(), type=frozenset[str])
        except (OSError, msgspec.MsgspecError):
            return frozenset()

    def _agree(self, name: str, words: Iterable[str]) -> None:
        python = {word for word in words if word.startswith("python:")}
        write_atomically(self._path("python", name), json.dumps(sorted(python | self.agreed(name))).encode())

    def _path(self, kind: str, name: str) -> Path:
        return self.records / f"{kind}-{name}.{'log' if kind == 'log' else 'json'}"

    def _write(self, job: SearchJob) -> None:
        write_atomically(self._path("job", job.name), json.dumps(asdict(job)).encode())

    def _write_plan(self, plan: Plan) -> None:
        raw = {**asdict(plan), "configs": [config.to_dict() for config in plan.configs]}
        write_atomically(self._path("plan", plan.race), json.dumps(raw).encode())

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One thread of one server at a time changes the records."""
        with self.lock, locked(self.records):
            yield
