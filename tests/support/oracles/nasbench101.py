"""The md5 key of a NAS-Bench-101 cell, written from the paper's description: labels spread along edges, then hashed."""

from collections.abc import Sequence
from hashlib import md5

import numpy as np


def _digest(text: str) -> str:
    return md5(text.encode("utf-8"), usedforsecurity=False).hexdigest()


def key_of(matrix: Sequence[Sequence[int]], labels: Sequence[str], operations: Sequence[str]) -> str:
    """The key of a pruned cell.

    Args:
        matrix: upper triangular, 0 and 1.
        labels: of all vertices, "input" and "output" at the ends.
        operations: the official list, whose positions are hashed.
    """
    edges = np.asarray(matrix)
    numbers = [-1, *(list(operations).index(label) for label in labels[1:-1]), -2]
    # the authors print a tuple of Python's whole numbers: (edges out, edges in, label)
    state = [_digest(f"({out}, {into}, {n})") for out, into, n in zip(edges.sum(1), edges.sum(0), numbers, strict=True)]
    for _ in numbers:
        state = [
            _digest(
                "|".join(
                    (
                        "".join(sorted(state[u] for u in np.flatnonzero(edges[:, vertex]))),
                        "".join(sorted(state[w] for w in np.flatnonzero(edges[vertex]))),
                        state[vertex],
                    )
                )
            )
            for vertex in range(len(numbers))
        ]
    return _digest("[" + ", ".join(f"'{one}'" for one in sorted(state)) + "]")
