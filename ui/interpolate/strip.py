"""The filmstrip of a path, its numbers in words, and its files."""

from functools import partial

import streamlit as st

from svge_core.cells import change_in_words, edits_in_words
from svge_core.explorer import Explorer
from svge_core.figures.paper import path_sheet
from svge_core.interpolation import Frame, LatentPath, PathScores, path_to_csv, path_to_json
from ui.interpolate.path import go_to, position
from ui.player.paths import drawing
from ui.shared import session
from ui.shared.figure_button import FigureOffer, checkpoint_words, figure_button, in_python, opening, own_note, typed
from ui.shared.theme import plain, theme_name

#: of a frame, by whether the space's drawings are wide (feature maps in a row) or tall
WIDE, TALL = 248, 178


def stops_in_words(frame: Frame) -> str:
    """The stops of a frame, and how many they are."""
    if frame.first == frame.last:
        return f"Stop {frame.first}"
    return f"Stops {frame.first}–{frame.last} × {len(frame.stops)} steps"


def filmstrip(explorer: Explorer, path: LatentPath, scores: PathScores | None) -> None:
    """One frame for every architecture on the way, in a row that scrolls."""
    here = path.frame_of(position(path))
    width = WIDE if explorer.space.views()[0].sideways else TALL
    with st.container(horizontal=True, gap="small", key="filmstrip", vertical_alignment="top"):
        for place in range(len(path.frames)):
            key = "frame-now" if place == here else f"frame-{place}"
            with st.container(border=True, width=width, gap="xsmall", key=key):
                _frame(explorer, path, scores, place, place == here)


def _frame(explorer: Explorer, path: LatentPath, scores: PathScores | None, place: int, now: bool) -> None:
    frame = path.frames[place]
    ends = " · ".join(
        name for name, stop in (("A", 0), ("B", len(path.stops) - 1)) if frame.first <= stop <= frame.last
    )
    st.button(
        f"{'**' + ends + '** · ' if ends else ''}{stops_in_words(frame)}",
        key=f"frame-go-{frame.first}",
        type="primary" if now else "secondary",
        width="stretch",
        on_click=go_to,
        args=(path, frame.first),
    )
    mark = None if frame.change is None else frame.change.second
    what = f"cell #{frame.stops[0].index}" if frame.stops[0].index is not None else "graph that is no valid cell"
    st.image(
        drawing(frame.cell, explorer.space.name, theme_name(), mark),
        width="stretch",
        alt=f"{stops_in_words(frame)}: {what}",
    )
    st.markdown(_caption(path, scores, place))


def _caption(path: LatentPath, scores: PathScores | None, place: int) -> str:
    frame = path.frames[place]
    stop = frame.stops[0]
    lines = [f"**#{stop.index}**" if stop.index is not None else ":red-badge[invalid step]"]
    if stop.valid and any(stop.raw_reason for stop in frame.stops) and path.kind != "graph":
        lines.append(":orange-badge[valid only constrained]")
    if frame.change is not None:
        words = change_in_words(frame.change, path.frames[place - 1].cell, frame.cell)
        lines.append(f"**{edits_in_words(frame.change.edits)}** · {words}")
    if scores is not None:
        known, mean = scores.known[stop.number], scores.predicted.mean[stop.number]
        if known == known:  # not NaN
            lines.append(f"{scores.meaning.kind} **{known:.{scores.digits}f}**")
        if mean == mean:
            lines.append(f":violet[*≈ {mean:.{scores.digits}f}*]")
    if stop.reason:
        lines.append(plain(stop.reason))
    return "  \n".join(lines)


def numbers_in_words(explorer: Explorer, path: LatentPath) -> str:
    """The path in one paragraph of numbers."""
    found = path.numbers(explorer.space.key)
    jumps = len(path.frames) - 1
    invalid = ", ".join(
        str(frame.first) if frame.first == frame.last else f"{frame.first}–{frame.last}"
        for frame in path.frames
        if not frame.stops[0].valid
    )
    same = found.distinct - found.functions
    parts = [
        f"**{found.distinct}** distinct cell{'' if found.distinct == 1 else 's'} on **{found.stops}** stops"
        + (f" (by what they compute, {found.functions})" if same else ""),
        f"**{found.repeats}** repeat{'' if found.repeats == 1 else 's'}",
        f"**{found.invalid}** invalid step{'' if found.invalid == 1 else 's'}"
        + (f" (stop{'' if found.invalid == 1 else 's'} {invalid})" if invalid else ""),
    ]
    if path.constrained and found.invalid_raw:
        parts[-1] += f" (unconstrained: {found.invalid_raw})"
    if jumps:
        parts.append(
            f"**{edits_in_words(found.edits)}** in {jumps} jump{'' if jumps == 1 else 's'} "
            f"(A to B at once: {found.direct})"
        )
        parts.append(f"largest jump **{edits_in_words(found.largest)}**, to stop {found.largest_to}")
    parts.append(f"latent length **{found.length:.2f}** (straight: {found.straight:.2f})")
    return " · ".join(parts)


def exports(explorer: Explorer, path: LatentPath, score: str) -> None:
    """The path as files, and as a figure with the shown score."""
    space = explorer.space.name
    start, end = (explorer.space.index(cell) for cell in (path.start, path.end))
    name = f"{space}-path-{start}-{end}-{path.kind}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="path-exports"):
        st.download_button(
            "JSON",
            key="path-json",
            icon=":material/download:",
            mime="application/json",
            on_click="ignore",
            data=lambda: path_to_json(explorer, path).encode(),
            file_name=f"{name}.json",
            help="Every stop with its latent, and every architecture with all that is known about it",
        )
        st.download_button(
            "CSV",
            key="path-csv",
            icon=":material/download:",
            mime="text/csv",
            on_click="ignore",
            data=lambda: path_to_csv(explorer, path).encode(),
            file_name=f"{name}.csv",
            help="One row per stop",
        )
        figure_button("path", partial(_figure, explorer, path, score))


def _figure(explorer: Explorer, path: LatentPath, score: str) -> FigureOffer:
    """The path as a figure for a paper."""
    space, stops = explorer.space, len(path.stops) if path.kind != "graph" else session.path_choice().stops
    ends = [path.start, path.end]
    words = [
        *(typed(explorer, cell) for cell in ends),
        *checkpoint_words(explorer),
        "--kind",
        path.kind,
        "--stops",
        str(stops),
        "--score",
        score,
    ]
    laid = f"*{in_python(explorer, ends)}, {path.kind!r}, stops={stops}, constrained={path.constrained}"
    return FigureOffer(
        "path",
        f"{space.name}-path",
        partial(path_sheet, explorer, path, score),
        [*words, "--constrained"] if path.constrained else words,
        f"{opening(explorer)}way = svge.interpolate(explorer, {laid})\n"
        f"svge.figure_path(explorer, way, {score!r}, width={{width}}, path={{path}})",
        own_note(explorer),
    )
