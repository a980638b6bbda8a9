"""What there is to say about a focus: worked out once, for all people who look at the same place."""

import streamlit as st

from svge_core.atlas import PlaneName
from svge_core.explorer import Explorer, Inspection, cell_named
from ui.shared.choices import CellFocus, Focus

#: places that are remembered for everybody, a few kilobytes each
_REMEMBERED = 512


def inspected(explorer: Explorer, focus: Focus, chosen: PlaneName | None) -> Inspection:
    """All about a cell or a place.

    Args:
        explorer: with a person's own columns, if any: then nobody else shares the answer.
        focus: what is asked for.
        chosen: the map that is shown; None for the first there is.
    """
    plane = chosen if chosen in explorer.plane_names else None
    if any(meaning.origin == "user" for meaning in explorer.scores.meanings.values()):
        return _inspect(explorer, focus, plane)
    return _shared((explorer.digest, repr(focus), str(plane)), explorer, focus, plane)


@st.cache_resource(max_entries=_REMEMBERED, show_spinner=False)
def _shared(identity: tuple[str, str, str], _explorer: Explorer, _focus: Focus, _plane: PlaneName | None) -> Inspection:
    return _inspect(_explorer, _focus, _plane)


def _inspect(explorer: Explorer, focus: Focus, plane: PlaneName | None) -> Inspection:
    if isinstance(focus, CellFocus):
        return explorer.inspect_cell(cell_named(explorer.space, focus.name), plane=plane)
    return explorer.inspect_place(focus.plane, (focus.x, focus.y))
