"""Links: what the address of a page asks for, and keeping the address in line with what is shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

import streamlit as st

from svge_core.atlas import PlaneName
from svge_core.comparison import MOST_CELLS
from svge_core.errors import SvgeError
from svge_core.explorer import CellName
from svge_core.interpolation import FEWEST_STOPS, MOST_STOPS, PathKind
from svge_core.spaces import SPACES, AbstractSearchSpace
from ui.shared import reruns, session
from ui.shared.choices import FURTHEST, CellFocus, CompareChoice, Focus, MapDisplay, PlaceFocus
from ui.shared.display_links import DISPLAY_PARAMETERS, display_parameters, parse_display

_PATH_PARAMETERS = ("a", "b", "path", "stops", "t", "constrained", "score")
_COMPARE_PARAMETERS = ("cells", "with")
_PARAMETERS = (
    *("space", "checkpoint", "plane", "colour", "cell", "x", "y", "at"),
    *DISPLAY_PARAMETERS,
    *_PATH_PARAMETERS,
    *_COMPARE_PARAMETERS,
)


@dataclass(frozen=True)
class Link:
    """What a link asks for; what it does not name stays as it is.

    Attributes:
        path: fields of the path choice.
        display: fields of how the map is drawn.
        compare: what stands side by side.
        problems: parts that make no sense, each one line.
    """

    space: str | None = None
    checkpoint: str | None = None
    plane: PlaneName | None = None
    colour: str | None = None
    focus: Focus | None = None
    path: Mapping[str, Any] = field(default_factory=dict)
    display: Mapping[str, Any] = field(default_factory=dict)
    compare: CompareChoice | None = None
    problems: tuple[str, ...] = field(default=())


def parse_link(parameters: Mapping[str, str]) -> Link:
    """Read ``?space=&checkpoint=&plane=&colour=`` with ``&cell=`` or ``&x=&y=``, a path or a comparison.

    See :func:`parse_path` and :func:`parse_comparison`.
    """
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
    chosen_space = SPACES[space or session.space_name()]
    size = chosen_space.size or 0
    if (text := parameters.get("cell")) is not None:
        name = _index(text, size) if size else _notation(text, chosen_space)
        place = None if name is None else CellFocus(name)
        if place is None:
            problems.append(_no_index("cell", text, size))
    elif "x" in parameters or "y" in parameters:
        x, y = (_finite(parameters.get(name, "")) for name in ("x", "y"))
        if x is None or y is None:
            problems.append(f"The link's x and y are not both numbers up to {FURTHEST:g}.")
        else:
            # a place keeps the map it was chosen on, also while another one is shown
            at = parameters.get("at")
            on = at if at in ("umap", "pca") else chosen or session.plane() or "umap"
            place = PlaceFocus(on, x, y)  # type: ignore[arg-type]
    path, wrong = parse_path(parameters, size)
    display, odd = parse_display(parameters)
    compare, strange = parse_comparison(parameters, chosen_space)
    problems += [*wrong, *odd, *strange]
    # pyright narrows a membership test over literals
    return Link(
        space,
        parameters.get("checkpoint"),
        chosen,
        parameters.get("colour"),
        place,
        path,
        display,
        compare,
        tuple(problems),  # type: ignore[arg-type]
    )


def _no_index(name: str, text: str, size: int) -> str:
    if not size:
        return f"The link's {name} {text[:40]!r} is no notation of a cell, and cells of this space have no index."
    return f"The link's {name} {text[:40]!r} is no index between 0 and {size - 1:,}."


def parse_path(parameters: Mapping[str, str], size: int) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Read ``?a=&b=&path=&stops=&t=&constrained=&score=``: the fields of a path choice, and what made no sense."""
    found: dict[str, Any] = {}
    problems: list[str] = []
    for name, end in (("a", "start"), ("b", "end")):
        if (text := parameters.get(name)) is None:
            continue
        if (index := _index(text, size)) is None:
            problems.append(_no_index(name, text, size))
        else:
            found[end] = index
    if (kind := parameters.get("path")) in get_args(PathKind):
        found["kind"] = kind
    elif kind is not None:
        problems.append(f"The link's path {kind[:40]!r} is unknown: expected {', '.join(get_args(PathKind))}.")
    if (text := parameters.get("stops")) is not None:
        count = _index(text, MOST_STOPS + 1)
        if count is None or count < FEWEST_STOPS:
            problems.append(f"The link's stops {text[:40]!r} are not {FEWEST_STOPS} to {MOST_STOPS}.")
        else:
            found["stops"] = count
    if (text := parameters.get("t")) is not None:
        share = _finite(text)
        if share is None or not 0 <= share <= 1:
            problems.append(f"The link's t {text[:40]!r} is no number from 0 to 1.")
        else:
            found["share"] = share
    if "constrained" in parameters:
        found["constrained"] = parameters["constrained"] == "1"
    if "score" in parameters:
        found["score"] = parameters["score"][:80]
    return found, tuple(problems)


