"""Requests to end: how a long work hears of them while it can still save what it has."""

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any


@contextmanager
def interruptible() -> Generator[None, None, None]:
    """Have a request to end arrive as ``KeyboardInterrupt``, as long as the block runs, so that it can be tidied up.

    Only where nobody else listens to these signals, and in the main thread, which alone may.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _heard_by(interrupt, {"SIGTERM": signal.SIG_DFL, "SIGHUP": signal.SIG_DFL}):
        yield


@contextmanager
def between_steps() -> Generator[Callable[[], None], None, None]:
    """Note a request to end instead of stopping in the middle of a step, whose weights would be half old and half new.

    Yields:
        to be called where the work can be left: it raises ``KeyboardInterrupt`` if the end was asked for, and so does
        the end of the block. A second request does so at once. Outside the main thread, and where somebody else
        listens, nothing is heard.
    """
    asked = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    def leave() -> None:
        if asked.is_set():
            raise KeyboardInterrupt

    silent = {"SIGTERM": signal.SIG_DFL, "SIGHUP": signal.SIG_DFL, "SIGINT": signal.default_int_handler}
    with _heard_by(note, silent):
        yield leave
    leave()  # asked after the last step: what comes after the block is not to begin


@contextmanager
def _heard_by(listener: Callable[[int, FrameType | None], None], silent: dict[str, Any]) -> Generator[None, None, None]:
    """Listen to the signals that are answered as is said here, and put the answer back afterwards."""
    changed: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for name, answer in silent.items():
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is not None and signal.getsignal(number) is answer:
                signal.signal(number, listener)
                changed[number] = answer
    try:
        yield
    finally:
        for number, answer in changed.items():
            signal.signal(number, answer)
