"""How far long work has come: who does it says so here, and who waits for it, in whichever thread, reads it here."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class Count:
    """What is done of one piece of work; no time is known, so none is told.

    Attributes:
        about: what the work is for, such as the title of a space.
        what: is counted, in words that follow the numbers.
        done: how much.
        of: how much there is.
    """

    about: str
    what: str
    done: int
    of: int

    def __str__(self) -> str:
        return f"{self.about}: {self.done:,} of {self.of:,} {self.what}"

    @property
    def share(self) -> float:
        """0 to 1."""
        return min(1.0, max(0.0, self.done / self.of)) if self.of else 1.0


# of the whole process: who reloads a page waits for work that another thread has begun
_going_on: dict[object, Count] = {}
_lock = threading.Lock()


@runtime_checkable
class Tell(Protocol):
    """Takes how much is done; with ``of``, of how much after all."""

    def __call__(self, done: int, of: int | None = None) -> None: ...


@contextmanager
def counting(about: str, what: str, of: int) -> Iterator[Tell]:
    """Work that is counted from now until the block ends, however it ends.

    Args:
        about: what the work is for.
        what: is counted, in words that follow the numbers.
        of: how much there is.

    Yields:
        a function to be told how much is done.
    """
    mark = object()

    def tell(done: int, of: int | None = None) -> None:
        with _lock:
            if mark in _going_on:
                _going_on[mark] = replace(_going_on[mark], done=done, of=_going_on[mark].of if of is None else of)

    with _lock:
        _going_on[mark] = Count(about, what, 0, of)
    try:
        yield tell
    finally:
        with _lock:
            del _going_on[mark]


def counts(about: str | None = None) -> tuple[Count, ...]:
    """All work that is going on in this process, or that for one thing; what began last stands last."""
    with _lock:
        found = tuple(_going_on.values())
    return tuple(count for count in found if about is None or count.about == about)
