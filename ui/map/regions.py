"""Names on the regions of the map, and of how many cells each is true."""

import streamlit as st

from svge_core.atlas import PlaneName
from svge_core.explorer import Explorer, Region, map_regions
from ui.latent_map.values import MapRegion
from ui.shared import session
from ui.shared.theme import plain


def region_names(explorer: Explorer, plane: PlaneName) -> tuple[MapRegion, ...]:
    """What stands on the map; nothing where people took it off."""
    return tuple(MapRegion(one.x, one.y, one.reach, one.name) for one in _shown(explorer, plane))


def region_list(explorer: Explorer, plane: PlaneName) -> None:
    """Show what the names are true of."""
    found = _shown(explorer, plane)
    if not found:
        return
    with st.expander("What the names on the map say"):
        st.caption(
            "The points were cut into clusters by their places alone. A name is what sets the structure of a cluster's "
            "cells apart from all others most; clusters that nothing sets apart have none. `2+` means two or more."
        )
        rows = ["| name | cells | true of | true of all others |", "|:---|---:|---:|---:|"]
        rows += [
            f"| {plain(one.name)} | {one.cells:,} | {100 * one.inside:.0f} % | {100 * one.elsewhere:.0f} % |"
            for one in found
        ]
        st.markdown("\n".join(rows))


def _shown(explorer: Explorer, plane: PlaneName) -> tuple[Region, ...]:
    return _found(explorer.atlas.digest, plane, explorer) if session.display().regions else ()


@st.cache_resource(max_entries=16, show_spinner=False)
def _found(atlas: str, plane: PlaneName, _explorer: Explorer) -> tuple[Region, ...]:
    return map_regions(_explorer, plane)
