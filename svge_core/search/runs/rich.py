"""A run as it shows itself in a notebook."""

from typing import TYPE_CHECKING

from svge_core.data import score_name
from svge_core.drawing import PageText, rich_block, rich_drawing, rich_row, rich_table, to_svg
from svge_core.errors import SvgeError
from svge_core.search.searchers import METHODS
from svge_core.spaces import get_space

if TYPE_CHECKING:
    from svge_core.search.runs.types import Evaluation, RunView

#: evaluations in the table
MOST_ROWS = 5


def run_html(run: "RunView") -> str:
    """What was searched and how, the best architecture drawn, and the best five in a table."""
    config, goals, best = run.config, run.goals, run.leading(MOST_ROWS)[:MOST_ROWS]
    method = METHODS[config.method].title if config.method in METHODS else config.method
    labels = f" beside {run.start_count} existing labels" if run.start_count else ""
    named = [f"{score_name(goal.meaning)} ({goal.kind})" for goal in goals]
    lines = [
        f"{run.domain_title}. {method}, seed {config.seed}: {run.state}, {run.evaluated} of {config.budget} "
        f"evaluations{labels}.",
        *(f"{name}: {goal.meaning.describe()}." for name, goal in zip(named, goals, strict=True)),
        run.problem,
    ]
    if run.optimum is not None and len(goals) == 1:
        lines.append(f"Best of all: {_number(run.optimum[0])}{_unit(run, 0)}; the search does not see it.")
    if not best:
        return rich_block(config.name, [*lines, "No evaluation is finished."])
    if len(goals) > 1:
        lines.append(
            f"Pareto front: {len(run.front())} of {len(run.done)} architectures; best in the first goal first."
        )
    rows: list[list[str | PageText]] = []
    for each in best:
        values = [
            PageText(f"{'≈ ' if guessed else ''}{_number(value)}{_unit(run, place)}", italic=guessed)
            for place, value in enumerate(each.values or ())
            for guessed in (goals[place].kind == "predicted",)
        ]
        rows.append([str(each.number), each.notation, *values, each.source])
    return rich_block(
        config.name,
        lines,
        rich_row(_drawn(run, best[0])),
        rich_table(("No.", "Architecture", *named, "Proposed by"), rows),
    )


def _drawn(run: "RunView", best: "Evaluation") -> list[str]:
    try:
        space = get_space(run.config.space)
    except SvgeError:  # a space of one's own that is not registered here
        return []
    return [
        rich_drawing(
            to_svg(best.cell, space),
            [f"no. {best.number}, the best{' in the first goal' if len(run.goals) > 1 else ''}"],
        )
    ]


def _number(value: float) -> str:
    return f"{value:,.5g}"


def _unit(run: "RunView", goal: int) -> str:
    unit = run.goals[goal].meaning.unit
    return f" {'M' if unit == 'million' else unit}" if unit else ""
