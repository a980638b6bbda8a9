"""What all pages share in the sidebar: search space, checkpoint, device; and the way to the opened checkpoint."""

from pathlib import Path

import streamlit as st

from svge_core.atlas import chartable
from svge_core.data import has_indices
from svge_core.devices import usable_devices
from svge_core.errors import SvgeError
from svge_core.explorer import Explorer
from svge_core.spaces import SPACES, AbstractSearchSpace
from ui.paths import checkpoints_root
from ui.shared import loaders, reruns, session
from ui.shared.basket import basket_sidebar
from ui.shared.theme import plain

#: what there is of a space that is charted without indices
_ITS_MAP = ("pages/map.py", "Map: cells that were drawn for it", ":material/scatter_plot:")
#: pages that need no map, with what they do
_WITHOUT_MAP = (
    ("pages/search.py", "Search for good architectures", ":material/search:"),
    ("pages/distribution.py", "Distribution: learn what good ones have in common", ":material/hub:"),
    ("pages/model.py", "Model: what the checkpoint is worth", ":material/model_training:"),
)
DEVICE_TITLES = {"cuda": "CUDA GPU", "mps": "Apple GPU (MPS)", "cpu": "CPU"}


def sidebar(*, undo: bool) -> None:
    """Show the sidebar; what it chooses is in the session.

    Args:
        undo: show undo and redo beside the basket, where the page itself does not.
    """
    reruns.refresh_asked()  # this run is the one that was asked for
    folders = loaders.checkpoint_folders()
    with st.sidebar:
        there = {space for space, _ in folders}
        st.session_state["w-space"] = session.space_name()
        st.selectbox(
            "Search space",
            sorted(SPACES, key=lambda name: name not in there),
            format_func=lambda name: SPACES[name].title + ("" if name in there else " (no checkpoint)"),
            key="w-space",
            on_change=lambda: session.set_space(st.session_state["w-space"]),
        )
        names = [name for space, name in folders if space == session.space_name()]
        chosen = session.checkpoint()
        if chosen is None or chosen not in folders.values():
            if chosen is not None:
                st.warning(plain(f"The checkpoint {chosen.name[:60]!r} is not here any more; another one is shown."))
            session.set_checkpoint(folders[session.space_name(), names[0]] if names else None)
            chosen = session.checkpoint()
        if len(names) > 1 and chosen is not None:  # one is no choice; its name stands on the Model page
            st.session_state["w-checkpoint"] = chosen.name
            st.selectbox("Checkpoint", names, key="w-checkpoint", on_change=_checkpoint_chosen)
        devices = usable_devices()
        if session.device() not in devices:
            session.set_device(devices[0])
        if len(devices) > 1:  # most machines have the CPU alone: nothing to choose
            st.session_state["w-device"] = session.device()
            st.selectbox(
                "Device",
                devices,
                format_func=lambda name: DEVICE_TITLES[name],
                key="w-device",
                on_change=lambda: session.set_device(st.session_state["w-device"]),
                help="Models compute here: a CUDA GPU, else an Apple GPU, unless you choose the CPU, which is fast "
                "enough for all that is shipped.",
            )
        st.divider()
        basket_sidebar(opened_or_none, undo=undo)


def _checkpoint_chosen() -> None:
    folder = loaders.checkpoint_folders().get((session.space_name(), st.session_state["w-checkpoint"]))
    if folder is not None:
        session.set_checkpoint(folder)


def opened_or_none() -> Explorer | None:
    """The chosen checkpoint with the user's own scores, or nothing where it cannot be opened."""
    folder = session.checkpoint()
    try:
        opened = None if folder is None else loaders.explorer_for(folder, session.device() or "cpu")
    except SvgeError:
        return None
    return None if opened is None else loaders.with_own_scores(opened)


def opened_or_stop(*, by_index: bool = False) -> Explorer:
    """The chosen checkpoint; where it cannot be opened, words on what to do instead of a page.

    Args:
        by_index: whether the page tells cells apart by their index, and not by their places on the map.
    """
    folder, space = session.checkpoint(), SPACES[session.space_name()]
    possible = has_indices(space) if by_index else chartable(space)
    if folder is None:
        _no_checkpoint(space, checkpoints_root())
    if not possible:
        _no_map(space)
    if folder is None or not possible:
        st.stop()
    try:
        with loaders.opening(folder):
            opened = loaders.explorer_for(folder, session.device() or "cpu")
    except SvgeError as error:
        st.error(plain(str(error)), icon=":material/error:")
        st.caption("Choose another checkpoint in the sidebar, or mend this one and reload the page.")
        st.stop()
    for notice in opened.notices:
        st.caption(f":material/info: {plain(notice)}")
    return opened


def _no_map(space: AbstractSearchSpace) -> None:
    """What stands where a map would need an index, whether there is a checkpoint or not."""
    many = "more cells than can be numbered" if space.size is None else f"{space.size:.1e} cells"
    mapped = chartable(space)
    st.info(
        f"{space.title} has {many}, so its cells have no index, and without one there is "
        f"{'no path' if mapped else 'no map of them and no path'} between two: go on with one of these pages, or "
        "choose another search space in the sidebar.",
        icon=":material/map:",
    )
    pages = (_ITS_MAP, *_WITHOUT_MAP) if mapped else _WITHOUT_MAP
    with st.container(horizontal=True):
        for page, label, icon in pages:
            st.page_link(page, label=label, icon=icon)


def _no_checkpoint(space: AbstractSearchSpace, root: Path) -> None:
    st.info(f"There is no checkpoint for {space.title} in the folder `{plain(root.name)}`.", icon=":material/info:")
    if not chartable(space):
        return
    st.markdown("Train one, then lay out its map and reload this page:")
    st.code(
        f"python -m svge_core train --space {space.name}\n"
        f"python -m svge_core atlas --checkpoint checkpoints/{space.name}/svge",
        language="bash",
    )
