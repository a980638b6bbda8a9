"""The search spaces by name."""

from svge_core.errors import SvgeError
from svge_core.spaces.base import AbstractSearchSpace
from svge_core.spaces.enas import ENASMacro
from svge_core.spaces.nasbench101 import NASBench101
from svge_core.spaces.nasbench201 import NASBench201
from svge_core.spaces.randwire import RandWire

SPACES: dict[str, AbstractSearchSpace] = {
    space.name: space for space in (NASBench201(), NASBench101(), ENASMacro(6), ENASMacro(12), RandWire())
}


def get_space(space: AbstractSearchSpace | str) -> AbstractSearchSpace:
    """The search space of that name; a space itself is given back as it is, so callers take either.

    Raises:
        SvgeError: if there is none.
    """
    if isinstance(space, AbstractSearchSpace):
        return space
    if space not in SPACES:
        raise SvgeError(f"Unknown search space {space!r}: expected one of {', '.join(sorted(SPACES))}.")
    return SPACES[space]
