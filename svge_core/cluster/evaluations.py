"""The evaluations of a search as Ray tasks: each with the processors and graphics cards it needs, tried once by Ray.

Ray says how a task came to its end; what that means (again, failed, given up) is decided by the ledger of the run, by
the same rule for a lost node as for any other death: :mod:`svge_core.search.runs.deaths`.
"""

import os
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from svge_core.cells import Cell
from svge_core.cluster.connection import first_words, load_ray, machines, readable_failures
from svge_core.errors import DataError, SvgeError
from svge_core.search.objectives import Objective, one_line
from svge_core.search.runs import ObjectiveRecipe, OpenElsewhere, Outcome

#: seconds for which the size of the cluster is taken for known: nodes come and go
SIZE_SECONDS = 2.0
#: values, a problem, seconds of the evaluation
Answer = tuple[tuple[float, ...] | None, str, float]


@dataclass(frozen=True)
class Needs:
    """What one task takes of the machine that it runs on.

    Attributes:
        cpus: processors; may be a part of one.
        gpus: graphics cards; may be a part of one.

    Raises:
        DataError: if it needs nothing, or less.
    """

    cpus: int | float = 1
    gpus: int | float = 0

    def __post_init__(self) -> None:
        if not (0 <= self.cpus < 1e6 and 0 <= self.gpus < 1e6 and self.cpus + self.gpus > 0):
            raise DataError(
                f"A task needs 0 or more processors and graphics cards, and some of either; got {self.cpus:g} and "
                f"{self.gpus:g}.",
                settings=("cpus_per_evaluation", "gpus_per_evaluation"),
            )

    def places(self, resources: Mapping[str, float]) -> int:
        """How many such tasks a machine with these resources has room for."""
        wanted = {"CPU": self.cpus, "GPU": self.gpus}
        # 1e-9: thirds of a card are three to a card
        return min(int(resources.get(name, 0.0) / need + 1e-9) for name, need in wanted.items() if need > 0)

    def in_words(self) -> str:
        """For messages."""
        return f"{self.cpus:g} CPU and {self.gpus:g} GPU" if self.gpus else f"{self.cpus:g} CPU"


@dataclass(frozen=True)
class Surroundings:
    """Where the code of a driver is found, for tasks on machines that have the same folders.

    Attributes:
        folder: the driver's working folder, by which it may name a checkpoint.
        paths: where it imports from.
        first: called in every process before anything else, such as :func:`svge_core.plugins.load_plugins`.
    """

    folder: str
    paths: tuple[str, ...]
    first: Callable[[], object] | None

    @classmethod
    def here(cls, first: Callable[[], object] | None = None) -> "Surroundings":
        """Of this process."""
        return cls(str(Path.cwd()), tuple(path or str(Path.cwd()) for path in sys.path), first)

    def enter(self) -> None:
        """Import from there too, and work there, as far as that is on this machine and nothing else was sent here."""
        known = set(sys.path)
        sys.path.extend(path for path in self.paths if path not in known and Path(path).exists())
        if Path(self.folder).is_dir() and "runtime_resources" not in Path.cwd().parts:
            os.chdir(self.folder)
        if self.first is not None:
            self.first()


#: the objective of this process, by the key of its recipe: made once, used by task after task
_made: dict[str, Objective] = {}


def _evaluate(key: str, recipe: Sequence[Any], cell: Cell | None) -> Answer:
    """One evaluation, in a worker process of Ray; without a cell the objective is made and nothing is evaluated.

    Args:
        key: of the recipe.
        recipe: where it lies, a list of one, so that Ray fetches it only when it is asked to.
        cell: to evaluate.
    """
    began = time.monotonic()
    if key not in _made:
        made, surroundings = load_ray().get(recipe[0])
        _made.clear()  # of the run before
        try:
            surroundings.enter()
            _made[key] = made.objective()
        except SvgeError as error:
            return None, " ".join(str(error).split())[:500], 0.0
    if cell is None:
        return (), "", 0.0
    began = time.monotonic()
    try:
        values, problem = _made[key].evaluate(cell), ""
    except SvgeError as error:
        values, problem = None, " ".join(str(error).split())[:500]
    except (Exception, KeyboardInterrupt) as error:  # one bad evaluation does not end a search
        values, problem = None, one_line(error)
    return values, problem, time.monotonic() - began


