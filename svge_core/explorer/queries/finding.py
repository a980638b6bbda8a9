"""The cells that a query means."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from svge_core.explorer.charted import ChartedCells
from svge_core.explorer.columns import column
from svge_core.explorer.queries.conditions import Among, Condition, Counted, Query, Ranged, Top
from svge_core.explorer.queries.names import Vocabulary
from svge_core.explorer.queries.parsing import parse_query
from svge_core.explorer.queries.wording import in_words
from svge_core.explorer.queries.words_of import vocabulary_of
from svge_core.explorer.structure import table_values


@dataclass(frozen=True)
class Found:
    """What a query found.

    Attributes:
        query: as it was understood.
        words: the same in words, every name in full.
        rows: rows of the atlas: best first where the query says by what, else ascending.
    """

    query: Query
    words: str
    rows: Int[np.ndarray, " found"]


def find_rows(explorer: ChartedCells, text: str, among: Bool[np.ndarray, " cells"] | None = None) -> Found:
    """The charted cells that a question in words means.

    Args:
        explorer: the charted cells and what is known about them.
        text: such as "best 3 by accuracy, at least 2 conv3x3, under 0.5 M parameters".
        among: True for the cells that may be found; all by default.

    Raises:
        ParseError: in one line, with what was not understood and an example.
    """
    vocabulary = vocabulary_of(explorer)
    query = parse_query(text, vocabulary)
    keep = met_by(explorer, query, among, vocabulary)
    rows = np.flatnonzero(keep)
    if query.tops:
        top = query.tops[0]
        rows = rows[_order(table_values(explorer, top.column)[rows], _larger_first(top, vocabulary))]
    return Found(query, in_words(query, vocabulary), rows)


def met_by(
    explorer: ChartedCells,
    query: Query,
    among: Bool[np.ndarray, " cells"] | None = None,
    vocabulary: Vocabulary | None = None,
) -> Bool[np.ndarray, " cells"]:
    """True for the cells that meet a query. A cell without a value fails a condition on it.

    Raises:
        DataError: if the query names a column that is not there.
    """
    keep = np.ones(len(explorer.atlas), dtype=bool) if among is None else among.copy()
    for condition in query.conditions:
        if not isinstance(condition, Top):
            keep &= _met(explorer, condition)
    taken = keep.copy()
    for top in query.tops:  # each among the cells that meet all other kinds of conditions, in whatever order they stand
        chosen = np.zeros_like(keep)
        larger = _larger_first(top, vocabulary or vocabulary_of(explorer))
        values, rows = table_values(explorer, top.column), np.flatnonzero(keep)
        rows = rows[np.isfinite(values[rows])]
        chosen[rows[_order(values[rows], larger)[: top.count]]] = True
        taken &= chosen
    return taken


def _met(explorer: ChartedCells, condition: Condition) -> Bool[np.ndarray, " cells"]:
    if isinstance(condition, Counted):
        places = [explorer.space.operations.index(op) for op in condition.operations]
        counts = explorer.operation_counts[:, places].sum(axis=1)
        return (counts >= condition.low) & (True if condition.high is None else counts <= condition.high)
    if isinstance(condition, Among):
        found = column(explorer, condition.column)
        same = found.values == found.categories.index(condition.category)
        return ~same if condition.negated else same
    assert isinstance(condition, Ranged)
    values = table_values(explorer, condition.column)
    keep = np.isfinite(values)
    if condition.low is not None:
        keep &= values > condition.low if condition.open_low else values >= condition.low
    if condition.high is not None:
        keep &= values < condition.high if condition.open_high else values <= condition.high
    return keep


def _larger_first(top: Top, vocabulary: Vocabulary) -> bool:
    if top.end in ("highest", "lowest"):
        return top.end == "highest"
    return (vocabulary.column(top.column).direction == "max") == (top.end == "best")


def _order(values: Float[np.ndarray, " cells"], larger_first: bool) -> Int[np.ndarray, " cells"]:
    """Positions in the order of their values, equal ones as they stand, those without a value last."""
    return np.argsort(-values if larger_first else values, kind="stable")
