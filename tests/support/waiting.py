"""Waiting for a state instead of for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

#: seconds after which a test gives up: no measure of speed, but far above what the busiest machine needs
PATIENCE = 300
_T = TypeVar("_T")


def until(ready: Callable[[], _T], seconds: float = PATIENCE, about: Callable[[], object] | None = None) -> _T:
    """Ask until the answer is true, and return it.

    Args:
        ready: asked every hundredth of a second.
        seconds: at most.
        about: what to show if it never is.

    Raises:
        AssertionError: if it never is.
    """
    deadline = time.monotonic() + seconds
    while not (answer := ready()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain: {about() if about else ready}"
        time.sleep(0.01)
    return answer