class RayEvaluations:
    """Evaluations on the cluster that this process is connected to; see :class:`svge_core.search.runs.Elsewhere`.

    Args:
        recipe: of the objective.
        needs: of one evaluation.
        most: evaluations at a time; None for as many as the cluster has room for, whenever it is looked at.
        first: called in every process that evaluates before the objective is made, such as
            :func:`svge_core.plugins.load_plugins`.

    Raises:
        SvgeError: if no machine of the cluster has what one evaluation needs, or the objective cannot be made there.
    """

    def __init__(
        self, recipe: ObjectiveRecipe, needs: Needs, most: int | None = None, first: Callable[[], object] | None = None
    ) -> None:
        self.ray, self.needs, self.most = load_ray(), needs, most
        self._flying: dict[Any, int] = {}
        self._size, self._looked = 0, -SIZE_SECONDS
        # Ray tries no task again: the ledger counts deaths, and gives a cell up that has seen too many
        options = {"num_cpus": needs.cpus, "num_gpus": needs.gpus, "max_retries": 0, "scheduling_strategy": "SPREAD"}
        self._task = self.ray.remote(**options)(_evaluate)
        if most is None and self.places() == 0:
            raise SvgeError(
                f"No machine of the cluster has the {needs.in_words()} that one evaluation needs; the largest has "
                f"{self._largest()}. Where machines are started on demand, say how many evaluations at a time.",
                settings=("cpus_per_evaluation", "gpus_per_evaluation", "parallel"),
            )
        with self._readable():
            self._recipe = [self.ray.put((recipe, Surroundings.here(first)))]
            self._key = os.urandom(8).hex()
            # where the objective cannot be made, no cell is to blame: found out before one is sent
            _, problem, _ = self.ray.get(self._task.remote(self._key, self._recipe, None))
        if problem:
            raise SvgeError(f"The objective cannot be had on the machines of the cluster: {problem}")

    def places(self) -> int:
        """See the protocol."""
        if self.most is not None:
            return self.most
        if time.monotonic() - self._looked >= SIZE_SECONDS:
            with self._readable():
                self._size, self._looked = sum(map(self.needs.places, machines(self.ray))), time.monotonic()
        return self._size

    def submit(self, ticket: int, cell: Cell) -> None:
        """See the protocol."""
        with self._readable():
            self._flying[self._task.remote(self._key, self._recipe, cell)] = ticket

    def finished(self, seconds: float) -> list[Outcome]:
        """See the protocol."""
        if not self._flying:
            time.sleep(seconds)
            return []
        flying = list(self._flying)
        with self._readable():
            # the first one is waited for; then all that are there are taken, with no more waiting
            ready, _ = self.ray.wait(flying, num_returns=1, timeout=seconds, fetch_local=True)
            if ready and len(flying) > 1:
                ready, _ = self.ray.wait(flying, num_returns=len(flying), timeout=0, fetch_local=True)
            return [self._outcome(reference) for reference in ready]

    def forget(self) -> None:
        """See the protocol."""
        for reference in self._flying:
            with suppress(Exception):  # the cluster may be gone, and nobody waits for an answer
                self.ray.cancel(reference, force=True)
        self._flying.clear()

    def _outcome(self, reference: Any) -> Outcome:
        exceptions = self.ray.exceptions
        ticket = self._flying.pop(reference)
        try:
            values, problem, seconds = self.ray.get(reference)
        except exceptions.RayTaskError as error:  # not of the function, whose errors are an answer: of its arguments
            return Outcome(ticket, problem=one_line(error.cause or error))
        except (exceptions.RuntimeEnvSetupError, exceptions.TaskUnschedulableError):
            raise
        except exceptions.RayError as error:
            return Outcome(ticket, died=_death(exceptions, error))
        return Outcome(ticket, values, problem, seconds=seconds)

    def _largest(self) -> str:
        there = machines(self.ray)
        most = {name: max((each.get(name, 0.0) for each in there), default=0.0) for name in ("CPU", "GPU")}
        return f"{most['CPU']:g} CPU and {most['GPU']:g} GPU"

    def _readable(self) -> AbstractContextManager[None]:
        return readable_failures(self.ray, "What is known is stored: resume the run when the cluster is there again.")


def _death(exceptions: Any, error: Exception) -> str:
    """How the process of a task came to its end, in a few words."""
    ways = {
        "NodeDiedError": "its machine was lost",
        "OutOfMemoryError": "killed for want of memory",
        "WorkerCrashedError": "its process ended",
        "TaskCancelledError": "cancelled on the cluster",
    }
    way = next((words for name, words in ways.items() if isinstance(error, getattr(exceptions, name, ()))), "")
    return way or f"{type(error).__name__}: {first_words(error)}"


def evaluations_on_ray(
    needs: Needs | None = None, most: int | None = None, first: Callable[[], object] | None = None
) -> OpenElsewhere:
    """Where :func:`svge_core.search.runs.execute_elsewhere` has the evaluations happen.

    Args:
        needs: of one evaluation; None for one processor.
        most: evaluations at a time, as in :class:`RayEvaluations`.
        first: as there.
    """

    @contextmanager
    def opened(recipe: ObjectiveRecipe) -> Generator[RayEvaluations, None, None]:
        place = RayEvaluations(recipe, needs or Needs(), most, first)
        try:
            yield place
        finally:
            place.forget()

    return opened
