"""Every pair of a comparison: edits, function, distance, and the way to the path between the two."""

import streamlit as st

from svge_core.cells import change_in_words
from svge_core.comparison import CellPair, Comparison, distance_in_words, edits_of_pair
from svge_core.data import has_indices
from ui.shared import session
from ui.shared.path_buttons import set_end
from ui.shared.theme import plain


def pairs(comparison: Comparison) -> None:
    """Show them."""
    space = comparison.space
    st.markdown(
        "##### Between each pair",
        help=plain(
            "Edits: operations changed, nodes and edges added or removed. Distance: Euclidean, in the latent space of "
            f"the checkpoint. Computes the same: {space.equivalence}"
        ),
    )
    for pair in comparison.pairs:
        key = f"compare-pair-{pair.first}-{pair.second}"
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=key):
            st.markdown(_words(comparison, pair), width="stretch")
            if has_indices(space) and st.button(
                "Path between",
                key=f"compare-path-{pair.first}-{pair.second}",
                icon=":material/timeline:",
                help=f"Walk from architecture {pair.first + 1} to {pair.second + 1} on the Interpolate page",
            ):
                with session.one_step():
                    for end, place in (("start", pair.first), ("end", pair.second)):
                        set_end(end, space.index(comparison.architectures[place]))
                st.switch_page("pages/interpolate.py")


def _words(comparison: Comparison, pair: CellPair) -> str:
    names, cells = comparison.names, comparison.architectures
    ends = f"**{pair.first + 1}: {plain(names[pair.first])}** and **{pair.second + 1}: {plain(names[pair.second])}**"
    change = change_in_words(pair.change, cells[pair.first], cells[pair.second])
    same = ":green-badge[computes the same]" if pair.same_function else ":gray-badge[another function]"
    edits = f"**{edits_of_pair(pair)}**" + (f" ({change})" if change else "")
    return f"{ends} {same}  \n{edits} · latent distance **{plain(distance_in_words(pair)).replace(',', '**,', 1)}"
