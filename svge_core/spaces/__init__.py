"""Search spaces by name. Adding one: a file beside this one, and a line in the table."""

from svge_core.errors import SvgeError
from svge_core.spaces.base import AbstractSearchSpace, Cost, DecodingRules
from svge_core.spaces.enas import ENASMacro
from svge_core.spaces.nasbench201 import NASBench201

SPACES: dict[str, AbstractSearchSpace] = {space.name: space for space in (NASBench201(), ENASMacro(6), ENASMacro(12))}


def get_space(name: str) -> AbstractSearchSpace:
    """The search space of that name.

    Raises:
        SvgeError: if there is none.
    """
    if name not in SPACES:
        raise SvgeError(f"Unknown search space {name!r}: expected one of {', '.join(sorted(SPACES))}.")
    return SPACES[name]


__all__ = ["SPACES", "AbstractSearchSpace", "Cost", "DecodingRules", "ENASMacro", "NASBench201", "get_space"]
