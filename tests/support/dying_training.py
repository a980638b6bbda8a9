"""The command line, killed with -9 by itself right after it has saved its state for the second time after an epoch."""

import os
import signal
import sys
from pathlib import Path

from svge_core.__main__ import main
from svge_core.training import state

write = state.write_atomically
saves: list[Path] = []


def dying(path: Path, content: bytes) -> None:
    """Write; die once two saves hold a row of the history, which is JSON within JSON."""
    write(path, content)
    if rb"\"epoch\"" in content:
        saves.append(path)
    if len(saves) == 2:
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    state.write_atomically = dying
    main(sys.argv[1:])
