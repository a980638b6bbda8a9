"""Which official file is this? Its content decides; its name is only used in messages. Known sha256 sums."""

import hashlib
import pickletools
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

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
        DataError: if it is none that can be imported.
        OSError: if it cannot be read.
    """
    if path.is_dir():
        if any(RECORD.fullmatch(file.name) for file in path.iterdir()):
            return "nats"
        raise _unknown(path, "a folder without records such as 000000.pickle.pbz2")
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise _unknown(path, "an empty file")
    if begins_like_records(head):
        return "nasbench101"
    if head.startswith(b"PK\x03\x04") or _LEGACY_TORCH in head[:16]:
        return "pth"
    if head.startswith(b"BZh"):
        raise _unknown(path, "a bz2 file; of NATS-Bench, the simple archive is read (the single file needs 12 GB)")
    if head.startswith((b"\x1f\x8b", b"\xfd7zXZ\x00")):
        raise _unknown(path, "compressed; of NATS-Bench, the plain .tar or its folder is read: unpack it first")
    if head[257:262] == b"ustar":
        return _in_tar(path)
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return _in_pickle(path, head)
    return _in_text(path, head)


def _unknown(path: Path, found: str) -> DataError:
    return DataError(f"{path.name[:80]} is {found}. These can be imported: {'; '.join(KINDS.values())}.")


def _in_tar(path: Path) -> FileKind:
    try:
        with tarfile.open(path, "r|") as archive:
            for number, member in enumerate(archive):
                if RECORD.fullmatch(member.name) or member.name.endswith("meta.pickle.pbz2"):
                    return "nats"
                if number == 100:
                    break
    except (tarfile.TarError, EOFError, OSError, ValueError):
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
    raise _unknown(path, f"a pickle of something else (first text {first[:40]!r})")


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
    raise _unknown(path, "none of the known files")
