"""Where the app's files lie, and the ``SVGE_*`` variables that point elsewhere: the one place that knows."""

import os
from pathlib import Path

#: the folder of ``app.py``: ``assets``, ``checkpoints``, ``pages``, ``runs`` and ``static`` lie in it
ROOT = Path(__file__).resolve().parent.parent


def checkpoints_root() -> Path:
    """Where checkpoints are looked for; ``SVGE_CHECKPOINTS`` points elsewhere."""
    return Path(os.environ.get("SVGE_CHECKPOINTS") or ROOT / "checkpoints").absolute()


def runs_folder() -> Path:
    """Where runs, records of processes and uploaded tables lie; ``SVGE_RUNS`` points elsewhere."""
    return Path(os.environ.get("SVGE_RUNS") or ROOT / "runs").resolve()


def tables_folder() -> Path:
    """Where tables that people gave to searches lie, each under its content's hash."""
    return runs_folder() / "search" / "tables"


def sessions_folder() -> Path:
    """Where what people made is kept, one folder for each browser."""
    return runs_folder() / "sessions"


def storage() -> str:
    """URL of the store of search runs; ``SVGE_STORAGE`` names another one."""
    return os.environ.get("SVGE_STORAGE") or f"sqlite:///{runs_folder() / 'searches.db'}"


def shared() -> bool:
    """Whether the app is open to visitors, who look and search within limits: ``SVGE_SHARED=1``.

    Any other value but 0 counts as well: whoever writes "yes" must not open the machine.
    """
    return os.environ.get("SVGE_SHARED", "").strip() not in ("", "0")


def python_allowed() -> bool:
    """Whether whoever started the app lets its users name Python functions: ``SVGE_ALLOW_PYTHON=1``; no visitors."""
    return os.environ.get("SVGE_ALLOW_PYTHON") == "1" and not shared()
