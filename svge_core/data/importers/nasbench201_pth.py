"""NAS-Bench-201's own files, ``NAS-Bench-201-v1_0-e61699.pth`` and ``-v1_1-096897.pth``, read without free pickle.

They can only be read whole, and need about six times their size in memory: NATS-Bench's archive holds the same runs
and is streamed. PyTorch reads them with ``weights_only``; numpy's numbers are answered as in :mod:`.unpickling`.
"""

import mmap
import pickle
import re
import zipfile
from pathlib import Path

import torch

from svge_core.data.importers.messages import reason_of, shown, unusable
from svge_core.data.importers.nb201_records import CELLS, Records
from svge_core.data.importers.pickle_scan import check_size, scan
from svge_core.data.importers.table import ImportedTable, OnProgress, silent
from svge_core.data.importers.unpickling import torch_globals
from svge_core.errors import DataError
from svge_core.files import is_dict, is_list

#: bytes in memory per byte of the file (28 GB for 4.7 GB, as the authors report)
MEMORY_FACTOR = 6
MAX_BYTES = 16 * 2**30
#: bytes of the pickle of the magic number that older files begin with
_LEGACY_MAGIC = 15
EPOCHS_OF = {"full": 200, "less": 12}


def read_pth(path: Path, progress: OnProgress = silent) -> ImportedTable:
    """Read all architectures of a file.

    Raises:
        DataError: if it is damaged, asks for anything that plain results do not need, or holds something else.
    """
    content = _loaded(path)
    if not is_dict(content) or not is_dict(content.get("arch2infos")):
        raise DataError(f"{shown(path)} is a PyTorch file, but not NAS-Bench-201's: expected 'arch2infos' in it.")
    meta, infos = content.get("meta_archs"), content["arch2infos"]
    records = Records()
    for done, (index, info) in enumerate(infos.items()):
        try:
            if type(index) is not int or not 0 <= index < CELLS or not is_dict(info):
                raise DataError(f"expected an index from 0 to {CELLS - 1} and its results")
            if "all_results" in info:  # the first release has the long schedule alone
                info = {"full": info}
            records.add({epochs: info[key] for key, epochs in EPOCHS_OF.items() if key in info}, index)
        except Exception as error:
            raise unusable(path, f"architecture {str(index)[:20]}", error) from None
        progress(done + 1, len(infos))
    total = len(meta) if is_list(meta) else CELLS
    notes = () if len(infos) == total else (f"{total - len(infos):,} of {total:,} architectures are missing.",)
    found = re.search(r"v\d_\d", path.name)
    version = f" {found[0].replace('_', '.')}" if found else ""
    source = f"NAS-Bench-201{version} (Dong & Yang 2020), {shown(path)}"
    label = f"NAS-Bench-201{version}"
    return records.table("nasbench201-pth", f"{label} .pth", "nb201", label, source, notes)


def _scan(path: Path, size: int) -> None:
    """What the pickles of the file would take; PyTorch reads them opcode by opcode, with real dictionaries."""
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            position = _LEGACY_MAGIC  # then version, system, content and names of storages, each a pickle
            for _ in range(4):
                position = scan(mapped, position, torch=True)
        return
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if (unpacked := sum(member.file_size for member in members)) > size:  # PyTorch stores them as they are
            raise DataError(f"it unpacks to {unpacked:,} bytes, more than PyTorch's files do")
        for member in members:
            if member.filename.endswith("/data.pkl"):
                scan(archive.read(member), torch=True)


def _loaded(path: Path) -> object:
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise DataError(f"{shown(path)} has {size:,} bytes; at most {MAX_BYTES:,} are expected.")
    try:
        _scan(path, size)
    except Exception as error:  # a damaged file can raise anything
        raise DataError(f"{shown(path)} is damaged or cut off: {reason_of(error)}. Get the file again.") from None
    try:
        with torch.serialization.safe_globals(torch_globals()):
            content = torch.load(path, map_location="cpu", weights_only=True)
        check_size(content, size)
        return content
    except DataError as error:
        raise DataError(f"{shown(path)} was refused, nothing in it was run: {error}.") from None
    except pickle.UnpicklingError as error:
        if named := re.search(r"(?:GLOBAL|class) ([\w.]{1,120})", str(error)):
            raise DataError(
                f"{shown(path)} was refused, nothing in it was run: it asks for {named[1]}, which plain results do not "
                "need."
            ) from None
        raise DataError(f"{shown(path)} is damaged or cut off: get the file again.") from error
    except MemoryError:
        raise DataError(
            f"{shown(path)} does not fit into this machine's memory: import NATS-Bench's archive."
        ) from None
    except Exception as error:  # a damaged file can raise anything
        raise DataError(f"{shown(path)} is damaged or cut off ({type(error).__name__}): get the file again.") from error
