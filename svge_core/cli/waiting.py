"""What people see on a terminal while a command works: steps that are done, counts of the one that goes on, no guesses.

The usual bar guesses the time that is left from the steps so far, which is wrong where steps differ.
"""

import argparse
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

from svge_core.threads import counts

#: seconds between two looks at how far the work has come
EVERY = 0.5
_STEPS = "{n_fmt} of {total_fmt} steps done |{bar}| {elapsed}{postfix}"


def shows_bars(arguments: argparse.Namespace) -> bool:
    """Whether there are people who look on."""
    return not arguments.json and sys.stderr.isatty()


class Steps:
    """A bar of steps; called with what is done next, it knows that what was before is done.

    Args:
        arguments: of the command.
        total: number of steps.
    """

    def __init__(self, arguments: argparse.Namespace, total: int) -> None:
        self.bar = tqdm(total=total, bar_format=_STEPS, disable=not shows_bars(arguments))
        self._begun = False

    def __call__(self, text: str) -> None:
        """A step begins."""
        self._done()
        self._begun = True
        self.bar.set_postfix_str(text)

    def close(self) -> None:
        """The last step is done."""
        self._done()
        self.bar.close()

    def _done(self) -> None:
        self.bar.update(1 if self._begun else 0)
        self._begun = False


@contextmanager
def counted(arguments: argparse.Namespace) -> Iterator[None]:
    """A line with the count of whatever goes on while the block runs; it goes when the block ends."""
    if not shows_bars(arguments):
        yield
        return
    line, over = tqdm(bar_format="{desc}", leave=False), threading.Event()

    def watch() -> None:
        while not over.wait(EVERY):
            if found := counts():
                line.set_description_str(str(found[-1]))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        line.close()
