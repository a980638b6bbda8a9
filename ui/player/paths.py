"""A path for the player: a frame for every stop, a drawing for every architecture, its score as it is known."""

from collections.abc import Callable, Sequence
from functools import lru_cache

from svge_core.atlas import PlaneName
from svge_core.cells import Cell, Highlight
from svge_core.drawing import ThemeName, to_svg
from svge_core.explorer import Explorer
from svge_core.interpolation import LatentPath, PathScores
from svge_core.spaces import get_space
from ui.player.component import PlayerCurve, PlayerFrame, PlayerPicture
from ui.shared.theme import theme_name


@lru_cache(maxsize=2_048)
def drawing(cell: Cell, space: str, theme: ThemeName, mark: Highlight | None) -> str:
    """A cell's drawing with what changed marked; kept, because it is shown anew with every step."""
    return to_svg(cell, get_space(space), theme=theme, highlight=mark)


def path_places(explorer: Explorer, plane: PlaneName, path: LatentPath) -> list[tuple[float, float]]:
    """Where the stops lie on a map: charted latents exactly, others at the average of their neighbours' places."""
    xy = explorer.atlas.planes[plane].xy
    rows = [_charted(explorer, path, number) for number in range(len(path.stops))]
    return [
        explorer.locate(plane, stop.latent) if row is None else (float(xy[row, 0]), float(xy[row, 1]))
        for stop, row in zip(path.stops, rows, strict=True)
    ]


def _charted(explorer: Explorer, path: LatentPath, number: int) -> int | None:
    """The row whose latent a stop lies at; None between known cells."""
    if path.kind == "graph":
        return path.stops[number].row
    ends: dict[int, Callable[[], int | None]] = {
        0: lambda: explorer.row_of(path.start),
        len(path.stops) - 1: lambda: explorer.row_of(path.end),
    }
    return ends[number]() if number in ends else None


def path_frames(
    path: LatentPath, points: Sequence[tuple[float, float]], scores: PathScores | None
) -> list[PlayerFrame]:
    """A frame for every stop, with the number of its drawing in :func:`path_pictures`.

    Args:
        path: that is played.
        points: places of its stops on the map.
        scores: that are followed, if any.
    """
    found = []
    for stop, (x, y) in zip(path.stops, points, strict=True):
        words = f"Stop {stop.number}: {'no valid cell' if stop.index is None else f'#{stop.index}'}"
        if scores is not None:
            known, mean = scores.known[stop.number], scores.predicted.mean[stop.number]
            unit = f" {scores.meaning.unit}" if scores.meaning.unit else ""
            words += "" if known != known else f" · {scores.meaning.kind} {known:.{scores.digits}f}{unit}"
            words += "" if mean != mean else f" · predicted ≈ {mean:.{scores.digits}f}{unit}"
        found.append(PlayerFrame(x, y, words, path.frame_of(stop.number)))
    return found


def path_pictures(path: LatentPath, space: str) -> list[PlayerPicture]:
    """A drawing for every architecture on the way, with what changed from the one before marked."""
    marks = [None if frame.change is None else frame.change.second for frame in path.frames]
    return [
        PlayerPicture(drawing(frame.cell, space, theme_name(), mark), mark is not None)
        for frame, mark in zip(path.frames, marks, strict=True)
    ]


def path_curves(scores: PathScores | None) -> tuple[list[PlayerCurve], str]:
    """What is known and predicted along the way, and what it is."""
    if scores is None:
        return [], ""
    found = []
    if scores.any_known:
        found.append(PlayerCurve(scores.meaning.kind, tuple(map(_value, scores.known))))
    if scores.any_predicted:
        found.append(PlayerCurve("≈ predicted", tuple(map(_value, scores.predicted.mean)), "#8a63d2", "predicted"))
    unit = f" ({scores.meaning.unit})" if scores.meaning.unit else ""
    return found, f"{scores.title}{unit}"


def _value(value: float) -> float | None:
    return None if value != value else float(value)
