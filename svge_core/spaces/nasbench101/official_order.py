"""The official order of all NAS-Bench-101 cells, shipped as a file: their order by md5 key without a single md5 sum.

``official_order.bin`` holds for every official index the place of the cell in the ascending order of canonical codes
(:func:`svge_core.spaces.nasbench101.codes.all_codes`): 423,624 numbers of 19 bits each, one after another, the highest
bit first. A permutation of so many has 913,000 bytes of information, so the 1,006,107 of the file can hardly be fewer.
``python -m tools.official_order`` makes it again.
"""

import hashlib
from pathlib import Path

import numpy as np
from jaxtyping import Int

SIZE = 423_624
ORDER_FILE = Path(__file__).with_name("official_order.bin")
#: of the file (BLAKE2b, 128 bits)
ORDER_DIGEST = "38c8b67b79b6af440ae4441ffaff52ff"
_BITS = (SIZE - 1).bit_length()


def packed_order(order: Int[np.ndarray, " cells"]) -> bytes:
    """The content of the file for an order."""
    bits = (order[:, None] >> np.arange(_BITS - 1, -1, -1)) & 1
    return np.packbits(bits.astype(np.uint8).reshape(-1)).tobytes()


def order_digest(content: bytes) -> str:
    """What :data:`ORDER_DIGEST` is of the right file."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def read_order(path: Path = ORDER_FILE) -> Int[np.ndarray, " cells"] | None:
    """Place in the order of codes by official index; None where the file is missing or any bit of it is another."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if order_digest(content) != ORDER_DIGEST:
        return None
    bits = np.unpackbits(np.frombuffer(content, dtype=np.uint8), count=SIZE * _BITS).reshape(SIZE, _BITS)
    order = np.zeros(SIZE, dtype=np.int64)
    for column in range(_BITS):  # one after another: a product would want a table of eight times the size
        order = (order << 1) | bits[:, column]
    return order
