"""Writes the finished searches that the app shows before anybody has searched, from a store of real runs.

``assets/example/README.md`` has the commands that made the runs. Which machine evaluated is left out.
"""

import gzip
import sys
from dataclasses import replace
from pathlib import Path

from svge_core.files import write_atomically
from svge_core.search.runs import RunView, list_runs, race_json, read_run

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "assets" / "example"
#: file by methods
FILES = {"race": ("latent-bo", "local-search", "random"), "graphpnas": ("graphpnas",)}


def main(storage: str) -> None:
    """Write the files.

    Args:
        storage: URL of the store.
    """
    views = [_without_machine(read_run(storage, run.name)) for run in list_runs(storage)]
    for name, methods in FILES.items():
        chosen = [view for view in views if view.config.method in methods]
        chosen.sort(key=lambda view: (methods.index(view.config.method), view.config.seed))
        text = race_json(chosen) + "\n"
        write_atomically(FOLDER / f"{name}.json.gz", gzip.compress(text.encode(), mtime=0))


def _without_machine(view: RunView) -> RunView:
    return replace(view, evaluations=tuple(replace(e, worker="") for e in view.evaluations))


if __name__ == "__main__":
    main(sys.argv[1])
