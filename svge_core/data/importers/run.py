"""Import a file: detect its kind, check its sha256, read it, keep the table in the cache, say what was found."""

import datetime
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from svge_core.data.importers.cache import save_table
from svge_core.data.importers.detection import (
    KINDS,
    Checksum,
    FileKind,
    checksum,
    detect,
    memory_warning,
)
from svge_core.data.importers.messages import cannot_be_read, one_line, reason_of, shown
from svge_core.data.importers.table import ImportedTable, OnProgress, silent
from svge_core.errors import DataError, SvgeError

#: most characters of a message about a file
MAX_MESSAGE = 500
#: told which step begins, and the unit of its progress
OnStep = Callable[[str, str], None]


@dataclass(frozen=True, eq=False)
class Imported:
    """What an import found.

    Attributes:
        kind: the kind of file.
        table: what it said.
        path: where the table is kept.
        bytes: size of that file.
        checksum: the source's sha256 and what is known about it.
        seconds: how long it took.
    """

    kind: FileKind
    table: ImportedTable
    path: Path
    bytes: int
    checksum: Checksum
    seconds: float

    def best(self) -> dict[str, dict[str, object]]:
        """Per score that is a goal: best value, its architecture, how many rows have a value."""
        found: dict[str, dict[str, object]] = {}
        for key in self.table.goals():
            best = self.table.best(key)
            if best is not None:
                meaning = self.table.meanings[key].describe()
                found[key] = {"best": best[1], "at": best[0], "known": self.table.known(key), "meaning": meaning}
        return found

    def warnings(self) -> list[str]:
        """What should not be overlooked."""
        return [f"{self.checksum}."] if self.checksum.mismatch else []


def read_table(path: Path, kind: FileKind, known: bool, progress: OnProgress = silent) -> ImportedTable:
    """Read a file of a kind.

    Args:
        path: file or folder.
        kind: as :func:`svge_core.data.importers.detection.detect` says.
        known: its sha256 is that of the official file, so that checksums inside it need not be verified again.
        progress: told how far it is.

    Raises:
        DataError: one line, whatever the file made the reader raise: what was expected, what came and what to do.
    """
    try:
        return _read(path, kind, known, progress)
    except SvgeError as error:
        raise DataError(one_line(str(error), MAX_MESSAGE), settings=error.settings) from None
    except OSError as error:
        raise cannot_be_read(path, error) from None
    except Exception as error:  # a damaged, similar or newer file can make a reader raise anything
        what = KINDS[kind].partition(" (")[0]
        raise DataError(f"{shown(path)} cannot be read as {what}: {reason_of(error)}. Get the file again.") from error


def _read(path: Path, kind: FileKind, known: bool, progress: OnProgress) -> ImportedTable:
    if kind == "nasbench101":
        from svge_core.data.importers.nasbench101_tfrecord import read_tfrecord

        return read_tfrecord(path, progress, check_payloads=not known)
    if kind == "nats":
        from svge_core.data.importers.nats import read_nats as read
    elif kind == "pth":
        from svge_core.data.importers.nasbench201_pth import read_pth as read
    elif kind == "naslib101":
        from svge_core.data.importers.naslib import read_naslib101 as read
    elif kind == "naslib201":
        from svge_core.data.importers.naslib import read_naslib201 as read
    elif kind == "zero-cost":
        from svge_core.data.importers.naslib import read_zero_cost as read
    elif kind == "arch2vec":
        from svge_core.data.importers.arch2vec import read_arch2vec as read
    elif kind == "hw-nas-bench":
        from svge_core.data.importers.hw_nas_bench import read_hw_nas_bench as read
    else:
        from svge_core.data.importers.enas_text import read_enas as read
    return read(path, progress)


def import_file(
    path: Path, *, strict: bool = False, progress: OnProgress = silent, on_step: OnStep = lambda step, unit: None
) -> Imported:
    """Import an official file; an older table of the same kind is replaced, but only by a whole one.

    Args:
        path: the file, or NATS-Bench's folder.
        strict: refuse a file whose sha256 is known to be another.
        progress: told how far the current step is.
        on_step: told what begins: a sentence, and the unit that progress counts ("B" or "records").

    Raises:
        DataError: saying what was expected, what came and what to do; the cache is as it was before.
        OSError: if the cache cannot be written.
    """
    started = time.monotonic()
    kind = detect(path)
    if warning := memory_warning(path, kind):
        on_step(warning, "")
    on_step("sha256", "B")
    try:
        known = checksum(path, kind, progress)
    except OSError as error:
        raise cannot_be_read(path, error) from None
    if strict and known.mismatch:
        raise DataError(f"{shown(path)}: {known}. Get the official file, or take it as it is.", settings=("strict",))
    on_step(f"reading {KINDS[kind].partition(' (')[0]}", "B" if kind in ("nasbench101", "arch2vec", "enas") else "")
    table = read_table(path, kind, bool(known.matches), progress)
    origin = {
        "file": path.name[:200],
        "sha256": known.sha256,
        "checksum": str(known),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
    }
    table = replace(table, origin=origin)
    kept = save_table(table)
    return Imported(kind, table, kept, kept.stat().st_size, known, time.monotonic() - started)
