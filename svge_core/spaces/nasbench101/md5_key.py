"""The official key of a NAS-Bench-101 cell: the md5 isomorphism hash of its labelled graph.

The recipe is that of the authors' ``graph_util.hash_module`` (google-research/nasbench, Apache-2.0), byte by byte: it
decides which records of the official files belong to a cell.
"""

from collections.abc import Sequence
from hashlib import md5

#: digits the official hash gives to the ends; inner vertices have their index in the official list of operations
INPUT_LABEL, OUTPUT_LABEL = -1, -2


def _hex(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()


_first_hash: dict[tuple[int, int, int], str] = {}


def module_hash(operations: Sequence[int], edges: Sequence[tuple[int, int]]) -> str:
    """32 hex digits, equal for isomorphic cells.

    Args:
        operations: index of every inner vertex's operation in (conv3x3, conv1x1, maxpool3x3).
        edges: (source, target) positions, 0 the input, the last the output; no vertex off the paths between them.
    """
    labels = (INPUT_LABEL, *operations, OUTPUT_LABEL)
    count = len(labels)
    sources: list[list[int]] = [[] for _ in range(count)]
    targets: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        targets[source].append(target)
        sources[target].append(source)
    hashes: list[str] = []
    for vertex in range(count):
        start = (len(targets[vertex]), len(sources[vertex]), labels[vertex])
        if start not in _first_hash:
            _first_hash[start] = _hex(str(start))
        hashes.append(_first_hash[start])
    for _ in range(count):
        hashes = [
            _hex(
                "".join(sorted([hashes[w] for w in sources[vertex]]))
                + "|"
                + "".join(sorted([hashes[w] for w in targets[vertex]]))
                + "|"
                + hashes[vertex]
            )
            for vertex in range(count)
        ]
    return _hex(str(sorted(hashes)))
