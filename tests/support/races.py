"""Runs made up for tests of the Search page and its charts: no store, no search."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from svge_core.data.meaning import ScoreMeaning
from svge_core.search.objectives.goals import Goal
from svge_core.search.runs.types import YOUR_LABELS, Evaluation, RunState, RunView, SearchConfig
from svge_core.spaces.registry import get_space

SPACE = get_space("nasbench201")
ACCURACY = ScoreMeaning(
    "cifar10_valid",
    "Validation accuracy",
    "%",
    "max",
    "CIFAR-10",
    "validation",
    200,
    "mean",
    "measured",
    "a table",
    role="accuracy",
    origin="imported",
    single_run=False,
)
PARAMS = ScoreMeaning(
    "params_m",
    "Parameters",
    "million",
    "min",
    "",
    "",
    None,
    "",
    "analytic",
    "the structure",
    role="cost",
    origin="analytic",
    single_run=False,
)
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def view(
    values: Sequence[float | tuple[float, ...]],
    method: str = "random",
    seed: int = 0,
    *,
    state: RunState = "finished",
    budget: int | None = None,
    optimum: float | None = None,
    labels: int = 0,
    goals: Sequence[ScoreMeaning] = (ACCURACY,),
    predicted: bool = False,
) -> RunView:
    """A run with these values, one cell after another of the official order.

    Args:
        values: in the order of the evaluations.
        method: name of the searcher.
        seed: of the run.
        state: of the run.
        budget: as asked for; None for as many as there are values.
        optimum: best value there is.
        labels: how many of the first values are existing labels.
        goals: what the values are.
        predicted: the goals are a predictor's.
    """
    meanings = [replace(goal, kind="predicted") if predicted else goal for goal in goals]
    evaluations = []
    for number, value in enumerate(values):
        cell = SPACE.canonical(SPACE.from_index(number))
        numbers = value if isinstance(value, tuple) else (value,)
        source = YOUR_LABELS if number < labels else "=made up"
        evaluations.append(
            Evaluation(number, cell, SPACE.format(cell), numbers, source, 90.0, 0.5, "done", NOW, NOW, "here:1")
        )
    config = SearchConfig(
        "nasbench201",
        tuple(f"table:{goal.key}" for goal in goals),
        method,
        budget or max(1, len(values) - labels),
        seed,
        name=f"{method}-{seed}",
        race="race",
    )
    return RunView(
        config,
        tuple(Goal(meaning.key, meaning) for meaning in meanings),
        state,
        tuple(evaluations),
        None if optimum is None else (optimum,),
        "",
        SPACE.title,
    )
