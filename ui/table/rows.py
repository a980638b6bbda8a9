"""Which cells the table shows and in which order; and one window of it as texts."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from svge_core.errors import SvgeError
from svge_core.explorer import (
    COUNT,
    DEPTH,
    EDGES,
    INDEX,
    NUMBER,
    Column,
    ColumnName,
    Explorer,
    column_names,
    parse_query,
    ranks,
    table_column,
    table_names,
    table_values,
    vocabulary_of,
)
from ui.shared import reruns, session
from ui.shared.choices import TableChoice
from ui.shared.map_look import passing
from ui.shared.numbers import number_in_words
from ui.shared.selections import inside_of

#: rows of a window
PAGE = 100
#: usual columns of numbers: more scroll sideways
_USUAL = 12


@dataclass(frozen=True)
class Sorting:
    """The column that a table is sorted by.

    Attributes:
        name: of the column.
        descending: whether the largest value comes first.
        best_large: whether larger is better.
    """

    name: ColumnName
    descending: bool
    best_large: bool


@dataclass(frozen=True)
class Shown:
    """The rows of a table.

    Attributes:
        rows: of the atlas, in the order of the table.
        sorting: by what.
        problem: why the filter could not be applied, in one line; empty if it was.
    """

    rows: np.ndarray
    sorting: Sorting
    problem: str = ""


def sorting_of(explorer: Explorer, choice: TableChoice) -> Sorting:
    """By what the table is sorted: what was chosen, else what the question takes the best by, else the map's colour."""
    names = {name.key: name for name in table_names(explorer)}
    end, key = "best", choice.sort
    if key not in names:
        key, end = _asked_for(explorer)
    if key not in names:
        key = session.colour()
    if key not in names or names[key].kind == "category":
        key = next((name.key for name in column_names(explorer) if name.kind != "category"), INDEX)
    name = names.get(key, table_names(explorer)[-1])
    best_large = _best_large(explorer, name)
    descending = {"best": best_large, "worst": not best_large, "highest": True, "lowest": False}[end]
    return Sorting(name, descending != choice.turned, best_large)


def _asked_for(explorer: Explorer) -> tuple[str, str]:
    """The column that the question takes some cells by, and from which end."""

    def ask() -> tuple[str, str]:
        try:
            tops = parse_query(session.cell_filter().where, vocabulary_of(explorer)).tops
        except SvgeError:
            return "", "best"
        return (tops[0].column, tops[0].end) if tops else ("", "best")

    where = session.cell_filter().where
    return reruns.memo("question order", (explorer.digest, where), ask) if where else ("", "best")


def _best_large(explorer: Explorer, name: ColumnName) -> bool:
    if name.kind == "structure":
        return name.key not in (INDEX, NUMBER)
    if name.kind in ("category", "error"):
        return False
    return explorer.meaning(name.score).direction == "max"


def shown_rows(explorer: Explorer, choice: TableChoice) -> Shown:
    """The cells that pass filter, question and lasso, sorted; those without a value last."""
    conditions, outline, sorting = session.cell_filter(), session.lasso(), sorting_of(explorer, choice)
    keep = passing(explorer, conditions)
    problem = keep if isinstance(keep, str) else ""

    def ask() -> np.ndarray:
        rows = np.arange(len(explorer.atlas), dtype=np.int32)
        if (inside := inside_of(explorer, outline)) is not None:
            rows = inside.astype(np.int32)
        if isinstance(keep, np.ndarray):
            rows = rows[keep[rows]]
        values = table_values(explorer, sorting.name.key)[rows]
        return rows[np.argsort(-values if sorting.descending else values, kind="stable")]

    key = (explorer.digest, conditions, outline, sorting.name.key, sorting.descending)
    return Shown(reruns.memo("table rows", key, ask), sorting, problem)


def ranks_of(explorer: Explorer, sorting: Sorting) -> np.ndarray | None:
    """Places of all charted cells by the sorted column, best first; None where nothing is better than another."""
    if sorting.name.kind in ("category", "structure"):
        return None
    key = (explorer.digest, sorting.name.key)

    def ask() -> np.ndarray:
        values = table_values(explorer, sorting.name.key)
        if sorting.name.kind == "error":
            return ranks(np.abs(values), larger_first=False).astype(np.int32)
        return ranks(values, larger_first=sorting.best_large).astype(np.int32)

    return reruns.memo("table ranks", key, ask)


def turned_by(shown: Sorting, choice: TableChoice, key: str) -> TableChoice:
    """The choice after a press on a header: a new column in its own order, the shown one the other way round."""
    turned = key == shown.name.key and shown.descending == shown.best_large
    return replace(choice, sort=key, turned=turned, start=0)


def usual_columns(explorer: Explorer) -> tuple[str, ...]:
    """Columns that are shown until others are chosen: goals, their predictions, costs, structure."""
    names = [name for name in table_names(explorer) if name.key not in (INDEX, NUMBER)]
    detail = {key for key, meaning in explorer.scores.meanings.items() if meaning.detail}
    scores = [n for n in names if n.kind in ("measured", "predicted") and n.score not in detail]
    goals = [n.key for n in scores if explorer.meaning(n.score).role == "accuracy"]
    costs = [n.key for n in names if n.kind == "analytic"]
    structure = [n.key for n in names if n.key in (DEPTH, EDGES) or n.key.startswith(COUNT)]
    own = [n.key for n in names if n.score and explorer.meaning(n.score).origin == "user"]
    return tuple(dict.fromkeys([*own, *goals, *costs, *structure]))[: _USUAL + len(own)]


def _column(explorer: Explorer, key: str) -> Column:
    """A column, worked out once: the ends of its colours, which it comes with, take their time."""
    meaning = explorer.scores.meanings.get(key)
    if meaning is not None and meaning.origin == "user":
        return reruns.memo(f"table column {key}", explorer.digest, lambda: table_column(explorer, key))
    return _shared_column((explorer.digest, key), explorer)


@st.cache_resource(max_entries=96, show_spinner=False)
def _shared_column(identity: tuple[str, str], _explorer: Explorer) -> Column:
    """For all sessions: a column of a large space takes megabytes. Nobody writes into it."""
    return table_column(_explorer, identity[1])


def header(explorer: Explorer, name: ColumnName) -> dict[str, str]:
    """A column's title without its kind, and its kind with its unit."""
    found = _column(explorer, name.key)
    kind = "" if name.kind in ("structure", "category", "analytic") else name.kind
    small = ", ".join(part for part in (kind, found.unit) if part)
    title = re.sub(r" \((?:measured|predicted|predicted − measured)\)$", "", name.title)
    return {"key": name.key, "title": title, "small": small, "kind": name.kind, "help": found.description}


def texts_of(explorer: Explorer, key: str, rows: np.ndarray) -> list[str]:
    """A column's values of some rows, as people write them; empty for no value."""
    found = _column(explorer, key)
    values = found.values[rows]
    if found.categories:
        return [found.categories[int(value)] for value in values]
    grouped = key not in (INDEX, NUMBER)
    return [number_in_words(value, found.unit, grouped=grouped) for value in values.tolist()]


def ticked(choice: TableChoice, atlas: str) -> Collection[int]:
    """Rows that were ticked, if they are rows of this atlas."""
    return choice.chosen if choice.atlas == atlas else ()
