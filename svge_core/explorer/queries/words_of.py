"""What can be spoken of in the space of an open checkpoint."""

from dataclasses import replace

import numpy as np

from svge_core.drawing import operation_label
from svge_core.explorer.charted import ChartedCells
from svge_core.explorer.columns import DOMINANT, ColumnName, column
from svge_core.explorer.queries.names import NamedColumn, Vocabulary
from svge_core.explorer.queries.wording import LEAST, example_of, example_operations
from svge_core.explorer.structure import COUNT, DEPTH, EDGES, table_names


def vocabulary_of(explorer: ChartedCells) -> Vocabulary:
    """The operations and columns of a space. Operations are known by their labels and by their own names."""
    columns = tuple(_named(explorer, name) for name in table_names(explorer) if not name.key.startswith(COUNT))
    constant: list[str] = []
    there = {column.key for column in columns}
    for key, values in ((EDGES, explorer.structure.edges), (DEPTH, explorer.structure.depth)):
        if key not in there and len(np.unique(values)) == 1:
            constant.append(key)
    operations = {op: (operation_label(op), op) for op in explorer.space.operations}
    mostly = next((column for column in columns if column.key == DOMINANT), None)
    found = Vocabulary(explorer.space.title, operations, columns, tuple(constant), mostly=mostly)
    return replace(found, example=example_of(found, _usual_size(explorer)))


def _usual_size(explorer: ChartedCells) -> float | None:
    """Parameters in millions, two digits, that most of the cells that examples speak of stay under."""
    if not explorer.space.has_cost:
        return None
    labels = list(map(operation_label, explorer.space.operations))
    keep = np.ones(len(explorer.atlas), dtype=bool)
    if (named := example_operations(labels)) is not None:
        keep &= explorer.operation_counts[:, labels.index(named[0])] >= LEAST
        keep &= explorer.operation_counts[:, labels.index(named[1])] == 0
    chosen = explorer.params[keep] if keep.any() else explorer.params
    typical = float(np.percentile(chosen, 75))
    if not typical > 0:
        return None
    step = 10.0 ** (np.floor(np.log10(typical)) - 1)
    return float(f"{np.ceil(typical / step) * step:.2g}")


def _named(explorer: ChartedCells, name: ColumnName) -> NamedColumn:
    if name.kind == "structure":
        return NamedColumn(name.key, name.title, whole=True, better=False)
    if name.kind == "category":
        return NamedColumn(name.key, name.title, categories=column(explorer, name.key).categories)
    meaning = explorer.meaning(name.score)
    direction = "min" if name.kind == "error" else meaning.direction
    whole = name.key in (EDGES, DEPTH)
    better = name.kind != "error"  # that is signed: neither end is the smaller error
    return NamedColumn(name.key, name.title, meaning.unit, direction, whole, better=better)
