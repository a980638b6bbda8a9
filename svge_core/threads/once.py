"""A property that is computed once, whichever threads ask for it."""

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class computed_once(Generic[T]):
    """Like ``functools.cached_property``, with a lock: one thread computes, the others wait for its value.

    Python 3.12 took the lock out of ``cached_property``, so that there two threads may both do the work. The lock here
    is one per object and property: who waits for one value does not keep others from another. A property that raises is
    computed again when it is asked for again.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self.compute = compute
        self.name = compute.__name__
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> "computed_once[T]": ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> "computed_once[T] | T":
        if instance is None:
            return self
        # written to __dict__ directly, as classes that are frozen allow; from then on the value is found there at once
        values = instance.__dict__
        with values.setdefault(f"lock of {self.name}", threading.RLock()):  # setdefault gives all threads the same one
            if self.name not in values:
                values[self.name] = self.compute(instance)
        return values[self.name]
