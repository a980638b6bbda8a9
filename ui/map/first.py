"""The line above the map: the best cell there is, and three ways to begin: the best ten, an empty place, a trip."""

import numpy as np
import streamlit as st

from svge_core.atlas import PlaneName, Projection
from svge_core.data import has_indices
from svge_core.explorer import Explorer, charted_name
from ui.map import travel
from ui.shared import opening, session
from ui.shared.choices import PlaceFocus
from ui.shared.opening import Ranked
from ui.shared.theme import plain

#: how many the list of the best holds
BEST = 10
#: places that are looked at before one is taken
_TRIED = 600


def first_row(explorer: Explorer, plane: PlaneName, found: Ranked | None, *, filtered: bool) -> None:
    """Show the line and the three.

    Args:
        explorer: of the checkpoint.
        plane: the shown map.
        found: the best cells; None where none has a value.
        filtered: whether a filter leaves some out.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="map-first"):
        if found is not None:
            st.markdown(opening.best_in_words(explorer, found, filtered=filtered), width="stretch")
            with st.popover(f"Best {len(found.rows)}", icon=":material/trophy:", key="first-best"):
                _best(explorer, plane, found, filtered=filtered)
        st.button(
            "Surprise me",
            key="first-surprise",
            icon=":material/casino:",
            on_click=_surprise,
            args=(explorer, plane),
            help="Decode a random empty place between the cells",
        )
        if found is not None and has_indices(explorer.space) and len(explorer.atlas) > 1:
            start = int(explorer.atlas.indices[found.rows[0]])
            st.button(
                "Travel",
                key="first-travel",
                icon=":material/route:",
                on_click=travel.set_out,
                args=(explorer, start),
                help="From the best cell straight to a random one, decoded on the way",
            )


def _best(explorer: Explorer, plane: PlaneName, found: Ranked, *, filtered: bool) -> None:
    which = " of those that pass the filter" if filtered else ""
    st.caption(plain(f"The best{which} by {found.column.name.title}."))
    with st.container(gap=None, key="first-best-list"):
        for rank, row in enumerate(found.rows, start=1):
            st.button(
                f"{rank}\\. **{plain(charted_name(explorer, row))}** · {opening.value_in_words(found.column, row)}",
                key=f"first-best-{rank}",
                type="tertiary",
                width="stretch",
                on_click=_go,
                args=(explorer, plane, row),
            )


def _go(explorer: Explorer, plane: PlaneName, row: int) -> None:
    session.set_focus(opening.focus_of(explorer, row))
    opening.fly_to(plane, *map(float, explorer.atlas.planes[plane].xy[row]))


def _surprise(explorer: Explorer, plane: PlaneName) -> None:
    x, y = empty_place(explorer.atlas.planes[plane], np.random.default_rng())
    session.set_focus(PlaceFocus(plane, x, y))
    opening.fly_to(plane, x, y)


def empty_place(layout: Projection, rng: np.random.Generator) -> tuple[float, float]:
    """A random place between known points: on none of them, and not in the far emptiness that the map greys.

    Args:
        layout: of the points.
        rng: of the choice.
    """
    spacing = max(layout.spacing, 1e-9)
    # around points, so that places are tried where there is something
    tried = layout.xy[rng.integers(len(layout.xy), size=_TRIED)] + rng.normal(scale=spacing, size=(_TRIED, 2))
    distances, _ = layout.tree.query(tried)
    between = np.flatnonzero((distances > 0.35 * spacing) & (distances < spacing))
    chosen = int(between[rng.integers(len(between))]) if len(between) else int(distances.argmax())
    return float(tried[chosen, 0]), float(tried[chosen, 1])
