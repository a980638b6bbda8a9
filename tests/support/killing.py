"""Kill a process at a chosen call."""

import os
import signal
from collections.abc import Callable
from typing import Any


def dying(function: Callable[..., Any], call: int, *, after: bool) -> Callable[..., Any]:
    """The same function, in which the process is killed at its n-th call, before or after the work."""
    calls = 0

    def wrapper(*words: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*words, **named)
        if calls == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return wrapper
