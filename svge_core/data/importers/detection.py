"""Which official file is this? Its content decides; its name is only used in messages. Known sha256 sums."""

import hashlib
import pickletools
import re
import stat
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from svge_core.data.importers.messages import cannot_be_read, one_line, shown
from svge_core.data.importers.nats import RECORD
from svge_core.data.importers.table import OnProgress, silent
from svge_core.data.importers.tfrecord import begins_like_records
from svge_core.errors import DataError

FileKind = Literal[
    "nasbench101", "nats", "pth", "naslib101", "naslib201", "zero-cost", "arch2vec", "hw-nas-bench", "enas"
]

KINDS: dict[FileKind, str] = {
    "nasbench101": "NAS-Bench-101 tfrecord (nasbench_only108.tfrecord, nasbench_full.tfrecord)",
    "nats": "NATS-Bench topology archive (NATS-tss-v1_0-3ffb9-simple, tar or folder)",
    "pth": "NAS-Bench-201 .pth (v1.0, v1.1)",
    "naslib101": "NASLib nasbench_only108.pkl",
    "naslib201": "NASLib nb201_*_full_training.pickle",
    "zero-cost": "zc_nasbench201.json",
    "arch2vec": "arch2vec data.json",
    "hw-nas-bench": "HW-NAS-Bench-v1_0.pickle",
    "enas": "D-VAE final_structures6.txt",
}
assert set(KINDS) == set(get_args(FileKind))

#: sha256 of official files, by kind
SHA256: dict[FileKind, dict[str, str]] = {
    "nasbench101": {
        "4c39c3936e36a85269881d659e44e61a245babcb72cb374eacacf75d0e5f4fd1": "nasbench_only108.tfrecord",
        "3d64db8180fb1b0207212f9032205064312b6907a3bbc81eabea10db2f5c7e9c": "nasbench_full.tfrecord",
    },
    "enas": {"fea9a7dde1545e7d3bd58fd4b9c3db08a89c18e0351f770cde2fe530c4791725": "final_structures6.txt"},
}
#: how many bytes of memory a byte of the file takes, for the kinds that are read whole
MEMORY: dict[FileKind, float] = {"pth": 6, "naslib101": 8, "naslib201": 6, "zero-cost": 8, "hw-nas-bench": 6}
_WARN_FROM = 2 * 2**30
_HEAD = 2**16
_SPREADSHEET = "a spreadsheet: export it as CSV, and read that with 'svge labels FILE.csv'"
#: how files begin that are often given instead, and what to do with them
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"BZh", "a bz2 file; of NATS-Bench, the simple archive is read (the single file needs 12 GB)"),
    *(
        (begins, "compressed: unpack it and import what is in it (of NATS-Bench, the plain .tar or its folder)")
        for begins in (b"\x1f\x8b", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18")
    ),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it and import the file or folder in it"),
    (b"Rar!\x1a\x07", "a rar archive: unpack it and import the file or folder in it"),
    (b"\xd0\xcf\x11\xe0", _SPREADSHEET),
    (b"version https://git-lfs", "a Git LFS pointer, not the file: run 'git lfs pull' where it comes from"),
    (b"PAR1", "a Parquet table: save it as CSV, and read that with 'svge labels FILE.csv'"),
    (b"\x89HDF", "an HDF5 file, which is not read"),
    *((begins, "UTF-16 text: save it as UTF-8") for begins in (b"\xff\xfe", b"\xfe\xff")),
    *((begins, "a pickle of protocol 0 or 1; this version reads 2 to 5") for begins in (b"(dp", b"(lp", b"}q\x00")),
)
_LEGACY_TORCH = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19"


@dataclass(frozen=True)
class Checksum:
    """A file's sha256 and what is known about it: the official file's name if it matches, else the expected sums."""

    sha256: str
    matches: str = ""
    expected: tuple[tuple[str, str], ...] = ()

    @property
    def mismatch(self) -> bool:
        """True where the official sum is known and is another."""
        return bool(self.expected) and not self.matches

    def __str__(self) -> str:
        if self.matches:
            return f"sha256 matches the official file {self.matches}"
        if not self.sha256:
            return "no sha256: it is a folder"
        if not self.expected:
            return f"no known sha256 for this file; it is {self.sha256}"
        sums = " or ".join(f"{digest} ({name})" for digest, name in self.expected)
        return f"sha256 does not match: expected {sums}, got {self.sha256}"


def checksum(path: Path, kind: FileKind, progress: OnProgress = silent) -> Checksum:
    """Compute a file's sha256 and compare it with the known ones of its kind."""
    known = SHA256.get(kind, {})
    if path.is_dir():
        return Checksum("")
    state, done, size = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as file:
        while block := file.read(2**22):
            state.update(block)
            done += len(block)
            progress(done, size)
    digest = state.hexdigest()
    return Checksum(digest, known.get(digest, ""), tuple(known.items()))


def memory_warning(path: Path, kind: FileKind) -> str:
    """One line where reading the file takes much memory, else nothing."""
    size = 0 if path.is_dir() else path.stat().st_size
    needed = size * MEMORY.get(kind, 0)
    if needed < _WARN_FROM:
        return ""
    other = " NATS-Bench's archive holds the same runs and is streamed." if kind == "pth" else ""
    return f"This file is read whole and needs about {needed / 2**30:.0f} GiB of memory.{other}"


