"""Search runs started from the page: one child process per run in its own process group, as many at once as cores.

The store knows what a run is and what it found; here is only what this machine does about it: which runs wait for a
free core, which process works on which, and races that are still being written into the store. All of it lies in small
files, so it outlives the page, the browser and the server.
"""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from svge_core.errors import SvgeError
from svge_core.jobs.process import STOP_SECONDS, Supervisor
from svge_core.jobs.records import Plan, SearchJob, SearchRecords
from svge_core.search.runs import RunState, SearchConfig

#: seconds between two looks at the processes
POLL_SECONDS = 0.25
#: priority of the child processes, 0 being that of the app and 19 the lowest
NICE = 5
STORAGE_VARIABLE = "SVGE_STORAGE"


class SearchJobs(SearchRecords):
    """The runs of one store that this machine works on.

    Args:
        records: folder of the records and logs.
        storage: URL of the store.
        environment: variables for the child processes, beside those of this process.
        slots: most runs at once; None for as many as there are cores.
        watch: start, end and follow the children from a thread; without it somebody calls :meth:`step`.
        cwd: folder the children are started in; None for that of this process.
    """

    def __init__(
        self,
        records: Path,
        storage: str,
        environment: dict[str, str] | None = None,
        slots: int | None = None,
        watch: bool = True,
        cwd: Path | None = None,
    ) -> None:
        super().__init__(records)
        self.storage, self.watch = storage, watch
        self.slots = slots or cores()
        self.supervisor = Supervisor(environment, cwd)
        self.thread: threading.Thread | None = None

    # ---- what there is ------------------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether there is anything to do or to wait for."""
        return any(not plan.problem for plan in self.plans()) or any(not job.ended for job in self.jobs().values())

    # ---- what people do -----------------------------------------------------------------------------------------

    def start_race(self, configs: Sequence[SearchConfig], *, python: bool = False, owner: str = "") -> None:
        """Have runs written into the store and worked on, in this order; ``owner`` says whose they are."""
        race = configs[0].race
        self._write_plan(Plan(race, tuple(configs), len(configs), python, owner=owner))
        self.wake()

    def resume(self, names: Sequence[str], python: Sequence[str] = ()) -> None:
        """Let runs go on; ``python`` are the words of objectives that the person has just agreed to."""
        from svge_core.search.runs import control

        with self._locked():
            jobs = self.jobs()
            for name in names:
                control(self.storage, name, "run")
                job = jobs.get(name, SearchJob(name))
                if python:
                    self._agree(name, python)
                if job.pid and not job.ended and self.supervisor.alive(job.process):
                    self._write(replace(job, again=True, asked=""))
                else:
                    self._write(SearchJob(name, time.time()))
        self.wake()

    def pause(self, names: Sequence[str]) -> None:
        """Have runs end after the evaluation that is going on."""
        self._stop(names, "pause")

    def cancel(self, names: Sequence[str]) -> None:
        """End runs at once; what they know is in the store, so they can still be resumed."""
        self._stop(names, "cancel")

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
                    self.supervisor.terminate(job.process)
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
                    if self.supervisor.alive(job.process):
                        alive += 1
                        if job.stop_by and time.time() > job.stop_by:
                            self.supervisor.kill(job.process)
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
            words = frozenset(plan.configs[0].objective) if plan.python else frozenset()
            name = create_run(self.storage, plan.configs[0], allow_python=words, owner=plan.owner)
        except SvgeError as error:
            self._write_plan(replace(plan, problem=" ".join(str(error).split())))
            return
        with self._locked():
            if not self._path("plan", plan.race).exists():  # dropped meanwhile
                with contextlib.suppress(SvgeError):
                    delete_run(self.storage, name)
                return
            if plan.python:
                self._agree(name, words)
            self._write(SearchJob(name, time.time()))
            if len(plan.configs) > 1:
                self._write_plan(replace(plan, configs=plan.configs[1:]))
            else:
                self.drop_plan(plan.race)

    def _ended(self, job: SearchJob) -> None:
        """A process is over: by the store, is its run?"""
        state = self._state(job.name)
        if (job.again and state != "finished") or (state == "interrupted" and self._died_at_a_cell(job)):
            self._write(SearchJob(job.name, time.time()))
        elif state in ("interrupted", "waiting", "failed"):
            self._write(replace(job, ended=True, again=False, asked="", stop_by=0.0))
        else:
            self._path("job", job.name).unlink(missing_ok=True)

    def _died_at_a_cell(self, job: SearchJob) -> bool:
        """Whether it died in the middle of an evaluation, as for want of memory: then the run goes on.

        The store counts such deaths and gives a cell up that has seen too many, so this comes to an end. A process that
        dies before its first evaluation is not started again, or that would go on for ever.
        """
        from svge_core.search.runs import died_evaluating

        return not job.asked and died_evaluating(self.storage, job.name, job.pid, job.born)

    def _state(self, name: str) -> RunState | None:
        from svge_core.search.runs import list_runs

        runs = (run for run in list_runs(self.storage) if run.name == name)
        return next((run.state for run in runs if run.state != "unreadable"), None)

    def _launch(self, job: SearchJob) -> None:
        command = [sys.executable, "-m", "svge_core", "search", "--json", "--resume", job.name]
        command += ["--allow-python", *words] if (words := sorted(self.agreed(job.name))) else []
        # the URL may hold a password, which every user of the machine could read in a command line
        hidden = {"OMP_NUM_THREADS": "1", **self.supervisor.environment, STORAGE_VARIABLE: self.storage}
        # the app answers first, also while every core searches
        process = self.supervisor.start(command, errors=self._path("log", job.name), environment=hidden, nice=NICE)
        self._write(replace(job, pid=process.pid, born=process.born))


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
