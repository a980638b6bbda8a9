"""All NAS-Bench-101 cells in the order of their official md5 keys; a key is computed when it is asked for."""

import contextlib
import warnings
from zipfile import BadZipFile

import numpy as np
from jaxtyping import Int

from svge_core.files import cache_dir, keep_arrays
from svge_core.spaces.nasbench101.codes import all_codes, decode_one
from svge_core.spaces.nasbench101.md5_key import module_hash
from svge_core.spaces.nasbench101.official_order import ORDER_FILE, SIZE, read_order
from svge_core.threads import computed_once, counting

TITLE = "NAS-Bench-101"
#: changes with the meaning of the codes, so that an older file is never read as a newer one
_FILE = "nasbench101-v1.npz"
#: keys computed between two counts
_PIECE = 1_024
#: single keys that are looked for before all are computed: some five md5 keys each, so by then an eighth of the table
_SEARCHES = 10_000
#: keys that are computed anew to know a cached file for what it is
_PROBED = 64
_KEY_BITS = 128


class Table:
    """The cells by official index, the rank of their md5 key.

    Args:
        codes: canonical code of every cell (see :mod:`svge_core.spaces.nasbench101.codes`).
        hashes: the md5 keys, ascending, 16 bytes each; None to compute them when they are needed.
    """

    def __init__(self, codes: Int[np.ndarray, " cells"], hashes: np.ndarray | None = None) -> None:
        self.codes = codes
        self._given = hashes
        self._searches = 0

    @computed_once
    def hashes(self) -> np.ndarray:
        """All md5 keys, ascending, 16 bytes each: from the cache folder, or computed, while cells are counted, and kept
        there."""
        if (found := self._at_hand) is not None:
            return found
        hashes = _keys_of(self.codes)
        _keep(self.codes, hashes)
        return hashes

    @computed_once
    def _at_hand(self) -> np.ndarray | None:
        """The keys, where nothing needs to be computed."""
        if self._given is not None:
            return self._given
        cached = _cached()
        return cached[1] if cached is not None and np.array_equal(cached[0], self.codes) else None

    @computed_once
    def _by_code(self) -> tuple[np.ndarray, np.ndarray]:
        order = np.argsort(self.codes)
        return self.codes[order], order

    def index_of_code(self, code: int) -> int | None:
        """Official index of a canonical code; None if it is no cell of the space."""
        codes, order = self._by_code
        at = int(np.searchsorted(codes, code))
        return int(order[at]) if at < len(codes) and codes[at] == code else None

    def index_of_hash(self, text: str) -> int | None:
        """Official index of an md5 key of 32 hex digits; None if no cell has it.

        A few keys are searched for, as the order is known without them. Who asks for thousands gets all keys.
        """
        wanted = bytes.fromhex(text)
        if self._at_hand is None and self._searches < _SEARCHES:
            self._searches += 1
            return self._search(int.from_bytes(wanted, "big"))
        at = int(self.indices_of_hashes(np.frombuffer(wanted, dtype="S16"))[0])
        return None if at < 0 else at

    def _search(self, wanted: int) -> int | None:
        """Interpolation search: md5 keys lie evenly, so the next place to look at follows from the key wanted."""
        low, high, below, above = 0, len(self.codes), 0, 1 << _KEY_BITS
        while low < high:
            at = min(low + (wanted - below) * (high - low) // (above - below), high - 1)
            found = int(module_hash(*decode_one(int(self.codes[at]))), 16)
            if found == wanted:
                return at
            if found < wanted:
                low, below = at + 1, found
            else:
                high, above = at, found
        return None

    def indices_of_hashes(self, keys: np.ndarray) -> Int[np.ndarray, " keys"]:
        """Official indices of many keys (dtype S16, the raw 16 bytes); -1 where no cell has the key."""
        hashes = self.hashes
        at = np.searchsorted(hashes, keys).clip(max=len(hashes) - 1)
        return np.where(hashes[at] == keys, at, -1)


class _Cells:
    """What this process knows of the space, once for all threads."""

    @computed_once
    def table(self) -> Table:
        if (order := read_order()) is not None:
            return Table(all_codes()[order])
        warnings.warn(
            f"The file {ORDER_FILE.name} of this installation is missing or damaged, so the order of the {SIZE:,} "
            f"cells of {TITLE} is computed from their md5 keys; install svge-explorer again to have it at once.",
            stacklevel=2,
        )
        if (cached := _cached()) is not None:
            return Table(*cached)
        built = build()
        _keep(built.codes, built.hashes)
        return built


_CELLS = _Cells()


def table() -> Table:
    """The table; without the shipped order it is built from the keys, as :func:`build` does, and kept as a file."""
    return _CELLS.table


def build() -> Table:
    """Enumerate, key and sort all cells: what the shipped order was made of."""
    codes = all_codes()
    hashes = _keys_of(codes)
    order = np.argsort(hashes, kind="stable")
    return Table(codes[order], hashes[order])


def _keys_of(codes: Int[np.ndarray, " cells"]) -> np.ndarray:
    """The md5 keys of codes, in their order."""
    digests = bytearray()
    with counting(TITLE, "md5 keys computed", len(codes)) as tell:
        for start in range(0, len(codes), _PIECE):
            for code in codes[start : start + _PIECE].tolist():
                digests += bytes.fromhex(module_hash(*decode_one(code)))
            tell(min(start + _PIECE, len(codes)))
    return _as_keys(np.frombuffer(bytes(digests), dtype=np.uint8).reshape(-1, 16))


def _keep(codes: Int[np.ndarray, " cells"], hashes: np.ndarray) -> None:
    keep_arrays(cache_dir() / _FILE, {"codes": codes, "hashes": hashes.view(np.uint8).reshape(-1, 16)})


def _cached() -> tuple[np.ndarray, np.ndarray] | None:
    """Codes and keys of the cache folder; None where they are not there, damaged or not each other's."""
    with (
        contextlib.suppress(OSError, ValueError, KeyError, EOFError, BadZipFile),
        (cache_dir() / _FILE).open("rb") as handle,  # which NumPy leaves open where it finds no archive in it
        np.load(handle, allow_pickle=False) as file,
    ):
        codes, raw = file["codes"], file["hashes"]
        if codes.shape != (SIZE,) or codes.dtype != np.int64 or raw.shape != (SIZE, 16) or raw.dtype != np.uint8:
            return None
        hashes = _as_keys(raw)
        rows = np.unique(np.linspace(0, SIZE - 1, _PROBED).astype(np.int64))
        if (hashes[1:] > hashes[:-1]).all() and np.array_equal(np.sort(codes), all_codes()):
            return (codes, hashes) if np.array_equal(_keys_of(codes[rows]), hashes[rows]) else None
    return None


def _as_keys(raw: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(raw).view("S16").reshape(-1)
