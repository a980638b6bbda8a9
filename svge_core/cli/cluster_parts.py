"""What the commands that may work on a cluster share."""

import os

from svge_core.cluster import Needs


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
    load_plugins()
