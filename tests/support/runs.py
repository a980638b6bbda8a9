"""What the tests of search runs share: stores, configurations, and functions that runs import by path.

Every run imports this file into a process of its own, so what is slow to import is imported inside the functions.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from svge_core.cells.cell import Cell
from svge_core.spaces.registry import get_space
from tests.support.waiting import until

if TYPE_CHECKING:
    import optuna

    from svge_core.search.objectives import AllowPython
    from svge_core.search.runs import Evaluation, RunState, SearchConfig

SPACE = get_space("nasbench201")
HERE = "python:tests.support.runs:"
#: file that the functions below write to, and seconds they take
LOG, SECONDS = "SVGE_TEST_LOG", "SVGE_TEST_SECONDS"
#: file that must be there before an evaluation ends, and how many end without it; they are counted in the log
GATE, FREE = "SVGE_TEST_GATE", "SVGE_TEST_FREE"


def worth(cell: Cell) -> float:
    """A cheap value: how many edges convolve, and a little of everything else."""
    text = SPACE.format(cell)
    return text.count("conv_3x3") + 0.1 * text.count("skip") + 0.001 * text.count("conv_1x1")


def torch_is_there(cell: Cell) -> float:
    """Whether the process that evaluates has imported it."""
    return float("torch" in sys.modules)


def logged(cell: Cell) -> float:
    """The same, slowly, and written down before and after."""
    write(f"begin {SPACE.format(cell)}")
    time.sleep(float(os.environ.get(SECONDS, "0.005")))
    if GATE in os.environ and len(begun(Path(os.environ[LOG]))) > int(os.environ.get(FREE, "0")):
        until(Path(os.environ[GATE]).exists)
    write(f"end {SPACE.format(cell)}")
    return worth(cell)


def write(line: str) -> None:
    if LOG in os.environ:
        with Path(os.environ[LOG]).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


def begun(log: Path) -> list[str]:
    """The lines of evaluations that began."""
    lines = log.read_text("utf-8").splitlines() if log.exists() else []
    return [line for line in lines if line.startswith("begin")]


def two(cell: Cell) -> tuple[float, float]:
    return worth(cell), float(len(set(SPACE.format(cell))))


def picky(cell: Cell) -> float:
    """Fails for cells whose first edge pools."""
    if SPACE.format(cell).startswith("|avg_pool"):
        raise ValueError("no pooling\nplease")
    return worth(cell)


def broken(cell: Cell) -> float:
    raise ZeroDivisionError("always")


def absurd(cell: Cell) -> str:
    return "many"


def infinite(cell: Cell) -> float:
    return float("inf")


def triple(cell: Cell) -> tuple[float, float, float]:
    return (1.0, 2.0, 3.0)


NOT_A_FUNCTION = 3


def config(**changed: Any) -> "SearchConfig":
    """A small run of a cheap objective."""
    from svge_core.search.runs import SearchConfig

    given = {"space": "nasbench201", "objective": (f"{HERE}worth",), "method": "random", "budget": 12, **changed}
    return SearchConfig(**given)


def trials(storage: str, name: str) -> "list[optuna.trial.FrozenTrial]":
    """The trials that Optuna sees."""
    import optuna

    from svge_core.search.runs import optuna_storage

    return optuna.load_study(study_name=name, storage=optuna_storage(storage)).get_trials()


def cell_of(trial: "optuna.trial.FrozenTrial") -> Cell:
    """The cell of a trial's parameters."""
    return SPACE.canonical(SPACE.from_genotype(tuple(trial.params[f"gene {n}"] for n in range(len(trial.params)))))


def consistent(storage: str, name: str) -> None:
    """What must hold at the end of every run, whatever happened to its workers."""
    import optuna

    from svge_core.search.runs import read_run

    view = read_run(storage, name)
    assert view.state == "finished"
    assert view.evaluated == view.config.budget
    numbers = [e.number for e in view.evaluations]
    assert numbers == sorted(set(numbers))
    assert len({e.notation for e in view.evaluations}) == len(view.evaluations)
    assert all(e.values is not None and e.finished is not None for e in view.done)
    complete = [trial for trial in trials(storage, name) if trial.state == optuna.trial.TrialState.COMPLETE]
    assert {cell_of(trial): tuple(trial.values) for trial in complete} == {e.cell: e.values for e in view.done}
    assert len(complete) == len(view.done)
    named = [trial.user_attrs["claim"] for trial in trials(storage, name) if "claim" in trial.user_attrs]
    assert len(named) == len(set(named))
    assert sorted(trial.number for trial in trials(storage, name)) == list(range(len(trials(storage, name))))
    assert all(trial.state.is_finished() for trial in trials(storage, name))


def started(storage: str, **changed: Any) -> str:
    """A stored run that nobody works on."""
    from svge_core.search.runs import create_run

    return create_run(storage, config(**changed))


def execute(
    storage: str,
    name: str,
    on_evaluation: "Callable[[Evaluation], None] | None" = None,
    *,
    allow_python: "AllowPython" = True,
    wait: bool = False,
) -> "RunState":
    """``execute`` of a run whose function we agreed to."""
    from svge_core.search.runs import loop

    return loop.execute(storage, name, on_evaluation, allow_python=allow_python, wait=wait)


def in_child(action: Callable[[], object]) -> Any:
    """A forked process that does something; it has everything imported, so it begins at once.

    It hears signals as a program at a terminal does, also if the tests were started in the background or with nohup,
    which have SIGINT and SIGHUP ignored.
    """

    def act() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        action()

    process = get_context("fork").Process(target=act, daemon=True)
    process.start()
    return process


def kill(process: Any) -> None:
    """kill -9, and gone."""
    os.kill(process.pid, signal.SIGKILL)
    process.join()
