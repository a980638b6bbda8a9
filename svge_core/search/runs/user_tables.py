"""Users' tables in a store: by content, under a digest. A path that a store names is opened by nobody.

Others may write to a store: a path in it could name any file of the machine that reads it. So whoever makes a run reads
the file, once, and its content goes into the store together with the run; workers take it from there and compare the
digest.
"""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.engine import Connection, Engine

from svge_core.data.csv import MAX_LABEL_BYTES
from svge_core.errors import DataError
from svge_core.search.objectives import (
    TableSource,
    UserTable,
    read_column,
    read_table,
    split_csv,
    split_reference,
    split_word,
    table_name,
)
from svge_core.search.runs.tables import open_store, runs, user_tables
from svge_core.search.runs.types import YOUR_LABELS, RunView, SearchConfig
from svge_core.spaces import get_space


class NamedTables:
    """The tables that the words of a person here name: files of this machine, or tables of the store; each read once.

    Args:
        storage: URL of the store.
    """

    def __init__(self, storage: str) -> None:
        self.storage = storage
        #: what was read, by the name in the words
        self.found: dict[str, UserTable] = {}

    def __call__(self, named: str) -> UserTable:
        """See :data:`svge_core.search.objectives.user_table.TableSource`."""
        if named not in self.found:
            reference = split_reference(named)
            self.found[named] = read_table(named) if reference is None else _kept_table(self.storage, *reference)
        return self.found[named]


def stored_tables(storage_url: str, run: str) -> TableSource:
    """The tables that the words of a stored run name: those of the store, and no file.

    Args:
        storage_url: of the store.
        run: its name.
    """
    found: dict[str, UserTable] = {}

    def table(named: str) -> UserTable:
        if (reference := split_reference(named)) is None:
            raise DataError(
                f"The run {run!r} names the file {table_name(named)!r}, as runs of earlier versions did; a file that a "
                f"store names is not opened. Give it again: python -m svge_core search --resume {run} --table FILE"
            )
        if named not in found:
            found[named] = _kept_table(storage_url, *reference)
        return found[named]

    return table


def named_files(config: SearchConfig) -> tuple[str, ...]:
    """The paths that the objective of a run of an earlier version names instead of tables of the store."""
    words = (split_word(word) for word in config.objective)
    named = (split_csv(rest)[0] for kind, rest in words if kind == "csv")
    return tuple(dict.fromkeys(name for name in named if split_reference(name) is None))


def check_goals(view: RunView, path: str, table: UserTable) -> None:
    """See that a table can be the file that a run names: it has the goals, with the values that the run has found.

    Raises:
        DataError: if it cannot, or the table cannot be used.
    """
    space, keys = get_space(view.config.space), [goal.key for goal in view.goals]
    found = [e for e in view.done if e.source != YOUR_LABELS and e.values is not None]
    for kind, rest in map(split_word, view.config.objective):
        named, column, direction = split_csv(rest) if kind == "csv" else ("", "", None)
        if named != path:
            continue
        meaning, values = read_column(table, column, space, direction)
        place = keys.index(meaning.key) if meaning.key in keys else None
        same = place is not None and all(e.values and values.get(e.cell) == e.values[place] for e in found)
        if same and view.optimum is not None and len(keys) == 1:
            same = view.optimum[0] == (max if meaning.direction == "max" else min)(values.values())
        if not same:
            raise DataError(
                f"{table.name} is not the file that the run {view.config.name!r} began with: its column "
                f"{column[:60]!r} has other values."
            )


def by_content(config: SearchConfig, found: Mapping[str, UserTable]) -> SearchConfig:
    """The configuration as it is stored: tables are named by their content.

    Args:
        config: with the names that a person gave.
        found: what was read, by these names; other names stay.
    """

    def referring(word: str) -> str:
        kind, rest = split_word(word)
        if kind != "csv":
            return word
        named, column, direction = split_csv(rest)
        named = found[named].reference if named in found else named
        return ":".join([kind, named, column, *([direction] if direction else [])])

    def stored(named: str | None) -> str | None:
        return found[named].reference if named is not None and named in found else named

    words = tuple(map(referring, config.objective))
    return replace(config, objective=words, start_csv=stored(config.start_csv), candidates=stored(config.candidates))


def keep_tables(connection: Connection, found: Iterable[UserTable]) -> None:
    """Store tables that are not there yet, in the transaction that stores the run that names them.

    Their rows are locked until its end, so that nobody who deletes another run takes them away before that. SQLite has
    no such locks; there whoever has written in a transaction is alone, so the run is written first.
    """
    for table in sorted({table.digest: table for table in found}.values(), key=lambda table: table.digest):
        there = sa.select(user_tables.c.digest).where(user_tables.c.digest == table.digest)
        if connection.execute(there.with_for_update(read=True)).first() is None:
            values = {"name": table.name, "content": zlib.compress(table.content), "size": len(table.content)}
            connection.execute(_insert(connection.dialect.name, {"digest": table.digest, **values}))


def _insert(database: str, values: dict[str, Any]) -> sa.Insert:
    """A row, or the lock of the row that somebody else has just made."""
    same = {"name": user_tables.c.name}
    if database == "sqlite":
        return sqlite.insert(user_tables).values(**values).on_conflict_do_update(index_elements=["digest"], set_=same)
    if database == "postgresql":
        made = postgresql.insert(user_tables).values(**values)
        return made.on_conflict_do_update(index_elements=["digest"], set_=same)
    return mysql.insert(user_tables).values(**values).on_duplicate_key_update(same)


def drop_tables(connection: Connection) -> None:
    """Remove the tables that no run names any more, in the transaction that deletes a run."""
    named = sa.select(runs.c.id).where(runs.c.config.contains(user_tables.c.digest)).exists()
    unnamed = sa.select(user_tables.c.digest).where(~named).order_by(user_tables.c.digest).with_for_update()
    # locked, then looked at again: whoever was about to name one of them has done so by now
    digests = list(connection.execute(unnamed).scalars())
    if digests:
        connection.execute(sa.delete(user_tables).where(user_tables.c.digest.in_(digests) & ~named))


def _kept_table(storage_url: str, digest: str, name: str) -> UserTable:
    """A table of the store.

    Raises:
        DataError: if it is not there, or is not what its digest says.
    """
    with open_store(storage_url) as engine:
        packed = _packed(engine, digest)
    if packed is None:
        raise DataError(f"The store has no table {name!r} with the digest {digest[:12]}: start with the file.")
    try:
        # no further than a table may go: a store of others could hold a bomb
        content = zlib.decompressobj().decompress(packed, MAX_LABEL_BYTES + 1)
    except (TypeError, zlib.error):  # SQLite keeps a text where bytes belong
        content = b""
    table = UserTable(name, content)
    if table.digest != digest:
        raise DataError(
            f"The table {name!r} in the store is damaged: its digest is not {digest[:12]}. Start with the file."
        )
    return table


def _packed(engine: Engine, digest: str) -> Any:
    """What the store holds under a digest; None for nothing."""
    query = sa.select(user_tables.c.content).where(user_tables.c.digest == digest)
    with engine.connect() as connection:
        return connection.execute(query).scalar()
