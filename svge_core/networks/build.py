"""Cell -> trainable `torch.nn.Module`: the network in which the authors of a space trained the cell."""

from collections.abc import Callable
from inspect import signature

from torch import nn

from svge_core.cells import Cell
from svge_core.errors import SvgeError
from svge_core.spaces import SPACES, AbstractSearchSpace, get_space, resolve


def build_network(space: AbstractSearchSpace | str, cell: Cell, **options: int) -> nn.Module:
    """The standard network of a cell.

    Args:
        space: the space the cell belongs to, or its name.
        cell: a member.
        options: keyword arguments of the space's builder, such as ``channels`` and ``num_classes``.

    Raises:
        InvalidCellError: if the cell is not a member.
        SvgeError: if the space has no network, or an option is unknown.
    """
    space = get_space(space)
    network_sizes(space, **options)  # names an option that is none
    space.validate(cell)
    return _builder(space)[0](cell, **options)


def network_options(space: AbstractSearchSpace | str) -> tuple[str, ...]:
    """Names of the options that :func:`build_network` takes for a space.

    Raises:
        SvgeError: if the space has no network.
    """
    return tuple(network_sizes(space))


def network_sizes(space: AbstractSearchSpace | str, **sizes: int) -> dict[str, int]:
    """Every option of a space's network with its value: the given one, or that of its authors.

    Args:
        space: the space, or its name.
        sizes: some of the options.

    Raises:
        SvgeError: if the space has no network, or an option is unknown.
    """
    space = get_space(space)
    usual = _builder(space)[1]
    if unknown := sorted(sizes.keys() - usual.keys()):
        raise SvgeError(f"Unknown network option {unknown[0]!r} for {space.title}: expected {', '.join(usual)}.")
    return {**usual, **sizes}


def _builder(space: AbstractSearchSpace) -> tuple[Callable[..., nn.Module], dict[str, int]]:
    reference = space.network()
    if reference is None:
        known = ", ".join(sorted(name for name, other in SPACES.items() if other.network() is not None))
        raise SvgeError(f"No trainable network for {space.title}: there is one for {known}.")
    builder = resolve(reference)
    options = signature(builder).parameters.items()
    return builder, {name: option.default for name, option in options if option.kind is option.KEYWORD_ONLY}
