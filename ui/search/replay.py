"""A run that is over, played again: evaluation by evaluation, with the best so far and the trail on the map."""

from collections.abc import Mapping
from functools import partial

import numpy as np

from svge_core.cells import difference
from svge_core.explorer import Explorer
from svge_core.figures import method_style
from svge_core.search import best_curves, comparable
from svge_core.search.runs import Evaluation, RunView
from svge_core.spaces import AbstractSearchSpace, get_space
from ui.player.component import PlayerCurve, PlayerFrame, PlayerPicture, player
from ui.player.paths import drawing
from ui.search import state
from ui.search.trail import MAP_KEY, place_of, shown_plane
from ui.shared import reruns
from ui.shared.numbers import number_in_words
from ui.shared.theme import theme_name

#: evaluations that are played: more would take minutes and fill the page
MOST = 2_000
_NOWHERE = (float("nan"), float("nan"))


def show_replay(explorer: Explorer | None, view: RunView, views: Mapping[str, RunView]) -> None:
    """Show the player; where a person stops, that evaluation is looked at.

    Args:
        explorer: of the space, if it is open: without one there is no map to play on.
        view: the run.
        views: the runs that are drawn with it: the medians of their methods stand beside its curve.
    """
    done = view.done[:MOST]
    if len(done) < 2:
        return
    others = [other for other in views.values() if comparable(view, other)]
    on_map = explorer if explorer is not None and explorer.space.name == view.config.space else None
    plane = "" if on_map is None else shown_plane(on_map)
    stamp = (view.config.name, str(view.evaluations[0].started), len(view.done))
    identity = (*stamp, plane, None if on_map is None else on_map.digest, theme_name())
    frames, pictures = reruns.memo("replay", identity, lambda: _frames(on_map, view, done))
    # which runs stand beside it changes what is drawn, and not what is played: its place stays
    beside = tuple((other.config.name, len(other.done)) for other in others)
    curves = reruns.memo("replay curves", (identity, beside), lambda: _curves(view, done, others))

    def stopped(frame: int) -> None:
        number = None if frame == len(done) - 1 else done[frame].number
        state.choose_evaluation(view.config.name, number)

    goal = view.goals[0]
    unit = f" ({goal.meaning.unit})" if goal.meaning.unit else ""
    mark = "≈ predicted: " if goal.kind == "predicted" else ""
    player(
        key="search-player",
        map_key=MAP_KEY,
        kind="search",
        identity=str(identity),
        frames=frames,
        pictures=pictures,
        curves=curves,
        title=f"{mark}{goal.meaning.title}{unit}, {goal.kind}",
        at=len(done) - 1,
        on_stop=stopped,
    )


def _frames(
    explorer: Explorer | None, view: RunView, done: tuple[Evaluation, ...]
) -> tuple[list[PlayerFrame], list[PlayerPicture]]:
    """A frame for every evaluation; the drawing is of the best so far, with what changed from the best before."""
    space, goal = get_space(view.config.space), view.goals[0]
    best, values = view.best_so_far(), view.values[:, 0]
    unit = f" {goal.meaning.unit}" if goal.meaning.unit else ""
    about = "≈ " if goal.kind == "predicted" else ""
    written = partial(number_in_words, unit=goal.meaning.unit)
    frames: list[PlayerFrame] = []
    pictures: list[PlayerPicture] = []
    kept: Evaluation | None = None
    for place, e in enumerate(done):
        if kept is None or best[place] != best[place - 1]:
            pictures.append(_picture(space, kept, e))
            kept = e
        x, y = _NOWHERE if explorer is None else place_of(explorer, shown_plane(explorer), e.cell)
        name = f" · cell #{space.index(e.cell)}" if space.size is not None else ""
        words = f"Evaluation {place + 1} of {len(done)}{name}: {about}{written(values[place])}{unit}"
        words += f" · best so far {about}{written(best[place])}{unit}"
        frames.append(PlayerFrame(x, y, words, len(pictures) - 1, f"#{e.number}"))
    return frames, pictures


def _picture(space: AbstractSearchSpace, before: Evaluation | None, now: Evaluation) -> PlayerPicture:
    mark = None if before is None else difference(before.cell, now.cell).second
    return PlayerPicture(drawing(now.cell, space.name, theme_name(), mark), mark is not None)


def _curves(view: RunView, done: tuple[Evaluation, ...], others: list[RunView]) -> list[PlayerCurve]:
    """The run's best so far first, then what each evaluation gave, then the medians of the methods beside it."""
    values, best = view.values[: len(done), 0], view.best_so_far()[: len(done)]
    found = [
        PlayerCurve("best so far", tuple(map(float, best)), "", "steps"),
        PlayerCurve("evaluations", tuple(map(float, values)), "#8a8f98", "dots"),
    ]
    if len(others) > 1:
        for curve in best_curves([("", others)]):
            style = method_style(curve.method, theme_name())
            column = np.full(len(done), np.nan)
            column[: len(curve.median)] = curve.median[: len(done)]
            shown = tuple(None if value != value else float(value) for value in column)
            found.append(PlayerCurve(f"{style.title}, median of {curve.runs}", shown, style.colour, "steps"))
    return found
