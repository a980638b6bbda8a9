"""Runs as processes: queue, cores, pause, cancel, resume, kill, a restarted server; real runs in a real store."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from svge_core.jobs.records import Plan, SearchJob
from svge_core.jobs.search import SearchJobs, cores
from svge_core.search.runs.manage import control, create_run
from svge_core.search.runs.reading import list_runs, read_run
from svge_core.search.runs.types import SearchConfig
from tests.support.paths import ROOT
from tests.support.runs import HERE, begun
from tests.support.waiting import until as wait_until

SLOW = "python:tests.support.slow_objective:slow"
pytestmark = pytest.mark.skipif(not hasattr(os, "killpg"), reason="process groups are needed")


def config(name: str, *, objective: str = "table:params_m", budget: int = 5, seed: int = 0) -> SearchConfig:
    return SearchConfig("nasbench201", (objective,), "random", budget, seed, race="race", name=name)


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[SearchJobs]:
    """Jobs over an empty store; whatever still runs is ended."""
    jobs = SearchJobs(tmp_path / "records", f"sqlite:///{tmp_path / 'runs.db'}", slots=1, watch=False)
    yield jobs
    for job in jobs.jobs().values():
        if job.pid:
            try:
                os.killpg(job.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def until(jobs: SearchJobs, happened: Callable[[], object]) -> None:
    """Step until something has happened."""

    def stepped() -> object:
        if done := happened():
            return done
        jobs.step()
        return False

    wait_until(stepped, about=lambda: (jobs.jobs(), list_runs(jobs.storage)))


def state(jobs: SearchJobs, name: str) -> str | None:
    return next((run.state for run in list_runs(jobs.storage) if run.name == name), None)


def test_a_race_is_written_queued_and_worked_off_one_core_at_a_time(jobs: SearchJobs) -> None:
    jobs.start_race([config("a"), config("b", seed=1)])
    assert jobs.busy and jobs.plans()[0].of == 2
    until(jobs, lambda: not jobs.plans())
    assert sum(job.pid != 0 for job in jobs.jobs().values()) <= 1
    until(jobs, lambda: not jobs.busy)
    assert [state(jobs, name) for name in ("a", "b")] == ["finished", "finished"]
    assert read_run(jobs.storage, "a").evaluated == 5
    assert not jobs.jobs()


def test_what_cannot_be_searched_is_one_line_and_leaves_no_run(jobs: SearchJobs) -> None:
    jobs.start_race([config("a", objective="table:nothing")])
    until(jobs, lambda: not jobs.busy)
    (plan,) = jobs.plans()
    assert "nothing" in plan.problem and "\n" not in plan.problem
    jobs.drop_plan(plan.race)
    assert not jobs.plans() and not list_runs(jobs.storage)


def test_pause_resume_cancel_and_resume_lose_nothing(jobs: SearchJobs) -> None:
    jobs.start_race([config("slow", objective=SLOW, budget=1000)], python=True)
    until(jobs, lambda: state(jobs, "slow") == "running" and list_runs(jobs.storage)[0].done >= 2)
    jobs.pause(["slow"])
    until(jobs, lambda: not jobs.busy)
    assert state(jobs, "slow") == "paused" and not jobs.jobs()
    before = read_run(jobs.storage, "slow").evaluated
    assert 2 <= before < 1000
    jobs.resume(["slow"])
    assert jobs.agreed("slow") == {SLOW}, "it was agreed to when the run was started"
    until(jobs, lambda: list_runs(jobs.storage)[0].done > before)
    jobs.cancel(["slow"])
    until(jobs, lambda: not jobs.busy)
    assert state(jobs, "slow") == "cancelled"
    view = read_run(jobs.storage, "slow")
    assert view.evaluated > before
    assert len({e.cell for e in view.done}) == len(view.done)


def test_a_process_that_is_killed_at_a_cell_is_started_again(jobs: SearchJobs) -> None:
    gate = jobs.records.parent / "gate"
    jobs.supervisor.environment |= {"SVGE_TEST_GATE": str(gate), "SVGE_TEST_FREE": "2"}  # the third waits to be killed
    jobs.supervisor.environment |= {"SVGE_TEST_LOG": str(jobs.records.parent / "log")}
    jobs.start_race([config("slow", objective=f"{HERE}logged", budget=12)], python=True)
    until(jobs, lambda: jobs.jobs() and list_runs(jobs.storage)[0].done == 2)
    log = jobs.records.parent / "log"
    wait_until(lambda: len(begun(log)) == 3)
    first = jobs.jobs()["slow"].pid
    os.killpg(first, signal.SIGKILL)
    until(jobs, lambda: len(begun(log)) == 4)  # the same cell, by another process
    assert jobs.jobs()["slow"].pid not in (0, first) and begun(log)[2] == begun(log)[3]
    done = {e.cell for e in read_run(jobs.storage, "slow").done}
    gate.touch()
    # another server over the same files
    again = SearchJobs(jobs.records, jobs.storage, slots=1, watch=False)
    until(again, lambda: not again.busy)
    view = read_run(jobs.storage, "slow")
    assert view.state == "finished" and view.evaluated == 12
    assert done <= {e.cell for e in view.done} and len({e.cell for e in view.done}) == 12


def test_a_cell_at_which_processes_die_for_ever_is_given_up(jobs: SearchJobs) -> None:
    gate, log = jobs.records.parent / "gate", jobs.records.parent / "log"
    jobs.supervisor.environment |= {"SVGE_TEST_GATE": str(gate), "SVGE_TEST_LOG": str(log)}
    jobs.start_race([config("slow", objective=f"{HERE}logged", budget=2)], python=True)
    for death in (1, 2, 3):
        until(jobs, lambda death=death: len(begun(log)) == death)
        os.killpg(jobs.jobs()["slow"].pid, signal.SIGKILL)
    gate.touch()
    until(jobs, lambda: not jobs.busy)
    first, *others = read_run(jobs.storage, "slow").evaluations
    assert first.state == "failed" and first.problem.startswith("its worker died three times (last: process ")
    assert [e.state for e in others] == ["done", "done"] and not jobs.jobs()


def test_a_process_that_cannot_even_begin_is_not_started_again(jobs: SearchJobs) -> None:
    create_run(jobs.storage, config("a"))
    (jobs.records.parent / "svge_test_deadly_plugin.py").write_text("import os\nos._exit(137)\n")
    path = os.pathsep.join([str(jobs.records.parent), str(ROOT)])
    jobs.supervisor.environment |= {"SVGE_PLUGINS": "svge_test_deadly_plugin", "PYTHONPATH": path}
    jobs.resume(["a"])
    until(jobs, lambda: not jobs.busy)
    assert jobs.jobs()["a"].ended and state(jobs, "a") == "waiting"


def test_a_run_that_is_paused_while_its_process_still_starts_stays_paused(jobs: SearchJobs) -> None:
    jobs.start_race([config("a", budget=1000)])
    until(jobs, lambda: jobs.jobs() and jobs.jobs()["a"].pid)
    jobs.pause(["a"])
    until(jobs, lambda: not jobs.busy)
    assert state(jobs, "a") == "paused" and read_run(jobs.storage, "a").evaluated == 0


def test_what_waits_is_paused_without_a_process(jobs: SearchJobs) -> None:
    create_run(jobs.storage, config("a"))
    create_run(jobs.storage, config("b", seed=1))
    for name in ("a", "b"):
        jobs._write(SearchJob(name, order=1.0))
    jobs.pause(["b"])
    assert list(jobs.jobs()) == ["a"] and state(jobs, "b") == "paused"
    assert jobs.jobs()["a"].waits


def test_a_run_that_cannot_go_on_keeps_its_last_words(jobs: SearchJobs) -> None:
    name = create_run(jobs.storage, config("code", objective=SLOW))
    jobs.resume([name])  # nobody here agreed to the code
    until(jobs, lambda: not jobs.busy)
    assert jobs.jobs()["code"].ended and state(jobs, "code") in ("failed", "interrupted")
    words = jobs.last_words("code") + read_run(jobs.storage, "code").problem
    assert "--allow-python" in words
    jobs.forget("code")
    assert not jobs.jobs() and jobs.last_words("code") == ""


def test_damaged_records_are_left_out(jobs: SearchJobs) -> None:
    jobs.records.mkdir()
    (jobs.records / "job-x.json").write_text("{")
    (jobs.records / "job-y.json").write_text('{"name": "y", "pid": "7"}')
    (jobs.records / "plan-x.json").write_text('{"race": "x", "configs": [{}], "of": 1}')
    (jobs.records / "python-x.json").write_text('["python:a:b", 3]')
    assert jobs.agreed("x") == frozenset()
    assert jobs.jobs() == {} and jobs.plans() == [] and not jobs.busy


def test_records_of_before_still_open(jobs: SearchJobs) -> None:
    """As the app wrote them when each file of this package had its own way of knowing a process."""
    jobs.records.mkdir()
    old = '{"name": "a", "order": 2.5, "pid": 4194399, "born": "ticks 77", "again": false, "asked": "cancel", '
    (jobs.records / "job-a.json").write_text(old + '"stop_by": 9.5, "ended": false}')
    fields = json.dumps({**config("b").to_dict()})
    (jobs.records / "plan-race.json").write_text(
        f'{{"race": "race", "configs": [{fields}], "of": 2, "python": true, "problem": ""}}'
    )
    (jobs.records / "python-a.json").write_text(f'["{SLOW}"]')
    assert jobs.jobs() == {"a": SearchJob("a", 2.5, 4194399, "ticks 77", False, "cancel", 9.5)}
    assert jobs.plans() == [Plan("race", (config("b"),), 2, python=True)] and jobs.agreed("a") == {SLOW}
    assert not jobs.supervisor.alive(jobs.jobs()["a"].process)


def test_the_thread_follows_and_ends_by_itself(tmp_path: Path) -> None:
    jobs = SearchJobs(tmp_path / "records", f"sqlite:///{tmp_path / 'runs.db'}", slots=1)
    jobs.start_race([config("a", budget=2)])
    wait_until(lambda: not jobs.busy)
    assert state(jobs, "a") == "finished"
    jobs.wake()
    assert cores() >= 1 and (ROOT / "app.py").exists()
    control(jobs.storage, "a", "run")
