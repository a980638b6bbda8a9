"""The network of the cell in focus, as code and as files to take away."""

import threading
from typing import Any

import streamlit as st

from svge_core.cells import Cell
from svge_core.errors import SvgeError
from svge_core.explorer import Explorer
from svge_core.exporting import ExportItem
from svge_core.network_export import code_of, count_parameters, network_files, network_zip
from svge_core.networks import network_sizes
from svge_core.spaces import AbstractSearchSpace
from ui.shared import reruns
from ui.shared.theme import plain

#: most that can be asked for of a size, here; the command line has no such bounds
MOST = 1000
#: of sizes that repeat layers: each layer takes time to make, even if only its parameters are counted
MOST_REPEATED = {"cells_per_stage": 20}
#: largest network that is made on this machine, in parameters; the command line has no such bound
LARGEST = 60_000_000
#: of the sizes that are called otherwise by people
_TITLES = {"num_classes": "Classes"}
_READY = "network_files"
#: held while a zip is made: the exporters take both cores and some hundred megabytes, whoever asks
_MAKING = threading.Lock()


def network_section(explorer: Explorer, cell: Cell) -> None:
    """Show the code of the cell's network, and download it or everything that runs it.

    Nothing is computed until the section is opened. Spaces that do not say how their networks are written have none.
    """
    space = explorer.space
    if space.network_code() is None:
        return
    section = st.expander("As code", key="network-section", icon=":material/code:", on_change="rerun")
    if not section.open:
        return
    with section:
        sizes = _chosen_sizes(space)
        (item,) = reruns.memo("network_item", (explorer.digest, cell), lambda: explorer.export_items([cell]))
        try:
            count = reruns.memo(
                "network_parameters",
                (explorer.digest, cell, tuple(sizes.items())),
                lambda: count_parameters(space, cell, **sizes),
            )
        except SvgeError as error:
            st.error(plain(str(error)))
            return
        st.markdown(f"**{count / 1e6:,.3f} M** parameters in these sizes")
        st.code(code_of(space, cell, sizes).cell, height=280)
        if count > LARGEST:
            st.warning(
                f"Networks of more than {LARGEST / 1e6:,.0f} M parameters are not made here. On the command line, "
                "`svge export` makes them."
            )
            return
        _downloads(space, item, sizes)


def _chosen_sizes(space: AbstractSearchSpace) -> dict[str, int]:
    """Sizes of the network; those of the authors until somebody types others."""
    with st.container(horizontal=True, gap="small", key="network-sizes"):
        return {
            name: int(
                st.number_input(
                    _TITLES.get(name, name.replace("_", " ").capitalize()),
                    min_value=1,
                    max_value=max(usual, MOST_REPEATED.get(name, MOST)),
                    value=usual,
                    key=f"network-{space.name}-{name}",
                    width=120,
                )
            )
            for name, usual in network_sizes(space).items()
        }


def _downloads(space: AbstractSearchSpace, item: ExportItem, sizes: dict[str, Any]) -> None:
    st.download_button(
        "model.py",
        key="network-model",
        icon=":material/download:",
        mime="text/x-python",
        on_click="ignore",
        # compared with the network before it is handed out
        data=lambda: network_files(space, item, ["model.py"], **sizes).content["model.py"],
        file_name="model.py",
        help="One file that needs PyTorch alone",
    )
    # made on demand, as the exporters take a while
    wanted = (space.name, item.cell, tuple(sizes.items()))
    ready = st.session_state.get(_READY)
    if ready is None or ready[0] != wanted:
        st.caption(
            "The zip holds model.py, train.py (the authors' recipe for a folder of images), weights, ONNX and "
            "torch.export. The weights are random: they are for trying the structure, not for use."
        )
        if not st.button("Make the zip", key="network-make", icon=":material/deployed_code:"):
            return
        if not _MAKING.acquire(blocking=False):
            st.warning("The server is making another zip, one at a time: press again later.")
            return
        try:
            with st.spinner("Writing the files and comparing them with the network ..."):
                made = network_files(space, item, **sizes)
        except SvgeError as error:
            st.error(plain(str(error)))
            return
        finally:
            _MAKING.release()
        ready = st.session_state[_READY] = (wanted, network_zip(made), max(made.differences.values()))
    st.caption(
        f"Compared with the network on 1 and 5 images: outputs differ by at most {ready[2]:.0e} of the largest. "
        "The weights are random."
    )
    st.download_button(
        "network.zip",
        key="network-zip",
        icon=":material/download:",
        mime="application/zip",
        on_click="ignore",
        data=ready[1],
        file_name=f"{space.name}-network.zip",
    )
