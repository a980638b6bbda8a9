"""What pages do to the store, to processes and to the disk. Every act asks the rules at the moment it is done.

A browser can send anything: the press of a button that was never drawn, a value outside of a list. So what is drawn
decides nothing, and pages act through these functions only.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from svge_core.jobs import (
    CellTrainingJob,
    CellTrainingJobs,
    CellTrainingRequest,
    MeasuredCell,
    SearchJobs,
    TrainingJob,
    TrainingJobs,
    TrainingRequest,
    measure_here,
)
from svge_core.search import runs as stored
from svge_core.search.runs import RunSummary, SearchConfig, UnreadableRun
from ui.paths import ROOT, shared
from ui.visitors import asking, rules
from ui.visitors.rules import RefusedError

if TYPE_CHECKING:  # the store is read through `stored`: a page that steers no search does not import the database
    from svge_core.search.runs import RaceNotes

#: looked at and acted upon by one session at a time, or two of one visitor would both fit where one does
_turn = threading.Lock()
#: one generator is fitted at a time: each takes a core
_fitting = threading.Lock()
#: when generators were fitted for whom, within the last hour
_fitted: dict[str, list[float]] = {}
_HOUR = 3600.0


def start_race(jobs: SearchJobs, configs: Sequence[SearchConfig]) -> None:
    """Start searches.

    Raises:
        SvgeError: one line, if this person may not, or the store cannot be used.
    """
    python = any(config.uses_python for config in configs)
    if not shared():
        if python and not asking.local_browser():
            raise RefusedError(asking.NO_CODE)
        jobs.start_race(configs, python=python)
        return
    with _turn:
        _refuse(race_refusal(jobs, configs, stored.list_runs(jobs.storage)))
        jobs.start_race(configs, owner=asking.visitor())


def race_refusal(jobs: SearchJobs, configs: Sequence[SearchConfig], found: Sequence[RunSummary | UnreadableRun]) -> str:
    """Why a visitor may not start these searches; empty if they may.

    Args:
        jobs: of this server.
        configs: the searches.
        found: all runs of the store.
    """
    who = asking.visitor()
    used, known = asking.count_usage(jobs, found, who), set(asking.known_tables(found))
    return rules.race_refusal(asking.quota(), used, configs, visitor=who, known_tables=known)


def pause(jobs: SearchJobs, names: Sequence[str]) -> None:
    """Pause searches; errors as :func:`start_race`."""
    _steer(jobs, names)
    jobs.pause(names)


def cancel(jobs: SearchJobs, names: Sequence[str]) -> None:
    """Cancel searches; errors as :func:`start_race`."""
    _steer(jobs, names)
    jobs.cancel(names)


def resume(jobs: SearchJobs, names: Sequence[str], python: Sequence[str] = ()) -> None:
    """Let searches go on; errors as :func:`start_race`.

    Args:
        jobs: of this server.
        names: of the searches.
        python: words of objectives that the person has just agreed to.
    """
    if python and not asking.local_browser():
        raise RefusedError(asking.NO_CODE)
    if not shared():
        jobs.resume(names, python)
        return
    with _turn:
        _steer(jobs, names)
        found = stored.list_runs(jobs.storage)
        used = asking.count_usage(jobs, found, asking.visitor())
        going_on = {name for name, job in jobs.jobs().items() if not job.ended}
        more = [run.config for run in found if run.name in set(names) - going_on and run.config is not None]
        _refuse(rules.resume_refusal(asking.quota(), used, more))
        jobs.resume(names)


def delete(jobs: SearchJobs, names: Sequence[str]) -> None:
    """Delete searches with all their evaluations; errors as :func:`start_race`."""
    _steer(jobs, names)
    for name in names:
        stored.delete_run(jobs.storage, name)
        jobs.forget(name)


def note_race(jobs: SearchJobs, race: str, notes: "RaceNotes") -> None:
    """Name a race and note something on it; errors as :func:`start_race`."""
    if shared():
        of_race = [run for run in stored.list_runs(jobs.storage) if run.config is not None and run.config.race == race]
        _steer(jobs, [run.name for run in of_race] or [race])
    stored.note_race(jobs.storage, race, notes)


def drop_plan(jobs: SearchJobs, race: str) -> None:
    """Put aside a race that could not be written; errors as :func:`start_race`."""
    if shared():
        owners = {plan.race: plan.owner for plan in jobs.plans()}
        _refuse(rules.steer_refusal(owners, [race], asking.visitor()))
    jobs.drop_plan(race)


def check_upload(size: int) -> None:
    """See that a table of so many bytes may be kept for this person.

    Raises:
        RefusedError: if not.
    """
    if shared():
        _refuse(rules.upload_refusal(asking.quota(), size))


@contextlib.contextmanager
def fitting() -> Iterator[None]:
    """Around the fit of a generator: for visitors one at a time, so many an hour.

    Raises:
        RefusedError: if this visitor has had theirs.
    """
    if not shared():
        yield
        return
    who, limits = asking.visitor(), asking.quota()
    with _turn:
        now = time.monotonic()
        for name in list(_fitted):
            _fitted[name] = [when for when in _fitted[name] if now - when < _HOUR]
            if not _fitted[name]:
                del _fitted[name]
        _refuse(rules.fit_refusal(limits, len(_fitted.get(who, ())), visitor=who))
        _fitted.setdefault(who, []).append(now)
    with _fitting:
        yield


def train(jobs: TrainingJobs, request: TrainingRequest) -> None:
    """Start a training; errors as :func:`start_race`."""
    _train(lambda: jobs.start(request))


def resume_training(jobs: TrainingJobs, job: TrainingJob) -> None:
    """Let a training go on; errors as :func:`start_race`."""
    _train(lambda: jobs.resume(job))


def cancel_training(jobs: TrainingJobs, job: TrainingJob) -> None:
    """Stop a training; errors as :func:`start_race`."""
    _train(lambda: jobs.cancel(job))


def forget_training(jobs: TrainingJobs, job: TrainingJob) -> None:
    """Drop the record of a training and what it saved if it did not finish; errors as :func:`start_race`."""
    _train(lambda: jobs.forget(job))


def train_cell(jobs: CellTrainingJobs, request: CellTrainingRequest) -> None:
    """Start the training of a cell; errors as :func:`start_race`."""
    _refuse_files([request])
    _train(lambda: jobs.start(request))


def train_cells(jobs: CellTrainingJobs, requests: Sequence[CellTrainingRequest]) -> None:
    """Start the trainings of several cells, one after another; errors as :func:`start_race`."""
    _refuse_files(requests)
    _train(lambda: jobs.start_all(requests))


def measure_cell(space: str, cell: str, sizes: Mapping[str, int], records: Path) -> MeasuredCell:
    """Time the network of a cell; errors as :func:`start_race`, or that it cannot be measured."""
    _refuse(rules.TIMING_OFF if shared() else "")
    return measure_here(space, cell, sizes, records, ROOT)


def resume_cell(jobs: CellTrainingJobs, job: CellTrainingJob) -> None:
    """Let the training of a cell go on; errors as :func:`start_race`."""
    _train(lambda: jobs.resume(job))


def cancel_cell(jobs: CellTrainingJobs, job: CellTrainingJob) -> None:
    """Stop the training of a cell; errors as :func:`start_race`."""
    _train(lambda: jobs.cancel(job))


def cancel_cells(jobs: CellTrainingJobs, going: Sequence[CellTrainingJob]) -> None:
    """Stop several trainings, those that wait first, so that none begins; errors as :func:`start_race`."""

    def stop() -> None:
        for job in sorted(going, key=lambda job: not jobs.progress(job).waiting):
            jobs.cancel(job)

    _train(stop)


def forget_cell(jobs: CellTrainingJobs, job: CellTrainingJob) -> None:
    """Drop the training of a cell with its result; errors as :func:`start_race`."""
    _train(lambda: jobs.forget(job))


def _refuse_files(requests: Sequence[CellTrainingRequest]) -> None:
    """Images other than the built-in ones are what a browser names on this machine's disk."""
    if any(request.data != "digits" for request in requests) and not asking.local_browser():
        raise RefusedError(asking.NO_CODE)


def _train(act: Callable[[], object]) -> None:
    _refuse(rules.TRAINING_OFF if shared() else "")
    act()


def _steer(jobs: SearchJobs, names: Sequence[str]) -> None:
    if shared():
        _refuse(rules.steer_refusal(stored.owners_of(jobs.storage, names), names, asking.visitor()))


def _refuse(line: str) -> None:
    if line:
        raise RefusedError(line)
