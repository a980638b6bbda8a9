"""The search spaces by name."""

import re

from svge_core.errors import SvgeError
from svge_core.spaces.base import AbstractSearchSpace
from svge_core.spaces.enas import ENASMacro
from svge_core.spaces.nasbench101 import NASBench101
from svge_core.spaces.nasbench201 import NASBench201
from svge_core.spaces.randwire import RandWire

#: every space that is known in this process, in the order in which people read them
SPACES: dict[str, AbstractSearchSpace] = {
    space.name: space for space in (NASBench201(), NASBench101(), ENASMacro(6), ENASMacro(12), RandWire())
}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def get_space(space: AbstractSearchSpace | str) -> AbstractSearchSpace:
    """The search space of that name; a space itself is given back as it is, so callers take either.

    Raises:
        SvgeError: if there is none.
    """
    if isinstance(space, AbstractSearchSpace):
        return space
    if not isinstance(space, str) or space not in SPACES:  # pyright: ignore[reportUnnecessaryIsInstance]  # users may give anything
        raise SvgeError(
            f"Unknown search space {space!r:.80}: expected one of {', '.join(sorted(SPACES))}. A space of your own is "
            "known once its module is imported; the commands and the app import those that SVGE_PLUGINS names.",
            settings=("space_module",),
        )
    return SPACES[space]


def register_space(space: AbstractSearchSpace) -> AbstractSearchSpace:
    """Make a space known to this process: to all functions that take its name, the commands and the pages.

    Registering it again replaces a space of the same class, as when its module is loaded anew.

    Returns:
        the space.

    Raises:
        SvgeError: if it is no space, its name cannot be a file's name, or another space has that name.
    """
    if not isinstance(space, AbstractSearchSpace):  # pyright: ignore[reportUnnecessaryIsInstance]  # users may give anything
        what = f"the class {space.__name__}" if isinstance(space, type) else repr(space)[:80]
        raise SvgeError(f"A search space is an instance of a subclass of AbstractSearchSpace; got {what}.")
    if not _NAME.fullmatch(space.name):
        raise SvgeError(
            "A space's name is a small letter, then small letters, digits or underscores, at most 40; "
            f"got {space.name[:80]!r}."
        )
    known = SPACES.get(space.name)
    if known is not None and _place(known) != _place(space):
        raise SvgeError(f"There is a search space {space.name!r} already, {known.title}: choose another name.")
    SPACES[space.name] = space
    return space


def _place(space: AbstractSearchSpace) -> str:
    return f"{type(space).__module__}.{type(space).__qualname__}"
