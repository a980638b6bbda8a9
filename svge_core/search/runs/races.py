"""What people call a race, and what they noted on it: beside the runs, which never change."""

import json
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from svge_core.errors import DataError
from svge_core.search.runs.stored import UNFORESEEN, stored_config
from svge_core.search.runs.tables import Record, open_store, printable, races, runs

MAX_TITLE, MAX_NOTE = 80, 2_000


@dataclass(frozen=True)
class RaceNotes:
    """A person's words on a race.

    Attributes:
        title: one line; empty for none.
        note: any text; empty for none.
    """

    title: str = ""
    note: str = ""


def note_race(storage_url: str, race: str, notes: RaceNotes) -> None:
    """Store what a race is called, in place of what it was called before; empty notes take the name back.

    Args:
        storage_url: of the store.
        race: as in :attr:`SearchConfig.race`.
        notes: the words.

    Raises:
        DataError: one line, if no run of the store is of that race, or the words are too long.
    """
    title, note = " ".join(notes.title.split()), notes.note.strip()
    for what, text, most in (("name", title, MAX_TITLE), ("note", note, MAX_NOTE)):
        if len(text) > most:
            raise DataError(f"The {what} of a race has at most {most:,} characters; got {len(text):,}.")
    row = {"title": printable(title), "note": _printable(note)}
    with open_store(storage_url) as engine, engine.begin() as connection:
        if not race or not _has_runs(connection, race):
            raise DataError(f"There is no race {race[:60]!r} in this store.")
        connection.execute(sa.delete(races).where(races.c.race == race))
        if title or note:
            connection.execute(sa.insert(races).values(race=race, **row))


def race_notes(storage_url: str) -> dict[str, RaceNotes]:
    """What the races of a store are called, by race; those without a word are left out.

    Raises:
        DataError: if the store cannot be used.
    """
    with open_store(storage_url) as engine, engine.connect() as connection:
        found = connection.execute(sa.select(races.c.race, races.c.title, races.c.note))
        return {
            str(race): RaceNotes(printable(str(title))[:MAX_TITLE], _printable(str(note))[:MAX_NOTE])
            for race, title, note in found
        }


def race_of(row: Record) -> str:
    """The race of a stored run; empty for none, and for settings that cannot be read."""
    try:
        return stored_config(row).race
    except UNFORESEEN:
        return ""


def forget_notes(connection: Connection, race: str) -> None:
    """Drop the words on a race whose last run is gone."""
    if race and not _has_runs(connection, race):
        connection.execute(sa.delete(races).where(races.c.race == race))


def _printable(note: str) -> str:
    return "\n".join(map(printable, note.splitlines()))


def _has_runs(connection: Connection, race: str) -> bool:
    """Whether a run of a race is stored: its settings are JSON, in which no other field looks like this."""
    named = runs.c.config.contains(f'"race": {json.dumps(race)}', autoescape=True)
    return connection.execute(sa.select(runs.c.id).where(named).limit(1)).first() is not None
