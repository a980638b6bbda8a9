"""The run-time checks of annotations: with and without shapes, of functions, generators, methods and data classes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
import torch
from beartype import beartype
from jaxtyping import Float, TypeCheckError
from torch import Tensor

from svge_core.cells import Cell
from svge_core.evaluation.metrics import same_graphs
from svge_core.spaces import get_space
from svge_core.tensors import to_batch
from tests.support.core import tiny_batch
from tests.support.type_checks import checked, has_shape

if TYPE_CHECKING:
    from decimal import Decimal


def apply(target: Any) -> Any:
    return checked(typechecker=beartype)(target)


@apply
def shared(a: Float[Tensor, "n 2"], b: "list[Float[Tensor, ' n']]") -> Float[Tensor, " n"]:
    return a[:, 0] if b else a.sum(0)


@apply
def plain(a: int, *more: str, b: "Decimal | None" = None, **named: float) -> str:
    return cast("Any", a) if b == "wrong" else "".join(more)


@apply
def counted(until: int) -> Iterator[int]:
    yield from range(until)


@apply
@dataclass(frozen=True)
class Row:
    name: str
    values: Float[np.ndarray, "2"]


@apply
@dataclass(frozen=True)
class Named:
    name: "str"


def test_shapes_of_one_call_agree() -> None:
    assert shared(torch.zeros(3, 2), [torch.zeros(3)]).shape == (3,)
    for wrong in (
        lambda: shared(torch.zeros(3, 3), []),
        lambda: shared(torch.zeros(3, 2), [torch.zeros(2)]),
        lambda: shared(torch.zeros(3, 2), []),  # what comes back
    ):
        with pytest.raises(TypeCheckError):
            wrong()


def test_functions_without_shapes_are_checked() -> None:
    assert plain(1, "a", "b", b=cast("Any", object()), c=2.5) == "ab", "what only type checkers know is any"
    assert plain.__annotations__["b"] == "Decimal | None" and plain.__name__ == "plain"
    for wrong in (lambda: plain("1"), lambda: plain(1, 2), lambda: plain(1, c="x"), lambda: plain(1, b="wrong")):
        with pytest.raises(TypeCheckError):
            wrong()
    with pytest.raises(TypeError):
        plain()
    assert list(counted(3)) == [0, 1, 2]
    with pytest.raises(TypeCheckError):
        next(counted(cast("Any", "3")))


def test_data_classes_are_checked() -> None:
    assert Row("a", np.zeros(2)).name == Named("a").name
    for wrong in (lambda: Row("a", np.zeros(3)), lambda: Row(1, np.zeros(2)), lambda: Named(1)):  # type: ignore[arg-type]
        with pytest.raises(TypeCheckError):
            wrong()


def test_shapes_are_found_wherever_they_stand() -> None:
    shape: Any = Float[Tensor, "n"]
    for hint in (shape, shape | None, list[shape], Callable[[shape], int], dict[str, tuple[int, shape]]):
        assert has_shape(hint)
    for hint in (int, Tensor, list[Tensor] | None, Callable[[int], str], Any, "Float"):
        assert not has_shape(hint)


def test_the_core_is_checked() -> None:
    space, batch = get_space("nasbench201"), tiny_batch(count=2)
    wrong: list[Callable[[], object]] = [
        lambda: space.from_index(cast("Any", "0")),
        lambda: Cell(cast("Any", "abc"), ()),
        lambda: to_batch(cast("Any", "nasbench201"), []),
        lambda: same_graphs(batch, cast("Any", 3)),
        lambda: type(batch)(batch.types, batch.adjacency[:, :1], batch.sizes),
    ]
    for call in wrong:
        with pytest.raises(TypeCheckError):
            call()
