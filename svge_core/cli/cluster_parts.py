"""What the commands that may work on a cluster share."""

import argparse
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, redirect_stdout

from svge_core.cluster import Needs, connected


@contextmanager
def on_cluster(arguments: argparse.Namespace) -> Generator[None, None, None]:
    """Be connected as the options say. What Ray has to say meanwhile does not come among what the command prints.

    The code that is sent can be imported here too, after everything else, so that it hides no module of this process:
    a run of a function begins with a look at it. Whether it may be imported is asked there.
    """
    with redirect_stdout(sys.stderr), connected(arguments.on, arguments.ship):
        folder = None if arguments.ship is None else str(arguments.ship.resolve())
        added = folder is not None and folder not in sys.path
        if folder is not None and added:
            sys.path.append(folder)
        try:
            yield
        finally:
            if folder is not None and added:
                sys.path.remove(folder)


def needs_of(cpus: float | None, gpus: float | None) -> Needs:
    """What one task takes, by what was typed.

    Raises:
        DataError: if it needs nothing, or less.
    """
    given = {"cpus": cpus, "gpus": gpus}
    return Needs(**{name: value for name, value in given.items() if value is not None})


def with_plugins(named: str) -> None:
    """Register the spaces and methods of other packages in a process that did not inherit what names them here."""
    from svge_core.plugins import VARIABLE, load_plugins

    os.environ[VARIABLE] = named
    load_plugins(told=lambda line: None)  # said already where the command was typed
