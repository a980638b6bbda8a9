"""What a person sees while something is computed: what it is, for how long it has gone on, and a true count of it.

Nobody knows how busy a machine is, so no time is ever promised.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import add_script_run_ctx

from svge_core.threads import Count, counts
from ui.shared.theme import plain

#: seconds between two looks at how far the work has come
EVERY = 0.5


@contextmanager
def waiting(words: str, *about: str) -> Iterator[None]:
    """Words while the block runs; below them a bar with the count of what is going on for one of these.

    The counts are those of the whole process: whoever reloads the page sees how far the work that he began has come.

    Args:
        words: what is done, in a sentence that promises no time.
        about: what the counts are about, such as the title of a space.
    """
    # it stays, empty, when nothing is waited for, so that nothing below it moves
    place, over = st.empty(), threading.Event()
    # a thread of its own: one that works cannot show, and what a cached function shows would be shown again
    watcher = threading.Thread(target=_watch, args=(place, about, over), daemon=True)
    add_script_run_ctx(watcher)
    watcher.start()
    try:
        with st.spinner(words, show_time=True):
            yield
    finally:
        over.set()
        watcher.join()
        place.empty()


@contextmanager
def nothing_to_wait_for() -> Iterator[None]:
    """The place of :func:`waiting`, empty: what stands below keeps its own when there is nothing to wait for."""
    st.empty()
    yield


def _watch(place: DeltaGenerator, about: tuple[str, ...], over: threading.Event) -> None:
    while not over.wait(EVERY):
        if count := latest(about):
            place.progress(count.share, text=plain(str(count)))


def latest(about: tuple[str, ...]) -> Count | None:
    """Of the work that is going on for one of these, the piece that began last: what the others wait for."""
    return next((count for count in reversed(counts()) if count.about in about), None)
