"""Spaces and methods of other packages: found when a command or the app starts.

Three ways, all decided by whoever starts the process and never by a stored file. An installed package names them as
entry points of the groups :data:`SPACES` and :data:`METHODS`. What is not installed is named by the variable
:data:`VARIABLE`, several separated by commas, or to :func:`use_modules`: a module, a ``.py`` file, the folder of a
package, or a folder whose ``pyproject.toml`` has those entry points. A module registers what it has by
``register_space`` or ``register_method``. Processes that this one starts inherit the variable.
"""

import os
import sys
import tomllib
from collections.abc import Callable, Sequence
from functools import cache, partial
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from svge_core.errors import SvgeError

VARIABLE = "SVGE_PLUGINS"
#: groups of entry points: an instance (or class) of a search space; a method under the entry's own name
SPACES, METHODS = "svge_explorer.spaces", "svge_explorer.methods"
_loaded: set[str] = set()


def load_plugins(told: Callable[[str], object] | None = None) -> None:
    """Register what entry points and the variable name; what is registered already stays as it is.

    Args:
        told: given one line for each installed package that cannot be used, which is no reason to stop: nobody asked
            for it here and now. Without it such a package is an error like any other.

    Raises:
        SvgeError: one line that names the first module or entry point that cannot be used, and why; all the others are
            registered before.
    """
    problems: list[SvgeError] = []
    for entry in _entries():
        try:
            _once(_named(entry), partial(_register, entry))
        except SvgeError as error:
            problems.append(error) if told is None else told(str(error))
    for name in _names():
        try:
            _once(f"{VARIABLE}: {name}", partial(_load, name))
        except SvgeError as error:
            problems.append(error)
    if problems:
        raise problems[0]


def use_modules(names: Sequence[str]) -> None:
    """Register what these modules, files or folders have, here and in all processes that this one starts.

    Args:
        names: as in the variable, where they are added, files and folders by their absolute paths.

    Raises:
        SvgeError: one line that names the one that cannot be used, or that has neither a space nor a method.
    """
    for given in names:
        name = str(Path(given).expanduser().absolute()) if _is_path(given) else given.strip()
        if not name or "," in name:
            raise SvgeError(f"A space's module is named by one name or path without a comma; got {given[:120]!r}.")
        _once(f"{VARIABLE}: {name}", partial(_load, name, must_register=True), shown=given)
        if name not in (known := _names()):
            os.environ[VARIABLE] = ",".join([*known, name])


def _names() -> list[str]:
    return list(filter(None, map(str.strip, os.environ.get(VARIABLE, "").split(","))))


@cache
def _entries() -> tuple[EntryPoint, ...]:
    """Looked for once per process: it reads a file of every installed package."""
    return tuple(entry for group in (SPACES, METHODS) for entry in entry_points(group=group))


def _named(entry: EntryPoint) -> str:
    package = "" if entry.dist is None else f" of the package {entry.dist.name} {entry.dist.version}"
    return f"{entry.group}: {entry.name}{package}"


def _once(source: str, load: Callable[[], object], shown: str = "") -> None:
    if source in _loaded:
        return
    try:
        load()
    # a stranger's module can fail in any way, also by ending the process; it is named, and nothing else is lost
    except (Exception, SystemExit) as error:
        said = str(error) if isinstance(error, SvgeError) else f"{type(error).__name__}: {error}"
        reason = " ".join(said.split()).removesuffix(".")[:300]
        raise SvgeError(
            f"The plug-in {(shown or source)[:160]} cannot be used ({reason}). Correct it or leave it out."
        ) from error
    _loaded.add(source)


def _load(name: str, *, must_register: bool = False) -> None:
    """Import a module by its name, or what lies at a path; ``module:Class`` is a space as an entry point names it."""
    path, before = Path(name), _known()
    if not _is_path(name):
        if ":" in name:
            _space(EntryPoint(name, name, SPACES))
            return
        module, new = name, name not in sys.modules
        import_module(name)
    elif not path.exists():
        raise SvgeError("there is no such file or folder")
    elif (path / "pyproject.toml").is_file() and not (path / "__init__.py").is_file():
        _project(path)
        return
    else:
        module, new = _import_file(path.resolve())
    if must_register and new and _known() == before:
        del sys.modules[module]  # corrected, it is read again
        raise SvgeError(
            "it was imported and registered nothing: let it call svge_core.register_space(YourSpace()) at its end"
        )


def _is_path(name: str) -> bool:
    path = Path(name)
    separated = os.sep in name or "/" in name or name.endswith(".py")
    return separated or any((path / file).is_file() for file in ("__init__.py", "pyproject.toml"))


def _import_file(path: Path) -> tuple[str, bool]:
    """Import a file, or the folder of a package; returns its name and whether it was not there before."""
    file = path / "__init__.py" if path.is_dir() else path
    folder, parts = path.parent, [path.stem]
    while (folder / "__init__.py").is_file():  # a module of a package has the package's name before its own
        folder, parts = folder.parent, [folder.name, *parts]
    if not all(part.isidentifier() for part in parts):
        raise SvgeError(f"{'.'.join(parts)} is no name of a module: rename it to letters, digits and _")
    name = ".".join(parts)
    new = name not in sys.modules
    _look_in(folder)
    module = import_module(name)
    if module.__file__ is None or Path(module.__file__).resolve() != file.resolve():
        raise SvgeError(f"{name} is the name of another module, {module.__file__ or 'which has no file'}: rename it")
    return name, new


def _project(folder: Path) -> None:
    """What a package would register if it were installed."""
    table = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
    groups = table.get("project", {}).get("entry-points", {})
    found = [EntryPoint(name, value, g) for g in (SPACES, METHODS) for name, value in groups.get(g, {}).items()]
    if not found:
        raise SvgeError(f'its pyproject.toml has no entry in [project.entry-points."{SPACES}"]')
    _look_in(folder / "src" if (folder / "src").is_dir() else folder)
    for entry in found:
        _register(entry)


def _look_in(folder: Path) -> None:
    """Import from a folder too, after all others, so that nothing which is there already is hidden."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def _known() -> set[str]:
    """Names of spaces, and of methods where these were imported: they take a second."""
    from svge_core.spaces import SPACES as spaces

    methods = getattr(sys.modules.get("svge_core.search.searchers.registry"), "METHODS", {})
    return {*spaces, *methods}


def _register(entry: EntryPoint) -> None:
    (_space if entry.group == SPACES else _method)(entry)


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