def parse_comparison(
    parameters: Mapping[str, str], space: AbstractSearchSpace
) -> tuple[CompareChoice | None, tuple[str, ...]]:
    """Read ``?cells=&with=``: indices with commas between, or notations one a line, and the number of one of them."""
    if (text := parameters.get("cells")) is None:
        return None, ()
    problems: list[str] = []
    names: dict[CellName, None] = {}
    repeated: dict[CellName, None] = {}
    for part in filter(None, text.split(_between(space))):
        name = _index(part, space.size) if space.size else _notation(part, space)
        if name is None:
            problems.append(_no_index("cells", part, space.size or 0))
        elif name in names:
            repeated[name] = None
        else:
            names[name] = None
    problems += [
        f"The link names the architecture {str(name)[:40]} more than once; it is shown once." for name in repeated
    ]
    if len(names) > MOST_CELLS:
        problems.append(f"The link compares {len(names)} architectures; the first {MOST_CELLS} are shown.")
    cells = tuple(names)[:MOST_CELLS]
    reference = 1
    if (number := parameters.get("with")) is not None:
        reference = _index(number, MOST_CELLS + 1) or 0
        if not 1 <= reference <= len(cells):
            problems.append(f"The link's with {number[:40]!r} is none of the {len(cells)} architectures.")
            reference = 1
    return CompareChoice(cells, reference - 1), tuple(problems)


def _between(space: AbstractSearchSpace) -> str:
    """What stands between cells: a notation may hold commas, but is one line."""
    return "," if space.size is not None else "\n"


def follow_link(checkpoints: Mapping[tuple[str, str], Path]) -> tuple[str, ...]:
    """Take over what the address asks for, once, and return what made no sense in it.

    Args:
        checkpoints: the folders there are, by space and name.
    """
    found = _address()
    if not found or reruns.link_known(found):
        return ()
    reruns.note_link(found)
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
    now = session.focus()
    # an address rounds a place: the one that was kept is the same place, and more exact
    if link.focus is not None and (now is None or _focus_parameters(now) != _focus_parameters(link.focus)):
        session.arrive_at(link.focus)
    if link.display or link.colour:
        # an address says what differs from the usual look: who opens it sees what was seen, whatever they had chosen
        session.set_display(replace(MapDisplay(), **link.display))
    if link.path:
        session.set_path_choice(replace(session.path_choice(), **link.path))
    if link.compare is not None:
        session.set_compare_choice(link.compare)
    return tuple(problems)


def write_link(shown_plane: PlaneName, shown_colour: str) -> None:
    """Bring the address of the Map page in line with what is shown."""
    parameters = _common(shown_plane, shown_colour)
    if (now := session.focus()) is not None:
        parameters |= _focus_parameters(now)
        if parameters.get("at") == shown_plane:
            del parameters["at"]
    _write(parameters)


def _focus_parameters(focus: Focus) -> dict[str, str]:
    if isinstance(focus, CellFocus):
        return {"cell": str(focus.name)}
    return {"x": f"{focus.x:.6g}", "y": f"{focus.y:.6g}", "at": focus.plane}


def write_path_link(shown_plane: PlaneName, shown_colour: str) -> None:
    """Bring the address of the Interpolate page in line with what is shown."""
    choice = session.path_choice()
    parameters = _common(shown_plane, shown_colour)
    for name, index in (("a", choice.start), ("b", choice.end)):
        if index is not None:
            parameters[name] = str(index)
    parameters |= {"path": choice.kind, "stops": str(choice.stops), "t": f"{choice.share:.4g}"}
    if choice.constrained:
        parameters["constrained"] = "1"
    if choice.score:
        parameters["score"] = choice.score
    _write(parameters)


def write_compare_link(space: AbstractSearchSpace) -> None:
    """Bring the address of the Compare page in line with what is shown."""
    choice, parameters = session.compare_choice(), _space_parameters()
    if choice.cells:
        parameters["cells"] = _between(space).join(map(str, choice.cells))
    if choice.reference:
        parameters["with"] = str(choice.reference + 1)
    _write(parameters)


def write_space_link() -> None:
    """Bring the address of a page without a map in line with the space and checkpoint; what else it names stays."""
    parameters = _space_parameters()
    reruns.note_link(parameters)
    for name in _address().keys() - parameters.keys():
        del st.query_params[name]
    for name, value in parameters.items():
        if st.query_params.get(name) != value:
            st.query_params[name] = value


def _common(shown_plane: PlaneName, shown_colour: str) -> dict[str, str]:
    shown = {"plane": shown_plane, "colour": shown_colour}
    return _space_parameters() | shown | display_parameters(session.display(), shown_colour)


def _space_parameters() -> dict[str, str]:
    folder = session.checkpoint()
    parameters = {"space": session.space_name()}
    return parameters if folder is None else parameters | {"checkpoint": folder.name}


def _address() -> dict[str, str]:
    return {name: st.query_params[name] for name in _PARAMETERS if name in st.query_params}


def _write(parameters: dict[str, str]) -> None:
    reruns.note_link(parameters)
    if _address() != parameters:
        st.query_params.from_dict(parameters)


def _index(text: str, size: int) -> int | None:
    """A number from 0 to ``size`` - 1 in plain digits."""
    good = text.isascii() and text.isdigit() and len(text) <= len(str(size)) and int(text) < size
    return int(text) if good else None


def _notation(text: str, space: AbstractSearchSpace) -> str | None:
    """A cell of a space without indices in its one notation; None for what is none."""
    try:
        return space.format(space.canonical(space.parse(text)))
    except SvgeError:
        return None


def _finite(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) <= FURTHEST else None
