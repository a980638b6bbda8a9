"""The chosen path, laid once and kept; where on it one stands; and the moves along it. Callbacks write, panels read."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from svge_core.atlas import COUNTED, PlaneName
from svge_core.explorer import Explorer, find_cell
from svge_core.interpolation import (
    AROUND,
    NEIGHBOURS,
    WHOLE,
    LatentPath,
    NeighbourGraph,
    PathScores,
    lay_path,
    neighbour_graph,
    path_scores,
    score_titles,
)
from svge_core.spaces import SPACES
from ui.player.paths import path_places
from ui.shared import reruns, session
from ui.shared.choices import CellFocus, PathChoice
from ui.shared.opening import best_rows, first_score
from ui.shared.path_buttons import set_end
from ui.shared.waiting import waiting

ENDS = {"start": "A", "end": "B"}
#: the line under the controls
LINE = "interpolate"


def shown_choice(explorer: Explorer) -> PathChoice:
    """The chosen path; while neither end is chosen, an example: from the best cell by the first score to the worst."""
    choice = session.path_choice()
    if choice.start is not None or choice.end is not None:
        return choice
    ends = reruns.memo("example ends", explorer.digest, lambda: _best_and_worst(explorer))
    return choice if ends is None else replace(choice, start=ends[0], end=ends[1])


def is_example() -> bool:
    """Whether nobody has chosen an end."""
    choice = session.path_choice()
    return choice.start is None and choice.end is None


def _best_and_worst(explorer: Explorer) -> tuple[int, int] | None:
    """Official indices; None where there are no two values."""
    if (by := first_score(explorer)) is None:
        return None
    other = replace(by, direction="min" if by.direction == "max" else "max")
    rows = [*best_rows(by, None, 1), *best_rows(other, None, 1)]
    indices = explorer.atlas.indices[rows].tolist()
    return (indices[0], indices[1]) if len(set(indices)) == 2 else None


def chosen_path(explorer: Explorer) -> LatentPath | None:
    """The path that is chosen, or the example; None while one end is missing.

    Raises:
        SvgeError: if it cannot be laid.
    """
    choice = shown_choice(explorer)
    if choice.start is None or choice.end is None:
        return None
    start, end = (explorer.space.from_index(index) for index in (choice.start, choice.end))

    def lay() -> LatentPath:
        with _waiting(explorer) if choice.kind == "graph" else nullcontext():
            return lay_path(
                explorer,
                start,
                end,
                choice.kind,
                choice.stops,
                constrained=choice.constrained,
                whole=lambda k: _whole_graph(explorer.atlas.digest, k, explorer.atlas.latents),
            )

    return reruns.memo("path", identity_of_path(explorer), lay)


def identity_of_path(explorer: Explorer) -> tuple[str, PathChoice]:
    """What a path depends on: all of the choice but the shown place and the score."""
    return explorer.atlas.digest, replace(shown_choice(explorer), share=0.0, score="")


@st.cache_resource(max_entries=6, show_spinner=False)
def _whole_graph(digest: str, k: int, _latents: np.ndarray) -> NeighbourGraph:
    """The graph of a whole chart: the same for everybody, and seconds of work."""
    return neighbour_graph(_latents, k)


def _waiting(explorer: Explorer) -> AbstractContextManager[object]:
    count = len(explorer.atlas)
    which = f"{count:,} cells" if count <= WHOLE else f"the {AROUND:,} of {count:,} cells around A and B"
    return waiting(f"Joining {which} with their {NEIGHBOURS} nearest …", COUNTED[0])


def position(path: LatentPath) -> int:
    """The stop that is shown."""
    return round(session.path_choice().share * (len(path.stops) - 1))


def go_to(path: LatentPath, number: int) -> None:
    """Show a stop; the focus of all pages walks along. At an invalid stop it is the likeliest member there."""
    last = len(path.stops) - 1
    number = min(max(number, 0), last)
    change(share=number / last if last else 0.0)
    stop = path.stops[number]
    if stop.member is not None and (index := member_index(path, number)) is not None:
        session.walk_focus(CellFocus(index))


def member_index(path: LatentPath, number: int) -> int | None:
    """Official index of the likeliest member of the space at a stop."""
    space, member = SPACES[session.space_name()], path.stops[number].member
    return None if member is None or space.size is None else space.index(member)


def change(**fields: Any) -> None:
    """Change parts of the choice."""
    session.set_path_choice(replace(session.path_choice(), **fields))


def swap_ends() -> None:
    """Walk the other way round; the shown place stays where it is."""
    now = session.path_choice()
    session.set_path_choice(replace(now, start=now.end, end=now.start, share=1 - now.share))


def random_ends(explorer: Explorer) -> None:
    """Two random charted cells."""
    rows = np.random.default_rng().choice(len(explorer.atlas), 2, replace=False)
    start, end = explorer.atlas.indices[rows].tolist()
    change(start=start, end=end, share=0.0)


def typed_end(explorer: Explorer, end: str, text: str) -> None:
    """Choose an end by what a person typed; nothing typed removes it.

    Raises:
        ParseError: in one line, with what was expected.
    """
    if not text.strip():
        change(**{end: None}, share=0.0)
    else:
        set_end(end, explorer.space.index(find_cell(explorer.space, text)))


def shown_scores(explorer: Explorer, path: LatentPath) -> PathScores | None:
    """The chosen score along the path, or the first there is; None where nothing is known or predicted of any cell."""
    titles = score_titles(explorer)
    if not titles:
        return None
    key = shown_score(titles)
    return reruns.memo(
        "path scores", (explorer.digest, identity_of_path(explorer), key), lambda: path_scores(explorer, path, key)
    )


def shown_score(titles: Mapping[str, str]) -> str:
    """Key of the chosen score, or of the first there is."""
    chosen = session.path_choice().score
    return chosen if chosen in titles else next(iter(titles))


def places(explorer: Explorer, plane: PlaneName, path: LatentPath) -> list[tuple[float, float]]:
    """Where the stops lie on a map: charted latents exactly, others at the average of their neighbours' places."""
    return reruns.memo("path places", (plane, identity_of_path(explorer)), lambda: path_places(explorer, plane, path))


def nearest_stop(points: list[tuple[float, float]], x: float, y: float) -> int:
    """The stop whose place on the map is nearest."""
    return int(np.argmin([np.hypot(px - x, py - y) for px, py in points]))


def both_ends(choice: PathChoice) -> bool:
    """Whether A and B are chosen."""
    return choice.start is not None and choice.end is not None
