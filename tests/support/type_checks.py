"""Every call of the core is checked against its annotations while tests run; here it is made quick.

jaxtyping binds the arguments of each call to names before it asks beartype, also where no annotation has a shape, which
costs many times what beartype alone does and was most of the time of many tests. So functions without a shape are given
to beartype, and those with one to jaxtyping, as before. Importing this module does it for all modules imported later.
"""

import dataclasses
import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any, get_args, get_type_hints

import jaxtyping
from beartype import BeartypeConf, beartype
from jaxtyping import AbstractArray, TypeCheckError

_WITH_SHAPES: Callable[..., Any] = jaxtyping.jaxtyped
#: with the error that jaxtyping raises
_WITHOUT: Callable[..., Any] = beartype(conf=BeartypeConf(violation_type=TypeCheckError))


def has_shape(hint: object) -> bool:
    """Whether an annotation names the shape of an array anywhere in it."""
    if isinstance(hint, list | tuple):  # arguments of a Callable
        return any(map(has_shape, hint))
    return (inspect.isclass(hint) and issubclass(hint, AbstractArray)) or any(map(has_shape, get_args(hint)))


def hints_of(function: FunctionType) -> dict[str, Any]:
    """Its annotations; where a name is known to type checkers alone, that annotation is any."""
    found: dict[str, Any] = {}
    for name, hint in function.__annotations__.items():

        def only() -> None: ...

        only.__annotations__ = {name: hint}
        try:
            found |= get_type_hints(only, function.__globals__, include_extras=True)
        except Exception:  # as jaxtyping: whatever keeps an annotation from being read
            found[name] = Any
    return found


def checked(target: Any = None, *, typechecker: Any) -> Any:
    """In place of :func:`jaxtyping.jaxtyped`."""
    if target is None:
        return lambda given: checked(given, typechecker=typechecker)
    if inspect.isclass(target):
        made = target.__dict__.get("__init__")  # one that is inherited has its check already
        if dataclasses.is_dataclass(target) and isinstance(made, FunctionType):
            target.__init__ = checked(made, typechecker=typechecker)  # type: ignore[misc]
        return target
    if isinstance(target, FunctionType) and not any(map(has_shape, (hints := hints_of(target)).values())):
        own, target.__annotations__ = target.__annotations__, hints
        try:
            found: Any = _WITHOUT(target)
        finally:
            target.__annotations__ = own
        if found is not target:  # it is itself where it has no annotations
            found.__annotations__ = own
        return found
    return _WITH_SHAPES(target, typechecker=typechecker)


jaxtyping.jaxtyped = checked
