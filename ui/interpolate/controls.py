"""The rows above a path: A and B by text or from the basket, the kind of path, its stops. Each writes session state."""

import streamlit as st

from svge_core.atlas import PlaneName
from svge_core.errors import SvgeError
from svge_core.explorer import Explorer, find_forms
from svge_core.interpolation import FEWEST_STOPS, MOST_STOPS, LatentPath, PathKind
from ui.interpolate.path import ENDS, LINE, change, go_to, position, swap_ends, typed_end
from ui.map.controls import layout_control
from ui.shared import session
from ui.shared.basket import indices_of
from ui.shared.path_buttons import set_end
from ui.shared.theme import plain

KINDS: dict[PathKind, str] = {"linear": "Straight", "spherical": "Spherical", "graph": "Over neighbours"}
#: entries of the basket that are offered
OFFERED = 30


def controls(explorer: Explorer, plane: PlaneName) -> None:
    """Show both rows."""
    choice = session.path_choice()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="path-ends"):
        _end(explorer, "start", choice.start)
        st.button(
            "Swap A and B",
            key="path-swap",
            icon=":material/swap_horiz:",
            on_click=swap_ends,
            disabled=choice.start is None and choice.end is None,
            help="Walk the other way round",
        )
        _end(explorer, "end", choice.end)
    if notice := session.said(LINE):
        st.error(plain(notice.text), icon=":material/search_off:")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="path-controls"):
        st.session_state["w-path-kind"] = choice.kind
        st.segmented_control(
            "Path",
            list(KINDS),
            format_func=KINDS.__getitem__,
            key="w-path-kind",
            required=True,
            on_change=lambda: change(kind=st.session_state["w-path-kind"]),
            help="Straight: evenly spaced on the line from A to B in the latent space. Spherical: on an arc about its "
            "origin. Over neighbours: from known cell to known cell, the shortest way on the graph of nearest latents.",
        )
        st.session_state["w-path-stops"] = choice.stops
        st.slider(
            "Stops",
            FEWEST_STOPS,
            MOST_STOPS,
            key="w-path-stops",
            width=230,
            disabled=choice.kind == "graph",
            on_change=lambda: change(stops=int(st.session_state["w-path-stops"])),
            help="With A and B. A path over neighbours has as many as it needs.",
        )
        layout_control("Map", "w-path-plane", explorer, plane, session.set_plane)
        st.session_state["w-path-constrained"] = choice.constrained
        st.toggle(
            "Constrained decoding",
            key="w-path-constrained",
            disabled=choice.kind == "graph",
            on_change=lambda: change(constrained=bool(st.session_state["w-path-constrained"])),
            help="Keeps the decoder inside the space, as the map does, so that every stop is a valid cell. Off, you "
            "see what the decoder says by itself.",
        )


def _end(explorer: Explorer, end: str, index: int | None) -> None:
    """One end: a text field, and the basket beside it."""
    name = ENDS[end]
    st.session_state[f"w-path-{end}"] = "" if index is None else f"#{index}"
    st.text_input(
        f"{'Start' if end == 'start' else 'End'} ({name})",
        key=f"w-path-{end}",
        width=250,
        placeholder="string, index, genotype …",
        on_change=_typed,
        args=(explorer, end),
        help=plain(f"Reads {find_forms(explorer.space)}. Or choose on the map: Start of path, End of path."),
    )
    entries = session.basket()[:OFFERED]
    with st.popover("Basket", icon=":material/shopping_cart:", key=f"path-basket-{end}", help=f"Take {name} from it"):
        if not entries:
            st.caption("The basket is empty. Put architectures aside on the Map page.")
        for number, (entry, other) in enumerate(
            zip(entries, indices_of(entries, explorer.space), strict=False), start=1
        ):
            st.button(
                f"{number}. **#{other}** {plain(entry.label[:40])}",
                key=f"path-take-{end}-{other}",
                type="tertiary",
                help=plain(entry.notation),
                on_click=set_end,
                args=(end, other),
                disabled=other == index,
            )


def _typed(explorer: Explorer, end: str) -> None:
    try:
        typed_end(explorer, end, st.session_state[f"w-path-{end}"])
    except SvgeError as error:
        session.say(LINE, f"{ENDS[end]}: {error}")


def position_bar(path: LatentPath) -> None:
    """The slider that walks along the path, between two buttons."""
    last, now = len(path.stops) - 1, position(path)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="path-position"):
        st.button(
            "Previous stop",
            key="path-previous",
            icon=":material/chevron_left:",
            disabled=now == 0,
            on_click=go_to,
            args=(path, now - 1),
        )
        if last:
            st.session_state["w-path-at"] = now
            st.slider(
                f"Stop, 0 is A and {last} is B",
                0,
                last,
                key="w-path-at",
                on_change=lambda: go_to(path, int(st.session_state["w-path-at"])),
            )
        else:
            st.markdown("The path has one stop.", width="stretch")
        st.button(
            "Next stop",
            key="path-next",
            icon=":material/chevron_right:",
            disabled=now == last,
            on_click=go_to,
            args=(path, now + 1),
        )
