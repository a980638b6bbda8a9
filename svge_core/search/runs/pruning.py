"""Early stops of poor cells: Optuna's own pruners over what trainings have reached after each epoch.

What is reached early stands in an Optuna study beside that of the run, in the same store, so that all workers of a run
compare with each other and a resumed run knows what was before. It never enters the run's own values.
"""

from typing import Any

from svge_core.cells import Cell
from svge_core.search.history import Direction
from svge_core.search.objectives import GoOn, OwnProcess, PrunedError, TrainedInProcess, largest_stage, split_word
from svge_core.search.runs.optuna_study import delete_study, optuna_storage, quiet
from svge_core.search.runs.preparing import RunContext
from svge_core.search.runs.types import SearchConfig

#: of so many trainings that reach a rung, one goes on to the next
REDUCTION = 3


class EarlyStops:
    """What decides whether a training goes on.

    Args:
        way: a key of :data:`svge_core.search.runs.limits.PRUNERS`.
        epochs: of a full training.
        direction: of the goal.
        storage: URL of the store; None keeps everything in memory.
        run: name of the run.
    """

    def __init__(
        self, way: str, epochs: int, direction: Direction, storage: str | None = None, run: str = "run"
    ) -> None:
        import optuna
        from optuna.pruners import HyperbandPruner, SuccessiveHalvingPruner

        pruner = (
            HyperbandPruner(min_resource=1, max_resource=epochs, reduction_factor=REDUCTION)
            if way == "hyperband"
            else SuccessiveHalvingPruner(min_resource=1, reduction_factor=REDUCTION)
        )
        with quiet():
            self.study = optuna.create_study(
                storage=None if storage is None else optuna_storage(storage),
                study_name=stops_name(run),
                sampler=optuna.samplers.RandomSampler(0),  # nothing is drawn: the cells are the run's own
                pruner=pruner,
                direction="maximize" if direction == "max" else "minimize",
                load_if_exists=True,
            )

    def begin(self, cell: str) -> "StagedEvaluation":
        """One training.

        Args:
            cell: in the notation of its space, for those who open the study.
        """
        with quiet():
            trial = self.study.ask()
            trial.set_user_attr("notation", cell)
        return StagedEvaluation(self.study, trial)


class StagedEvaluation:
    """One training, epoch by epoch."""

    def __init__(self, study: Any, trial: Any) -> None:
        self._study, self._trial = study, trial

    @property
    def go_on(self) -> GoOn:
        """Told what an epoch has reached; False if others were better."""

        def ask(epoch: int, value: float) -> bool:
            with quiet():
                self._trial.report(value, epoch)
                return not self._trial.should_prune()

        return ask

    def end(self, value: float | None, *, pruned: bool = False) -> None:
        """The training is over.

        Args:
            value: what a full one has reached; None for one that was stopped or failed.
            pruned: it was stopped.
        """
        from optuna.trial import TrialState

        with quiet():
            if value is not None:
                self._study.tell(self._trial, value)
            else:
                self._study.tell(self._trial, state=TrialState.PRUNED if pruned else TrialState.FAIL)


def early_stops(storage_url: str, config: SearchConfig, prepared: RunContext) -> EarlyStops | None:
    """What stops trainings of poor cells, if the run asks for it."""
    if not config.prune:
        return None
    epochs = largest_stage(split_word(config.objective[0])[1])
    return EarlyStops(config.prune, epochs, prepared.objective.goals[0].direction, storage_url, config.name)


def evaluated(stops: EarlyStops | None, prepared: RunContext, cell: Cell) -> tuple[float, ...]:
    """What the objective of a run says of a cell.

    Raises:
        PrunedError: if its training was stopped early.
        Exception: whatever else the objective raises.
    """
    objective = prepared.objective
    if stops is None or not isinstance(objective, OwnProcess | TrainedInProcess):
        return objective.evaluate(cell)
    staged = stops.begin(prepared.space.format(cell))
    value, pruned = None, False
    try:
        values = objective.evaluate(cell, staged.go_on)
        value = values[0]
        return values
    except PrunedError:
        pruned = True
        raise
    finally:
        staged.end(value, pruned=pruned)


def stops_name(run: str) -> str:
    """Name of the study of a run's early stops."""
    return f"{run} (early stops)"


def delete_stops(storage: str, run: str) -> None:
    """Remove the study of a run's early stops; nothing happens if there is none."""
    delete_study(storage, stops_name(run))
