"""Statistics of untrained networks as columns of a space: what the map and the tables show of them.

Cells that compute the same have networks that are drawn alike but for weights without a part in the result, so their
values are those of the first of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

import numpy as np

from svge_core.cells import Cell
from svge_core.data import ScoreMeaning
from svge_core.data.importers import Columns, ImportedTable
from svge_core.networks import STATISTICS, UntrainedProtocol, untrained_statistics
from svge_core.spaces import AbstractSearchSpace

#: of the table among the imported ones
UNTRAINED_TABLE = "untrained"
#: functions of cells between two tables
_CHUNK = 100
_SOURCES = {
    "synflow": "logarithm of the flow of Tanaka et al. 2020, summed as by Abdelfattah et al. 2021",
    "nwot": "Mellor et al. 2021",
    "jacov": "Mellor et al. 2021",
    "grad_norm": "Abdelfattah et al. 2021",
}


def untrained_columns(
    space: AbstractSearchSpace,
    indices: Sequence[int],
    protocol: UntrainedProtocol | None = None,
    before: ImportedTable | None = None,
) -> Iterator[tuple[int, ImportedTable]]:
    """The statistics of cells, a growing table: every one holds what is known so far.

    Args:
        space: of the cells; it needs a network.
        indices: official ones, without repetition.
        protocol: how the statistics are taken.
        before: a table of an earlier call; what it holds is kept, if it was taken by the same protocol.

    Yields:
        How many of ``indices`` are done, and the table; the last one holds all. No value where a network has no path
        from the image to the outputs.

    Raises:
        SvgeError: as :func:`~svge_core.networks.untrained_statistics`.
    """
    protocol = protocol or UntrainedProtocol()
    origin = {"file": "networks of this program", **{name: str(value) for name, value in asdict(protocol).items()}}
    kept = before is not None and all(before.origin.get(name) == value for name, value in origin.items())
    rows: dict[int, np.ndarray] = {}
    if before is not None and kept:
        values = before.frame[list(before.meanings)].to_numpy()
        rows = {int(index): row for index, row in zip(before.frame["index"], values, strict=True)}
    missing = [index for index in map(int, indices) if index not in rows]
    together: dict[Cell, list[int]] = {}
    for index in missing:
        together.setdefault(space.representative(space.from_index(index)), []).append(index)
    cells, done = list(together), len(indices) - len(missing)
    if not missing:
        yield done, _table(space, rows, protocol, origin)
    for start in range(0, len(cells), _CHUNK):
        chunk = cells[start : start + _CHUNK]
        found = untrained_statistics(space, chunk, protocol)
        values = np.where(found.dead[:, None], np.nan, found.values)
        for cell, row in zip(chunk, values, strict=True):
            rows.update((index, row) for index in together[cell])
            done += len(together[cell])
        yield done, _table(space, rows, protocol, origin)


def _table(
    space: AbstractSearchSpace, rows: dict[int, np.ndarray], protocol: UntrainedProtocol, origin: dict[str, str]
) -> ImportedTable:
    indices = sorted(rows)
    # in the precision in which they are stored
    values = np.array([rows[index] for index in indices], dtype=np.float32).reshape(-1, len(STATISTICS))
    columns = Columns(index=indices)
    for name, column in zip(STATISTICS, values.T, strict=True):
        columns.add(_meaning(name, protocol), column)
    title = "statistics of untrained networks"
    return ImportedTable(space.name, UNTRAINED_TABLE, title, "index", columns.frame(), columns.meanings, (), origin)


def _meaning(name: str, protocol: UntrainedProtocol) -> ScoreMeaning:
    # a detail, as none of them is what an architecture is chosen for
    return ScoreMeaning(
        f"untrained_{name}",
        f"{name}, untrained",
        "",
        "max",
        "",
        f"{protocol.batch} random images of {protocol.side} x {protocol.side}, no labels",
        0,
        f"mean of {protocol.initialisations} random initialisations, {protocol.channels} channels",
        "measured",
        f"this program's small networks; {_SOURCES[name]}",
        role="other",
        origin="bundled",
        single_run=False,
        detail=True,
    )
