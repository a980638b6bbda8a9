"""Links: what the address of a page asks for, and keeping the address in line with what is shown."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from svge_core.projection import PlaneName
from svge_core.spaces import SPACES
from ui import session
from ui.session import CellFocus, Focus, PlaceFocus

_PARAMETERS = ("space", "checkpoint", "plane", "colour", "cell", "x", "y", "at")


@dataclass(frozen=True)
class Link:
    """What a link asks for; what it does not name stays as it is.

    Attributes:
        problems: parts that make no sense, each one line.
    """

    space: str | None = None
    checkpoint: str | None = None
    plane: PlaneName | None = None
    colour: str | None = None
    focus: Focus | None = None
    problems: tuple[str, ...] = field(default=())


def parse_link(parameters: Mapping[str, str]) -> Link:
    """Read ``?space=&checkpoint=&plane=&colour=`` with ``&cell=`` or ``&x=&y=``."""
    problems: list[str] = []
    space = parameters.get("space")
    if space is not None and space not in SPACES:
        problems.append(f"The link names an unknown search space {space[:40]!r}.")
        space = None
    named, chosen = parameters.get("plane"), None
    if named in ("umap", "pca"):
        chosen = named
    elif named is not None:
        problems.append(f"The link names an unknown map {named[:40]!r}: expected umap or pca.")
    place: Focus | None = None
    if (text := parameters.get("cell")) is not None:
        size = SPACES[space or session.space_name()].size or 0
        if text.isascii() and text.isdigit() and len(text) <= len(str(size)) and int(text) < size:
            place = CellFocus(int(text))
        else:
            problems.append(f"The link's cell {text[:40]!r} is no index between 0 and {size - 1:,}.")
    elif "x" in parameters or "y" in parameters:
        x, y = (_finite(parameters.get(name, "")) for name in ("x", "y"))
        if x is None or y is None:
            problems.append("The link's x and y are not both numbers.")
        else:
            # a place keeps the map it was chosen on, also while another one is shown
            at = parameters.get("at")
            on = at if at in ("umap", "pca") else chosen or session.plane() or "umap"
            place = PlaceFocus(on, x, y)  # type: ignore[arg-type]
    # pyright narrows a membership test over literals
    return Link(space, parameters.get("checkpoint"), chosen, parameters.get("colour"), place, tuple(problems))  # type: ignore[arg-type]


def follow_link(checkpoints: Mapping[tuple[str, str], Path]) -> tuple[str, ...]:
    """Take over what the address asks for, once, and return what made no sense in it.

    Args:
        checkpoints: the folders there are, by space and name.
    """
    found = {name: st.query_params[name] for name in _PARAMETERS if name in st.query_params}
    if not found or found == session.link_written():
        return ()
    session.set_link_written(found)
    link = parse_link(found)
    problems = list(link.problems)
    if link.space:
        session.set_space(link.space)
    if link.checkpoint:
        folder = checkpoints.get((session.space_name(), link.checkpoint))
        if folder is None:
            problems.append(f"The link's checkpoint {link.checkpoint[:60]!r} is not here; another one is shown.")
        else:
            session.set_checkpoint(folder)
    if link.plane:
        session.set_plane(link.plane)
    if link.colour:
        session.set_colour(link.colour)
    if link.focus is not None:
        session.set_focus(link.focus)
    return tuple(problems)


def write_link(shown_plane: PlaneName, shown_colour: str) -> None:
    """Bring the address in line with what is shown."""
    folder, now = session.checkpoint(), session.focus()
    parameters = {"space": session.space_name(), "plane": shown_plane, "colour": shown_colour}
    if folder is not None:
        parameters["checkpoint"] = folder.name
    if isinstance(now, CellFocus):
        parameters["cell"] = str(now.index)
    elif isinstance(now, PlaceFocus):
        parameters |= {"x": f"{now.x:.6g}", "y": f"{now.y:.6g}"}
        if now.plane != shown_plane:
            parameters["at"] = now.plane
    session.set_link_written(parameters)
    if {name: st.query_params[name] for name in _PARAMETERS if name in st.query_params} != parameters:
        st.query_params.from_dict(parameters)


def _finite(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
