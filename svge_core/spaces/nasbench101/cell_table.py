"""All NAS-Bench-101 cells in the order of their official md5 keys, built once and kept in the user's cache folder."""

import contextlib
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from jaxtyping import Int

from svge_core.files import cache_dir, keep_arrays
from svge_core.spaces.nasbench101.codes import all_codes, decode_one
from svge_core.spaces.nasbench101.md5_key import module_hash

SIZE = 423_624
#: changes with the meaning of the codes, so that an older file is never read as a newer one
_FILE = "nasbench101-v1.npz"


@dataclass(frozen=True)
class Table:
    """The cells by official index, the rank of their md5 key.

    Attributes:
        codes: canonical code of every cell (see :mod:`svge_core.spaces.nasbench101.codes`).
        hashes: the md5 keys, ascending, 16 bytes each.
    """

    codes: Int[np.ndarray, " cells"]
    hashes: np.ndarray

    @cached_property
    def _by_code(self) -> tuple[np.ndarray, np.ndarray]:
        order = np.argsort(self.codes)
        return self.codes[order], order

    def index_of_code(self, code: int) -> int | None:
        """Official index of a canonical code; None if it is no cell of the space."""
        codes, order = self._by_code
        at = int(np.searchsorted(codes, code))
        return int(order[at]) if at < len(codes) and codes[at] == code else None

    def index_of_hash(self, text: str) -> int | None:
        """Official index of an md5 key of 32 hex digits; None if no cell has it."""
        wanted: bytes = np.frombuffer(bytes.fromhex(text), dtype="S16")[0]
        at = int(np.searchsorted(self.hashes, wanted))
        return at if at < len(self.hashes) and self.hashes[at] == wanted else None

    def indices_of_hashes(self, keys: np.ndarray) -> Int[np.ndarray, " keys"]:
        """Official indices of many keys (dtype S16, the raw 16 bytes); -1 where no cell has the key."""
        at = np.searchsorted(self.hashes, keys).clip(max=len(self.hashes) - 1)
        return np.where(self.hashes[at] == keys, at, -1)


@lru_cache(maxsize=1)
def table() -> Table:
    """The table, from the cache folder, or built (half a minute: 20 million md5 sums) and kept there."""
    path = cache_dir() / _FILE
    with contextlib.suppress(OSError, ValueError, KeyError), np.load(path, allow_pickle=False) as file:
        codes, raw = file["codes"], file["hashes"]
        if codes.shape == (SIZE,) and codes.dtype == np.int64 and raw.shape == (SIZE, 16) and raw.dtype == np.uint8:
            return Table(codes, _as_keys(raw))
    built = build()
    keep_arrays(path, {"codes": built.codes, "hashes": built.hashes.view(np.uint8).reshape(SIZE, 16)})
    return built


def build() -> Table:
    """Enumerate, key and sort all cells."""
    codes = all_codes()
    digests = b"".join(bytes.fromhex(module_hash(*decode_one(code))) for code in codes.tolist())
    raw = np.frombuffer(digests, dtype=np.uint8).reshape(-1, 16)
    order = np.argsort(_as_keys(raw), kind="stable")
    return Table(codes[order], _as_keys(raw[order]))


def _as_keys(raw: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(raw).view("S16").reshape(-1)
