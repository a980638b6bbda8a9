"""Search runs started from the page: one child process per run in its own process group, as many at once as cores.

The store knows what a run is and what it found; here is only what this machine does about it: which runs wait for a
free core, which process works on which, and races that are still being written into the store. All of it lies in small
files, so it outlives the page, the browser and the server.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from svge_core.errors import SvgeError
from svge_core.files import write_atomically
from svge_core.search.run_types import RunState, SearchConfig
from svge_core.search.workers import birth

ROOT = Path(__file__).resolve().parent.parent
#: seconds between two looks at the children, and until one that was asked to end is ended
POLL_SECONDS, STOP_SECONDS = 0.25, 5.0
#: priority of the child processes, 0 being that of the app and 19 the lowest
NICE = 5
STORAGE_VARIABLE = "SVGE_STORAGE"


@dataclass(frozen=True)
class Job:
    """What this machine does about a run.

    Attributes:
        name: of the run.
        python: the person who started it agreed that its ``python:`` objective is imported.
        order: earlier ones start first.
        pid, born: its process; 0 while it waits for a free core.
        again: start it anew once its process has ended.
        asked: "pause" or "cancel" while its process has yet to obey.
        stop_by: when the process is killed if it has not ended, in seconds since 1970; 0 for never.
        ended: its process is over without having finished the run; the job is kept for its last words.
    """

    name: str
    python: bool = False
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


@dataclass(frozen=True)
class Plan:
    """A race that is being written into the store.

    Attributes:
        race: its name.
        configs: runs that are still to be written.
        of: how many the race has.
        python: as in :class:`Job`.
        problem: why it could not be written, one line; else empty.
    """

    race: str
    configs: tuple[SearchConfig, ...]
    of: int
    python: bool = False
    problem: str = ""


class SearchJobs:
    """The runs of one store that this machine works on.

    Args:
        records: folder of the records and logs.
        storage: URL of the store.
        environment: variables for the child processes, beside those of this process.
        slots: most runs at once; None for as many as there are cores.
        watch: start, end and follow the children from a thread; without it somebody calls :meth:`step`.
    """

    def __init__(
        self,
        records: Path,
        storage: str,
        environment: dict[str, str] | None = None,
        slots: int | None = None,
        watch: bool = True,
    ) -> None:
        self.records, self.storage, self.environment, self.watch = records, storage, environment or {}, watch
        self.slots = slots or cores()
        self.children: dict[int, subprocess.Popen[bytes]] = {}
        self.thread: threading.Thread | None = None
        self.lock = threading.RLock()

    # ---- what there is ------------------------------------------------------------------------------------------

    def jobs(self) -> dict[str, Job]:
        """All jobs by the name of their run, in their order; damaged records are left out."""
        found = []
        for path in self.records.glob("job-*.json"):
            with contextlib.suppress(json.JSONDecodeError, TypeError, OSError):
                found.append(Job(**json.loads(path.read_text("utf-8"))))
        return {job.name: job for job in sorted(found, key=lambda job: (job.order, job.name))}

    def plans(self) -> list[Plan]:
        """Races that are being written, or could not be."""
        found = []
        for path in sorted(self.records.glob("plan-*.json")):
            with contextlib.suppress(json.JSONDecodeError, TypeError, KeyError, OSError, SvgeError):
                raw = json.loads(path.read_text("utf-8"))
                configs = tuple(map(SearchConfig.from_dict, raw.pop("configs")))
                found.append(Plan(**raw, configs=configs))
        return found

    @property
    def busy(self) -> bool:
        """Whether there is anything to do or to wait for."""
        return any(not plan.problem for plan in self.plans()) or any(not job.ended for job in self.jobs().values())

    def last_words(self, name: str) -> str:
        """What the process of a run wrote last about an error."""
        try:
            text = self._path("log", name).read_text("utf-8", errors="replace").strip()
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-4:])[-1500:]

    # ---- what people do -----------------------------------------------------------------------------------------

    def start_race(self, configs: Sequence[SearchConfig], *, python: bool = False) -> None:
        """Have runs written into the store and worked on, in this order."""
        race = configs[0].race
        self._write_plan(Plan(race, tuple(configs), len(configs), python))
        self.wake()

    def resume(self, names: Sequence[str], *, python: bool = False) -> None:
        """Let runs go on."""
        from svge_core.search.runs import control

        with self._locked():
            jobs = self.jobs()
            for name in names:
                control(self.storage, name, "run")
                job = jobs.get(name, Job(name))
                allowed = job.python or python or self.may_import(name)
                if job.pid and not job.ended and self._alive(job):
                    self._write(replace(job, again=True, asked="", python=allowed))
                else:
                    self._write(Job(name, allowed, time.time()))
        self.wake()

    def pause(self, names: Sequence[str]) -> None:
        """Have runs end after the evaluation that is going on."""
        self._stop(names, "pause")

    def cancel(self, names: Sequence[str]) -> None:
        """End runs at once; what they know is in the store, so they can still be resumed."""
        self._stop(names, "cancel")

    def forget(self, name: str) -> None:
        """Drop the record of a run that is not being worked on."""
        for kind in ("job", "log", "python"):
            self._path(kind, name).unlink(missing_ok=True)

    def drop_plan(self, race: str) -> None:
        """Stop writing a race; what is written stays."""
        self._path("plan", race).unlink(missing_ok=True)

    def may_import(self, name: str) -> bool:
        """Whether somebody on this machine agreed to the ``python:`` objective of a run."""
        return self._path("python", name).exists()

    def _stop(self, names: Sequence[str], action: str) -> None:
        from svge_core.search.runs import control, list_runs

        with self._locked():
            for name in names:
                control(self.storage, name, "pause" if action == "pause" else "cancel")
            states = {run.name: run.state for run in list_runs(self.storage)}
            jobs = self.jobs()
            for name in names:
                job = jobs.get(name)
                if job is None or job.ended:
                    continue
                if not job.pid:
                    self._path("job", name).unlink(missing_ok=True)
                elif action == "cancel" or states.get(name) != "running":
                    # a process that has not begun to work would tell the run to go on; and an evaluation may take hours
                    _signal_group(job.pid, signal.SIGTERM)
                    self._write(replace(job, again=False, asked=action, stop_by=time.time() + STOP_SECONDS))
                    control(self.storage, name, "pause" if action == "pause" else "cancel")
                else:
                    self._write(replace(job, again=False, asked=action))
        self.wake()

    # ---- the work -----------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Have the thread follow what there is to do; nothing happens if it does so already."""
        with self.lock:
            if self.watch and self.busy and (self.thread is None or not self.thread.is_alive()):
                self.thread = threading.Thread(target=self._follow, name="search runs", daemon=True)
                self.thread.start()

    def _follow(self) -> None:
        while True:
            try:
                self.step()
            except (OSError, SvgeError):  # the disk or the database is away: later
                time.sleep(2.0)
            with self.lock:
                if not self.busy:
                    self.thread = None
                    return
            time.sleep(POLL_SECONDS)

    def step(self) -> None:
        """Note which processes have ended, start what has room, write one run of a race that is being written."""
        with self._locked():
            jobs = self.jobs()
            alive = 0
            for job in list(jobs.values()):
                if job.pid and not job.ended:
                    if self._alive(job):
                        alive += 1
                        if job.stop_by and time.time() > job.stop_by:
                            _signal_group(job.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
                    else:
                        self._ended(job)
            for job in self.jobs().values():
                if job.waits and alive < self.slots:
                    self._launch(job)
                    alive += 1
        for plan in self.plans():
            if not plan.problem:
                self._write_one(plan)
                break

    def _write_one(self, plan: Plan) -> None:
        """Create the next run of a race; it takes seconds, so it is outside the lock."""
        from svge_core.search.runs import create_run, delete_run

        try:
            name = create_run(self.storage, plan.configs[0], allow_python=plan.python)
        except SvgeError as error:
            self._write_plan(replace(plan, problem=" ".join(str(error).split())))
            return
        with self._locked():
            if not self._path("plan", plan.race).exists():  # dropped meanwhile
                with contextlib.suppress(SvgeError):
                    delete_run(self.storage, name)
                return
            if plan.python:
                write_atomically(self._path("python", name), b"")
            self._write(Job(name, plan.python, time.time()))
            if len(plan.configs) > 1:
                self._write_plan(replace(plan, configs=plan.configs[1:]))
            else:
                self.drop_plan(plan.race)

    def _ended(self, job: Job) -> None:
        """A process is over: by the store, is its run?"""
        self.children.pop(job.pid, None)
        state = self._state(job.name)
        if job.again and state != "finished":
            self._write(Job(job.name, job.python, time.time()))
        elif state in ("interrupted", "waiting", "failed"):
            self._write(replace(job, ended=True, again=False, asked="", stop_by=0.0))
        else:
            self._path("job", job.name).unlink(missing_ok=True)

    def _state(self, name: str) -> RunState | None:
        from svge_core.search.runs import list_runs

        return next((run.state for run in list_runs(self.storage) if run.name == name), None)

    def _launch(self, job: Job) -> None:
        command = [sys.executable, "-m", "svge_core", "search", "--json", "--resume", job.name]
        command += ["--allow-python"] if job.python else []
        # the URL may hold a password, which every user of the machine could read in a command line
        environment = {**os.environ, "OMP_NUM_THREADS": "1", **self.environment, STORAGE_VARIABLE: self.storage}
        with self._path("log", job.name).open("wb") as errors:
            child = subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=environment,
                start_new_session=True,
            )
        if hasattr(os, "setpriority"):  # the app answers first, also while every core searches
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, child.pid, NICE)
        self.children[child.pid] = child
        self._write(replace(job, pid=child.pid, born=birth(child.pid) or ""))

    def _alive(self, job: Job) -> bool:
        if (child := self.children.get(job.pid)) is not None and child.poll() is not None:
            return False
        return birth(job.pid) == job.born

    # ---- files --------------------------------------------------------------------------------------------------

    def _path(self, kind: str, name: str) -> Path:
        return self.records / f"{kind}-{name}.{'log' if kind == 'log' else 'json'}"

    def _write(self, job: Job) -> None:
        write_atomically(self._path("job", job.name), json.dumps(asdict(job)).encode())

    def _write_plan(self, plan: Plan) -> None:
        raw = {**asdict(plan), "configs": [config.to_dict() for config in plan.configs]}
        write_atomically(self._path("plan", plan.race), json.dumps(raw).encode())

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One thread of one server at a time changes the records."""
        self.records.mkdir(parents=True, exist_ok=True)
        with self.lock, (self.records / "lock").open("ab") as file:
            with contextlib.suppress(ImportError, OSError):
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX)
            yield  # closing the file gives the lock back


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(pid, number)  # the child leads its group, so both have one number
        else:
            os.kill(pid, number)
