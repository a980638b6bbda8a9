"""The table as a file to take away: large ones are made one at a time, and kept for whoever asks for the same."""

import hashlib
import threading
from collections import OrderedDict
from functools import partial

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from svge_core.explorer import Explorer, TableForm, table_file
from ui.paths import shared

FORMS: tuple[tuple[TableForm, str, str], ...] = (
    ("csv", "CSV", "text/csv"),
    ("parquet", "Parquet", "application/vnd.apache.parquet"),
)
#: rows of a file that is made while its download waits, which takes seconds; larger ones take up to minutes
DIRECT = 20_000
#: most rows of a file on a server that strangers use
MOST_SHARED = 100_000
#: large files that are kept, for all sessions together
KEPT = 2
#: what a file holds: explorer, form and rows
_Identity = tuple[str, TableForm, str]
#: held while a large file is made: each takes a core and some hundred megabytes, whoever asks
_MAKING = threading.Lock()
#: held while a small one is made, which is waited for
_SMALL = threading.Lock()
_made: OrderedDict[_Identity, bytes] = OrderedDict()


def downloads(explorer: Explorer, rows: np.ndarray, notes: DeltaGenerator) -> None:
    """Show a button for each form.

    Args:
        explorer: gives the columns.
        rows: of the atlas, in the order of the table.
        notes: where it is said that a file is being made, or why it is not.
    """
    refused = shared() and len(rows) > MOST_SHARED
    about = f"All {len(rows):,} rows with every column"
    if refused:
        about = (
            f"This shared server makes files of at most {MOST_SHARED:,} rows; these are {len(rows):,}: leave some out"
        )
    stamp = "" if len(rows) <= DIRECT else hashlib.blake2b(rows.tobytes(), digest_size=16).hexdigest()
    for form, title, mime in FORMS:
        slot = st.empty()
        identity: _Identity = (explorer.digest, form, stamp)
        data = partial(_small, explorer, rows, form)
        if stamp:
            content = _made.get(identity)
            if content is None:
                # made in the page, which can say that another is being made: a download could only fail
                pressed = slot.button(
                    f"Make {title}", key=f"table-make-{form}", icon=":material/table:", disabled=refused, help=about
                )
                content = _make(explorer, rows, identity, notes) if pressed and not refused else None
            if content is None:
                continue
            data = partial(bytes, content)
        slot.download_button(
            title,
            key=f"table-{form}",
            icon=":material/download:",
            mime=mime,
            on_click="ignore",
            disabled=refused or not len(rows),
            data=data,
            file_name=f"{explorer.space.name}-table.{form}",
            help=about,
        )


def _small(explorer: Explorer, rows: np.ndarray, form: TableForm) -> bytes:
    with _SMALL:
        return table_file(explorer, rows, form)


def _make(explorer: Explorer, rows: np.ndarray, identity: _Identity, notes: DeltaGenerator) -> bytes | None:
    if not _MAKING.acquire(blocking=False):
        notes.warning("The server is making another large file, one at a time: press again later.")
        return None
    try:
        with notes, st.spinner(f"Writing {len(rows):,} rows …", show_time=True):
            content = _made[identity] = table_file(explorer, rows, identity[1])
        while len(_made) > KEPT:
            _made.popitem(last=False)
        return content
    finally:
        _MAKING.release()
