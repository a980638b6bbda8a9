"""The panel of the stop that is shown: the architecture there, what changed, what is known, how far known cells are."""

import streamlit as st

from svge_core.cells import change_in_words, edits_in_words
from svge_core.explorer import Explorer, Inspection, place_in_words
from svge_core.interpolation import LatentPath, Stop
from ui.interpolate.path import member_index, position
from ui.player.paths import drawing
from ui.shared import reruns, session
from ui.shared.basket import entry_for
from ui.shared.cell_panel import add_to_basket, names, structure, values_table
from ui.shared.theme import plain, theme_name
from ui.shared.widgets import show_drawing


def stop_panel(explorer: Explorer, path: LatentPath) -> None:
    """Show the stop."""
    number = position(path)
    stop, place = path.stops[number], path.frame_of(number)
    frame = path.frames[place]
    _head(explorer, path, stop)
    st.markdown(_badges(path, stop))
    with st.container(key="stop-drawing"):
        svg = drawing(stop.cell, explorer.space.name, theme_name(), frame.change and frame.change.second)
        show_drawing(svg, alt=f"Drawing of the architecture at stop {number}")
    if frame.change is not None:
        words = change_in_words(frame.change, path.frames[place - 1].cell, frame.cell)
        st.caption(f"Marked: what changed at stop {frame.first}: {edits_in_words(frame.change.edits)} ({words}).")
    if stop.valid and stop.index is not None:
        found = _inspected(explorer, stop.index)
        if table := values_table(found):
            with st.container(key="cell-values"):
                st.markdown(table)
        structure(found)
    else:
        st.warning(f"No member of {explorer.space.title}: {plain(stop.reason)}", icon=":material/error:")
        if (index := member_index(path, number)) is not None:
            st.caption(f"Kept inside the space, the decoder gives cell **#{index}** here: see *Constrained decoding*.")
    _surroundings(explorer, path, stop)
    if stop.valid and stop.index is not None:
        names(_inspected(explorer, stop.index), explorer.space)


def _inspected(explorer: Explorer, index: int) -> Inspection:
    return reruns.memo("stop inspection", (explorer.digest, index), lambda: explorer.inspect_cell(index, draws=1))


def _head(explorer: Explorer, path: LatentPath, stop: Stop) -> None:
    last = len(path.stops) - 1
    name = {0: "A", last: "B"}.get(stop.number, f"stop {stop.number} of {last}")
    what = f"Cell #{stop.index}" if stop.index is not None else "No valid cell"
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="stop-head"):
        st.markdown(f"##### {what} :gray[· {name}]", width="stretch")
        if stop.valid:
            entry = entry_for(explorer.space, stop.cell)
            inside = entry.notation in {other.notation for other in session.basket()}
            st.button(
                "In basket" if inside else "Basket",
                key="stop-basket",
                icon=":material/add_shopping_cart:",
                disabled=inside,
                help="Put this architecture into the basket",
                on_click=add_to_basket,
                args=(entry,),
            )
    st.page_link("pages/map.py", label="See its neighbourhood on the Map page", icon=":material/scatter_plot:")


def _badges(path: LatentPath, stop: Stop) -> str:
    badges = []
    if not stop.valid:
        badges.append(":red-badge[invalid step]")
    elif stop.raw_reason and path.kind != "graph":
        badges.append(":orange-badge[valid only with constrained decoding]")
    else:
        badges.append(":green-badge[valid cell]")
    if path.kind == "graph":
        badges.append(":gray-badge[a known cell, not decoded]")
    if stop.comes_back is False:
        given = "cell" if path.kind == "graph" else "A" if stop.number == 0 else "B"
        badges.append(
            f":orange-badge[the decoder gives another cell than this {given}]"
            if given == "cell"
            else f":orange-badge[not {given} itself]"
        )
    if stop.valid and stop.row is None:
        badges.append(":gray-badge[not on the map]")
    return " ".join(badges)


def _surroundings(explorer: Explorer, path: LatentPath, stop: Stop) -> None:
    """How far known cells are from the place."""
    if stop.comes_back is not None:  # it is the latent of a known cell
        return
    place = explorer.atlas.place_of_latent(stop.latent, (0.0, 0.0))
    words = plain(place_in_words(place, "latent"))
    if place.sparse:
        st.warning(words, icon=":material/explore_off:")
    else:
        st.caption(words)
