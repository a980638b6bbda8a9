"""How long the network of a cell takes on this machine: measured on request, and a column like any other."""

import streamlit as st

from svge_core.data import meaning_from_dict
from svge_core.errors import SvgeError
from svge_core.spaces import AbstractSearchSpace
from ui.paths import shared
from ui.shared.theme import plain
from ui.shared.trained import cell_training_jobs, latency_folder, own_measurements
from ui.visitors import acts, rules


def latency_section(space: AbstractSearchSpace, notation: str) -> None:
    """The part of the panel that times the network of the cell in focus.

    Args:
        space: of the cell; it has networks.
        notation: of the cell, canonical.
    """
    with st.expander("Latency on this machine", icon=":material/timer:", key="cell-latency"):
        if shared():
            st.caption(rules.TIMING_OFF)
            return
        for found in own_measurements(space.name)[::-1]:
            for each in found.latencies if found.cell == notation else ():
                meaning = meaning_from_dict(each.meaning)
                st.markdown(
                    f"{plain(meaning.title)}: **{each.median_ms:.3g} ms** "
                    f"({each.low_ms:.3g} to {each.high_ms:.3g} between the quartiles)",
                    help=plain(meaning.describe()),
                )
        st.caption(
            "The network in its authors' size, 1 and 32 images, by PyTorch and ONNX Runtime on one thread: median of "
            "30 runs. Whatever else this machine does makes it slower. Other sizes: `svge measure`."
        )
        busy = cell_training_jobs().running() is not None
        if busy:
            st.caption("A cell is being trained: measure when that is over.")
        if not st.button("Measure", key="cell-latency-measure", icon=":material/timer:", disabled=busy):
            return
        try:
            with st.spinner("Timing the network ..."):
                acts.measure_cell(space.name, notation, {}, latency_folder())
        except SvgeError as error:
            st.error(plain(str(error)))
            return
        st.rerun()  # the new columns are on the whole page