def detect(path: Path) -> FileKind:
    """The kind of a file or folder, from its content.

    Raises:
        DataError: if it is none that can be imported, or cannot be read: missing, a device or pipe, not permitted.
    """
    try:
        state = path.stat().st_mode
        if stat.S_ISDIR(state):
            if any(RECORD.fullmatch(file.name) for file in path.iterdir()):
                return "nats"
            raise _unknown(path, "a folder without records such as 000000.pickle.pbz2")
        if not stat.S_ISREG(state):
            raise DataError(f"{shown(path)} is a device or pipe: give the file itself.")
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise cannot_be_read(path, error) from None
    return _of_head(path, head)


def _of_head(path: Path, head: bytes) -> FileKind:
    if not head:
        raise _unknown(path, "an empty file")
    if begins_like_records(head):
        return "nasbench101"
    if _LEGACY_TORCH in head[:16]:
        return "pth"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _in_zip(path, head)
    for begins, what in _OTHERS:
        if head.startswith(begins):
            raise DataError(f"{shown(path)} is {what}.")
    if head[257:262] == b"ustar":
        return _in_tar(path)
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return _in_pickle(path, head)
    if head[:1] == b"\x80" and 5 < (protocol := int.from_bytes(head[1:2], "big")) < 32:
        raise DataError(f"{shown(path)} is a pickle of protocol {protocol}; this version reads 2 to 5.")
    return _in_text(path, head)


def _unknown(path: Path, found: str) -> DataError:
    return DataError(f"{shown(path)} is {found}. These can be imported: {'; '.join(KINDS.values())}.")


def _in_zip(path: Path, head: bytes) -> FileKind:
    """By the names in it; of a file that is cut off, by the first one."""
    try:
        with zipfile.ZipFile(path) as archive:
            names, whole = archive.namelist(), True
    except Exception:  # a damaged directory can raise anything
        length = int.from_bytes(head[26:28], "little")
        names, whole = [head[30 : 30 + length].decode("utf-8", errors="replace")], False
    if any(name.endswith("/data.pkl") for name in names):
        return "pth"
    if any(name.startswith("xl/") or name == "[Content_Types].xml" for name in names):
        raise DataError(f"{shown(path)} is {_SPREADSHEET}.")
    state = "a zip archive" if whole else "a zip archive that is cut off or damaged: get it again, then"
    raise DataError(f"{shown(path)} is {state}{':' if whole else ''} unpack it and import the file or folder in it.")


def _in_tar(path: Path) -> FileKind:
    try:
        with tarfile.open(path, "r|") as archive:
            for number, member in enumerate(archive):
                if RECORD.fullmatch(member.name) or member.name.endswith("meta.pickle.pbz2"):
                    return "nats"
                if number == 100:
                    break
    except Exception:  # a damaged archive can raise anything
        raise _unknown(path, "a damaged archive, or none") from None
    raise _unknown(path, "an archive without records such as 000000.pickle.pbz2")


def _in_pickle(path: Path, head: bytes) -> FileKind:
    """By the first texts of the pickle; the opcodes are listed, not obeyed."""
    texts: list[str] = []
    try:
        for _, value, _ in pickletools.genops(head):
            if isinstance(value, str):
                texts.append(value)
            if len(texts) > 8:
                break
    except Exception:  # the head ends in the middle of an item, or it is no pickle; whatever was read counts
        pass
    first = next((text for text in texts if not text.startswith(("collections", "OrderedDict", "builtins"))), "")
    if re.fullmatch(r"[0-9a-f]{32}", first):
        return "naslib101"
    if re.match(r"\|\w+~0\|\+", first):
        return "naslib201"
    if first in ("nasbench201", "fbnet"):
        return "hw-nas-bench"
    raise _unknown(path, f"a pickle of something else (first text {one_line(first, 40)!r})")


def _in_text(path: Path, head: bytes) -> FileKind:
    text = head.decode("utf-8", errors="replace").lstrip("\ufeff \t\r\n")
    if re.match(r"\[\s*\[\s*\d\s*\]\s*,\s*\[", text):
        return "enas"
    if re.match(r'\{\s*"\d+"\s*:\s*\{', text) and "module_adjacency" in text:
        return "arch2vec"
    if re.match(r'\{\s*"[\w-]+"\s*:\s*\{\s*"\(\d', text):
        return "zero-cost"
    if re.match(r'\{\s*"[\w-]+"\s*:\s*\{', text) and '"score"' in text:
        raise _unknown(path, "a file of zero-cost proxies of another space")
    if re.match(r'\[\s*\{\s*"', text) and '"arch"' in text and '"accuracy"' in text:
        raise DataError(
            f"{shown(path)} is a NASLib list of architectures and accuracies, which does not say what they were "
            "measured on: write a CSV with the columns naslib and accuracy, and read it with 'svge labels FILE.csv'."
        )
    if re.match(r"<(!doctype|html|head|\?xml)", text, re.IGNORECASE):
        raise DataError(f"{shown(path)} is a web page, not the file: the download failed, get it again.")
    if _is_table(text):
        raise DataError(f"{shown(path)} is a table of text: read it with 'svge labels FILE.csv' or in the app.")
    raise _unknown(path, "none of the known files")


def _is_table(text: str) -> bool:
    """Whether a text has a header of several titles and no line of JSON or of binary data."""
    first, newline, _ = text.partition("\n")
    separated = any(first.count(mark) for mark in ",;\t")
    return bool(newline) and separated and first.rstrip("\r").isprintable() and not first.startswith(("{", "[", "<"))
