"""Latencies that were measured from a page: one file per cell and sizes of its network, and all of them as columns.

``svge measure`` does the work in a process of its own, with its own threads; what else the machine does meanwhile shows
in the quartiles.
"""

import contextlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from svge_core.data import ScoreMeaning, Scores, meaning_from_dict, scores_from_columns
from svge_core.errors import SvgeError
from svge_core.files import LockHeldError, exclusive, write_atomically
from svge_core.spaces import AbstractSearchSpace, get_space

SUFFIX = ".latency.json"
#: seconds after which a measurement is given up
PATIENCE_SECONDS = 600.0
#: of a title that has to name what ran the network
MOST_TITLE_LETTERS = 200
#: held while something is measured: two measurements at once would measure each other
LOCK = "measuring.lock"


@dataclass(frozen=True)
class MeasuredLatency:
    """One median with its quartiles.

    Attributes:
        meaning: what was measured, with what, and on which machine, as a plain dictionary.
        median_ms, low_ms, high_ms: in milliseconds.
    """

    meaning: dict[str, Any]
    median_ms: float
    low_ms: float
    high_ms: float


@dataclass(frozen=True)
class MeasuredCell:
    """What was measured of one cell.

    Attributes:
        space, cell: name of the space, and the cell in its notation.
        latencies: one per engine and number of images.
    """

    space: str
    cell: str
    latencies: tuple[MeasuredLatency, ...]


def measure_here(
    space: AbstractSearchSpace | str, cell: str, sizes: Mapping[str, int], records: Path, cwd: Path | None = None
) -> MeasuredCell:
    """Measure the network of a cell in a process of its own, and keep what came out.

    Args:
        space: of the cell.
        cell: in the space's notation.
        sizes: options of its network.
        records: folder of the results.
        cwd: folder the process is started in; None for that of this process.

    Raises:
        SvgeError: if another one is being measured, or it cannot be; the message is that of ``svge measure``.
    """
    space = get_space(space)
    records.mkdir(parents=True, exist_ok=True)
    try:
        with exclusive(records / LOCK, wait=False):
            return _measured(space, cell, sizes, records, cwd)
    except LockHeldError:
        raise SvgeError("Another network is being timed here, and each would slow down the other: wait.") from None


def _measured(
    space: AbstractSearchSpace, cell: str, sizes: Mapping[str, int], records: Path, cwd: Path | None
) -> MeasuredCell:
    words = [sys.executable, "-m", "svge_core", "measure", cell, "--json", "--space", space.name]
    if sizes:
        words += ["--network", *(f"{name}={value}" for name, value in sizes.items())]
    try:
        done = subprocess.run(
            words,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise SvgeError(
            f"The measurement took more than {PATIENCE_SECONDS:.0f} s and was given up. Fewer images and runs take "
            "less time: svge measure lets you choose."
        ) from None
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"it ended with exit status {done.returncode}"]
        raise SvgeError(last[0].removeprefix("svge: "))
    document = json.loads(done.stdout)
    latencies = tuple(
        MeasuredLatency(document["meanings"][each["key"]], each["median_ms"], each["low_ms"], each["high_ms"])
        for each in document["cells"][0]["latencies"]
    )
    found = MeasuredCell(space.name, cell, latencies)
    name = sha256(json.dumps([space.name, cell, sorted(sizes.items())]).encode()).hexdigest()[:16]
    write_atomically(records / f"{name}{SUFFIX}", msgspec.json.encode(found))
    return found


def measured_cells(space: str, records: Path) -> list[MeasuredCell]:
    """Everything that was measured of a space, the oldest first; damaged files are left out."""
    found: list[tuple[float, MeasuredCell]] = []
    for path in records.glob(f"*{SUFFIX}"):
        with contextlib.suppress(msgspec.MsgspecError, OSError, SvgeError):
            cell = msgspec.json.decode(path.read_bytes(), type=MeasuredCell)
            for each in cell.latencies:
                meaning_from_dict(each.meaning)
            if cell.space == space:
                get_space(space).parse(cell.cell)
                found.append((path.stat().st_mtime, cell))
    return [cell for _, cell in sorted(found, key=lambda each: each[0])]


def latency_stamp(records: Path) -> tuple[tuple[str, int], ...]:
    """What changes whenever something was measured."""
    found = []
    for path in records.glob(f"*{SUFFIX}"):
        with contextlib.suppress(OSError):
            found.append((path.name, path.stat().st_mtime_ns))
    return tuple(sorted(found))


def latency_scores(space: AbstractSearchSpace | str, measured: Sequence[MeasuredCell]) -> Scores | None:
    """Latencies as columns over all cells of a space, one per meaning; None where there is none or no list of cells."""
    space = get_space(space)
    if not measured or not space.enumerated or space.size is None:
        return None
    columns: dict[str, np.ndarray] = {}
    meanings: dict[str, ScoreMeaning] = {}
    for cell in measured:
        for latency in cell.latencies:
            meaning = meaning_from_dict(latency.meaning)
            # other sizes, another machine or another version are another column
            key = f"{meaning.key}_{sha256(meaning.describe().encode() + meaning.title.encode()).hexdigest()[:6]}"
            meanings[key] = replace(meaning, key=key)
            values = columns.setdefault(key, np.full(space.size, np.nan))
            values[space.index(space.parse(cell.cell))] = latency.median_ms
    titles = Counter(meaning.title for meaning in meanings.values())
    for key, meaning in meanings.items():
        if titles[meaning.title] > 1:  # told apart by what ran it, and on what
            meanings[key] = replace(meaning, title=f"{meaning.title}, {meaning.source}"[:MOST_TITLE_LETTERS])
    return scores_from_columns(space.name, columns, meanings)
