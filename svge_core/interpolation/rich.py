"""A path as it shows itself in a notebook."""

from typing import TYPE_CHECKING

import numpy as np

from svge_core.cells import change_in_words
from svge_core.drawing import rich_block, rich_drawing, rich_row, rich_table, to_svg

if TYPE_CHECKING:
    from svge_core.interpolation.path import Frame, LatentPath

#: architectures that are drawn, the ends among them; the table has them all
MOST_DRAWN = 8


def path_html(path: "LatentPath") -> str:
    """What lies on the way: its numbers, drawings with what changed marked, and every architecture in a table."""
    space, frames = path.space, path.frames
    numbers = path.numbers(space.key)
    rows = []
    for place, frame in enumerate(frames):
        what = space.format(frame.cell) if frame.stops[0].valid else f"no member: {frame.stops[0].reason}"
        change = "" if frame.change is None else change_in_words(frame.change, frames[place - 1].cell, frame.cell)
        rows.append([_stops(frame), f"{frame.stops[0].distance:.2f}", what, change])
    chosen = np.unique(np.linspace(0, len(frames) - 1, min(MOST_DRAWN, len(frames))).round().astype(int)).tolist()
    drawings = []
    for place in chosen:
        frame = frames[place]
        mark = None if frame.change is None else frame.change.second
        below = [_stops(frame)] if frame.stops[0].valid else [_stops(frame), "no member of the space"]
        drawings.append(rich_drawing(to_svg(frame.cell, space, highlight=mark), below, width=14))
    drawn = "" if len(chosen) == len(frames) else f" Drawn: {len(chosen)} of {len(frames)} architectures."
    return rich_block(
        f"Path in {space.title}: {path.kind}",
        [
            path.note,
            path.fallback,
            f"{numbers.stops} stops, {numbers.distinct} different members of the space, {numbers.functions} that "
            f"compute different things; {numbers.invalid} stops are no member. {numbers.edits} edits on the way, "
            f"{numbers.direct} from end to end. Marked: what changed from the one before.{drawn}",
        ],
        rich_row(drawings),
        rich_table(("Stops", "Way from A", "Architecture", "Change"), rows),
    )


def _stops(frame: "Frame") -> str:
    return f"stop {frame.first}" if frame.first == frame.last else f"stops {frame.first} to {frame.last}"
