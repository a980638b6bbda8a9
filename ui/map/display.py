"""How the map draws its points: colours by rank or value, their limits, contours, the surface between the cells."""

from dataclasses import replace

import streamlit as st

from svge_core.explorer import Column
from ui.shared import session
from ui.shared.choices import ColourScale
from ui.shared.map_look import hand_limits
from ui.shared.theme import plain

SCALES: dict[ColourScale, str] = {"ranks": "By rank", "values": "By value"}
LINE = "display"


def display(shown: Column) -> None:
    """Show the choices.

    Args:
        shown: the column that colours the map.
    """
    now = session.display()
    if shown.categories:
        st.caption("The colours are categories.")
    else:
        _colours(shown)
    st.session_state["w-contours"] = now.contours
    st.toggle(
        "Density contours",
        key="w-contours",
        on_change=lambda: _set(contours=bool(st.session_state["w-contours"])),
        help="Lines around the densest places of the map that hold 25, 50, 75 and 95 % of its points.",
    )
    st.session_state["w-surface"] = now.surface
    st.toggle(
        "Surface between the cells",
        key="w-surface",
        on_change=lambda: _set(surface=bool(st.session_state["w-surface"])),
        disabled=bool(shown.categories),
        help="The distance-weighted average of the 8 nearest cells with a value, near cells only. It is interpolated "
        "on the map: nothing is decoded or measured.",
    )
    st.session_state["w-regions"] = now.regions
    st.toggle(
        "Names of regions",
        key="w-regions",
        on_change=lambda: _set(regions=bool(st.session_state["w-regions"])),
        help="What most cells of a region share and others do not. Below the map stands of how many it is true.",
    )
    st.session_state["w-second"] = now.second.shown
    st.toggle(
        "Second map",
        key="w-second",
        on_change=lambda: _set(second=replace(session.display().second, shown=bool(st.session_state["w-second"]))),
        help="The same cells beside it, in another layout, colour or checkpoint. What is chosen, marked, dimmed or "
        "selected on one is so on both.",
    )


def _colours(shown: Column) -> None:
    now = session.display()
    if shown.name.kind == "error":
        st.caption("Errors are coloured by value: the middle colour is no error.")
    else:
        st.session_state["w-scale"] = now.scale
        st.segmented_control(
            "Colours",
            list(SCALES),
            format_func=lambda scale: SCALES[scale],
            key="w-scale",
            required=True,
            on_change=lambda: _set(scale=st.session_state["w-scale"]),
            help="By rank, equal numbers of cells take equal parts of the colours, so that good cells differ in colour "
            "however close their values are. By value, equal differences do.",
        )
    chosen = hand_limits(shown)
    low, high = chosen or (shown.low, shown.high)
    unit = f" ({plain(shown.unit)})" if shown.unit else ""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        for key, words, value in (("w-limit-low", "from", low), ("w-limit-high", "to", high)):
            st.session_state[key] = float(value)
            st.number_input(
                f"Colours {words}{unit}", key=key, format="%.6g", on_change=_limit, args=(shown,), width=150
            )
    st.button("Usual limits", key="w-limit-reset", disabled=chosen is None, on_click=_usual)
    if notice := session.said(LINE):
        st.error(plain(notice.text))


def _set(**changes: object) -> None:
    session.set_display(replace(session.display(), **changes))  # type: ignore[arg-type]


def _limit(shown: Column) -> None:
    low, high = st.session_state["w-limit-low"], st.session_state["w-limit-high"]
    if low is None or high is None or not low < high:
        session.say(LINE, "The colours need two limits, the lower one first; those of before stay.")
    else:
        _set(limits=(float(low), float(high)), limits_of=shown.name.key)


def _usual() -> None:
    _set(limits=None, limits_of="")
