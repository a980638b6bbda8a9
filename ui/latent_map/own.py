"""Columns of people's own scores among the published files: they go when no session shows them any more.

A session names what its map shows. What nobody names, and nobody has fetched or shown for ten minutes, is dropped: by a
thread that runs while there is anything to drop, and when a server finds what a former one left. All of them together
have a cap, whatever their age; a map whose file is gone publishes it again when it is drawn.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui.latent_map.published import public_folder, publish_array

#: begins the names of these files and of no others
OWN = "own."
MOST_BYTES = 128 * 2**20
#: another server may share the folder, whose sessions are not known here
UNSHOWN_SECONDS, EVERY_SECONDS = 600.0, 60.0
_named: dict[str, frozenset[str]] = {}
_lock = threading.Lock()
_thread: list[threading.Thread] = []


def publish_own(array: NDArray[Any]) -> str:
    """Make a column of a person's own scores fetchable by their browser and return its URL, which tells no title."""
    folder = public_folder()
    make_room(folder, MOST_BYTES - array.nbytes)
    url = publish_array(array, f"{OWN}scores")
    _follow(folder)
    return url


def name_files(urls: Iterable[str | None], *, beside: bool = False) -> None:
    """Note what this session's map shows now, in place of what it showed before.

    Args:
        urls: of the published files.
        beside: a second map shows them, beside what the first one shows.
    """
    context = get_script_run_ctx(suppress_warning=True)
    if context is None:
        return
    files = frozenset(name for url in urls if url and (name := Path(url).name).startswith(OWN))
    with _lock:
        if beside:
            files |= _named.get(context.session_id, frozenset())
        if files:
            _named[context.session_id] = files
        else:
            _named.pop(context.session_id, None)


@cache
def begin() -> None:
    """Once in a server: drop what a former one left, and follow what is left."""
    folder = public_folder()
    drop_unnamed(folder)
    _follow(folder)


def drop_unnamed(folder: Path, now: Callable[[], float] = time.time) -> bool:
    """Drop what no session names and was not shown lately; whether any file is left.

    Args:
        folder: of the published files.
        now: seconds since 1970; for tests.
    """
    with _lock:
        for session in [session for session in _named if not _is_there(session)]:
            del _named[session]
        named = frozenset[str]().union(*_named.values())
    left = False
    for path in folder.glob(f"{OWN}*"):
        with contextlib.suppress(OSError):  # another server was quicker
            if path.name in named or now() - path.stat().st_mtime < UNSHOWN_SECONDS:
                left = True
            else:
                path.unlink()
    return left


def make_room(folder: Path, limit: int) -> None:
    """Drop the least recently shown until the rest has at most so many bytes."""
    files = sorted(((path.stat(), path) for path in folder.glob(f"{OWN}*")), key=lambda entry: entry[0].st_mtime)
    total = sum(stat.st_size for stat, _ in files)
    for stat, path in files:
        if total <= limit:
            return
        path.unlink(missing_ok=True)
        total -= stat.st_size


def _is_there(session: str) -> bool:
    return runtime.exists() and runtime.get_instance().is_active_session(session)


def _follow(folder: Path) -> None:
    with _lock:
        if not (_thread and _thread[0].is_alive()) and any(folder.glob(f"{OWN}*")):
            _thread[:] = [threading.Thread(target=_drop_again, args=(folder,), name="own scores", daemon=True)]
            _thread[0].start()


def _drop_again(folder: Path) -> None:
    while drop_unnamed(folder):
        time.sleep(EVERY_SECONDS)
