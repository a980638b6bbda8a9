"""What this process opens, for tests of what it must not."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

_heard: list[str] | None = None


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if _heard is not None and event == "open":
        _heard.append(str(arguments[0]))


@cache
def _listen() -> None:
    sys.addaudithook(_hear)  # once: hooks cannot be removed


@contextmanager
def opened() -> Iterator[list[str]]:
    """The paths of everything that is opened in the block."""
    global _heard
    _listen()
    _heard = found = []
    try:
        yield found
    finally:
        _heard = None
