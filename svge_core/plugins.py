"""Spaces and methods of other packages: found when a command or the app starts.

Two ways, both decided by whoever starts the process and never by a stored file. An installed package names them as
entry points of the groups :data:`SPACES` and :data:`METHODS`. A module that is not installed is named by the variable
:data:`VARIABLE`, several separated by commas; importing it calls ``register_space`` or ``register_method``. Processes
that this one starts inherit the variable.
"""

import os
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from svge_core.errors import SvgeError

VARIABLE = "SVGE_PLUGINS"
#: groups of entry points: an instance (or class) of a search space; a method under the entry's own name
SPACES, METHODS = "svge_explorer.spaces", "svge_explorer.methods"
_loaded: set[str] = set()


def load_plugins() -> None:
    """Register what entry points and the variable name; what is registered already stays as it is.

    Raises:
        SvgeError: one line that names the first module or entry point that cannot be used, and why; all the others are
            registered before.
    """
    wanted: list[tuple[str, Callable[[], object]]] = [
        (f"{entry.group}: {entry.name}", lambda entry=entry: (_space if entry.group == SPACES else _method)(entry))
        for entry in _entries()
    ]
    names = filter(None, map(str.strip, os.environ.get(VARIABLE, "").split(",")))
    wanted += [(f"{VARIABLE}: {name}", lambda name=name: import_module(name)) for name in names]
    first: SvgeError | None = None
    for source, load in wanted:
        try:
            _once(source, load)
        except SvgeError as error:
            first = first or error
    if first is not None:
        raise first


@cache
def _entries() -> tuple[EntryPoint, ...]:
    """Looked for once per process: it reads a file of every installed package."""
    return tuple(entry for group in (SPACES, METHODS) for entry in entry_points(group=group))


def _once(source: str, load: Callable[[], object]) -> None:
    if source in _loaded:
        return
    try:
        load()
    # a stranger's module can fail in any way, also by ending the process; it is named, and nothing else is lost
    except (Exception, SystemExit) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise SvgeError(f"The plug-in {source[:120]} cannot be used ({reason}). Correct it or leave it out.") from error
    _loaded.add(source)


def _space(entry: EntryPoint) -> None:
    from svge_core.spaces import AbstractSearchSpace, register_space

    found = entry.load()
    space = found() if isinstance(found, type) else found
    if not isinstance(space, AbstractSearchSpace):
        raise SvgeError(f"{entry.value} is no AbstractSearchSpace")
    register_space(space)


def _method(entry: EntryPoint) -> None:
    from svge_core.search.searchers import Method, register_method

    found = entry.load()
    if not isinstance(found, Method):
        raise SvgeError(f"{entry.value} is no Method")
    register_method(entry.name, found)
