"""The table of the space as a file: any number of rows, made piece by piece."""

import io
import json
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Int

from svge_core.explorer.charted import ChartedCells
from svge_core.explorer.selection import selection_columns
from svge_core.explorer.structure import COUNT, DEPTH, EDGES, structure_names, table_values

TableForm = Literal["csv", "parquet"]
#: columns beside the counts that follow from the structure
_NUMBERS = (EDGES, DEPTH)
#: rows whose texts are in memory at one time
PIECE = 20_000


def table_rows(explorer: ChartedCells, rows: Int[np.ndarray, " rows"]) -> pd.DataFrame:
    """Indices, notations, operation counts, edges and depth, all scores and all predictions of many cells."""
    frame = selection_columns(explorer, rows)
    counts = [name.key for name in structure_names(explorer) if name.key.startswith(COUNT) or name.key in _NUMBERS]
    parts = {key.replace("-", "_", 1): table_values(explorer, key)[rows].astype(np.int64) for key in counts}
    first = list(frame.columns[: list(frame.columns).index("arch_str") + 1])
    return pd.concat([frame[first], pd.DataFrame(parts, index=frame.index), frame.drop(columns=first)], axis=1)


def table_file(explorer: ChartedCells, rows: Int[np.ndarray, " rows"], form: TableForm) -> bytes:
    """Rows of the table in the order given, as a file; beside it no more than a piece of them is made at one time.

    What the scores are stands in the metadata of a parquet file, under ``svge_meanings``, as JSON.

    Args:
        explorer: the charted cells and what is known about them.
        rows: of the atlas.
        form: of the file.
    """
    pieces = [rows[start : start + PIECE] for start in range(0, len(rows), PIECE)] or [rows]
    content = io.BytesIO()
    if form == "csv":
        for number, piece in enumerate(pieces):
            table_rows(explorer, piece).to_csv(content, index=False, header=number == 0, lineterminator="\r\n")
        return content.getvalue()
    import pyarrow
    from pyarrow import parquet

    keys = {*explorer.scores.meanings, *explorer.predicted_keys}
    meanings = json.dumps({key: explorer.meaning(key).to_dict() for key in sorted(keys)})
    first = pyarrow.Table.from_pandas(table_rows(explorer, pieces[0]), preserve_index=False)
    schema = first.schema.with_metadata({b"svge_space": explorer.space.name, b"svge_meanings": meanings})
    with parquet.ParquetWriter(content, schema, compression="zstd") as writer:
        writer.write_table(first.cast(schema))
        for piece in pieces[1:]:
            writer.write_table(pyarrow.Table.from_pandas(table_rows(explorer, piece), schema=schema))
    return content.getvalue()
