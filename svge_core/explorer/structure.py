"""Columns that follow from the structure of the charted cells: index, operation counts, edges, depth."""

import numpy as np
from jaxtyping import Float, Int

from svge_core.drawing import operation_label
from svge_core.errors import DataError
from svge_core.explorer.charted import ChartedCells
from svge_core.explorer.columns import Column, ColumnName, column, column_names, column_values

INDEX, NUMBER, COUNT, EDGES, DEPTH = "index", "number", "count-", "edges", "depth"
_DESCRIBED = {
    INDEX: "Official index of the cell.",
    NUMBER: "Number of the cell on the map; cells of this space have no index.",
    EDGES: "Edges of the cell's graph, from input and to output included; follows from the structure.",
    DEPTH: "Operations on the longest way from input to output, skips not counted; follows from the structure.",
}


def structure_names(explorer: ChartedCells) -> tuple[ColumnName, ...]:
    """Columns of the structure by which charted cells differ, but for those that are scores of the space already."""
    names = [ColumnName(INDEX, "Index", "structure")]
    if explorer.atlas.drawn is not None:
        names = [ColumnName(NUMBER, "No.", "structure")]
    labels = [operation_label(op) for op in explorer.space.operations]
    if len(labels) > 1:
        titles = zip(explorer.space.operations, labels, strict=True)
        names += [ColumnName(COUNT + op, f"{label} count", "structure") for op, label in titles]
    found = explorer.structure
    for key, title, values in ((EDGES, "Edges", found.edges), (DEPTH, "Depth", found.depth)):
        if key not in explorer.scores.meanings and len(values) and values.min() < values.max():
            names.append(ColumnName(key, title, "structure"))
    return tuple(names)


def table_names(explorer: ChartedCells) -> tuple[ColumnName, ...]:
    """All columns of the table of the space: what colours the map, and what follows from the structure."""
    return (*column_names(explorer), *structure_names(explorer))


def table_column(explorer: ChartedCells, key: str) -> Column:
    """The values of a column of the table.

    Raises:
        DataError: if there is no such column.
    """
    name = next((name for name in structure_names(explorer) if name.key == key), None)
    if name is None:
        return column(explorer, key)
    values = _values(explorer, key)
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    described = _DESCRIBED.get(key, "How often the operation is in the cell; follows from the structure.")
    return Column(name, "", "min" if key in (INDEX, NUMBER) else "max", described, values, low, high, "")


def table_values(explorer: ChartedCells, key: str) -> Float[np.ndarray, " cells"]:
    """The numbers of a column alone.

    Raises:
        DataError: if there is no such column.
    """
    known = any(name.key == key for name in structure_names(explorer))
    return _values(explorer, key) if known else column_values(explorer, key)


def _values(explorer: ChartedCells, key: str) -> np.ndarray:
    if key == INDEX:
        values = explorer.atlas.indices
    elif key == NUMBER:
        values = np.arange(1, len(explorer.atlas) + 1)
    elif key.startswith(COUNT):
        place = explorer.space.operations.index(key.removeprefix(COUNT))
        values = explorer.operation_counts[:, place]
    else:
        found = explorer.structure
        values = found.edges if key == EDGES else found.depth
    return values.astype(np.float64)


def ranks(values: Float[np.ndarray, " cells"], *, larger_first: bool) -> Int[np.ndarray, " cells"]:
    """Place of every value among all: one more than the number of values before it, so that equal values share theirs.

    Args:
        values: NaN is not ranked, and has place 0.
        larger_first: whether the largest value has place 1.
    """
    if values.ndim != 1:
        raise DataError(f"Ranks are of one column of numbers; got an array of shape {values.shape}.")
    known = np.isfinite(values)
    signed = -values[known] if larger_first else values[known]
    places = np.zeros(len(values), dtype=np.int64)
    places[known] = np.searchsorted(np.sort(signed), signed, side="left") + 1
    return places
