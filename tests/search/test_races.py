"""What people call a race: kept beside its runs, for whoever opens the store, and gone with the last of them."""

import json

import pytest
import sqlalchemy as sa

from svge_core.errors import DataError
from svge_core.search.runs.export import race_json
from svge_core.search.runs.manage import delete_run
from svge_core.search.runs.races import MAX_NOTE, MAX_TITLE, RaceNotes, note_race, race_notes
from svge_core.search.runs.reading import read_run
from svge_core.search.runs.tables import open_store, races
from tests.support.runs import started

WORDS = RaceNotes("Warm starts, second try", "Longer length scales.\nSeeds as in the first.")


def test_a_race_is_called_what_a_person_wrote(any_store: str) -> None:
    first, second = (started(any_store, race="r-1", name=name) for name in ("one", "two"))
    other = started(any_store, race="r-10", name="three")
    assert race_notes(any_store) == {}
    note_race(any_store, "r-1", RaceNotes("before"))
    note_race(any_store, "r-1", WORDS)
    note_race(any_store, "r-10", RaceNotes(note="x"))
    assert race_notes(any_store) == {"r-1": WORDS, "r-10": RaceNotes(note="x")}
    delete_run(any_store, first)
    assert race_notes(any_store)["r-1"] == WORDS
    delete_run(any_store, second)
    delete_run(any_store, other)
    assert race_notes(any_store) == {}


def test_empty_words_take_a_name_back(any_store: str) -> None:
    started(any_store, race="r-1")
    note_race(any_store, "r-1", WORDS)
    note_race(any_store, "r-1", RaceNotes(" \n", "\t"))
    assert race_notes(any_store) == {}


@pytest.mark.parametrize(
    ("race", "notes", "said"),
    [
        ("r-2", WORDS, "There is no race 'r-2'"),
        ("r_1", WORDS, "There is no race 'r_1'"),  # an underscore matches itself alone
        ("%", WORDS, "There is no race '%'"),
        ('"', WORDS, "There is no race"),
        ("", WORDS, "There is no race ''"),
        ("r-1", RaceNotes("x" * (MAX_TITLE + 1)), "at most 80 characters; got 81"),
        ("r-1", RaceNotes(note="x" * (MAX_NOTE + 1)), "at most 2,000 characters; got 2,001"),
    ],
)
def test_what_cannot_be_noted_is_one_line(any_store: str, race: str, notes: RaceNotes, said: str) -> None:
    started(any_store, race="r-1")
    with pytest.raises(DataError, match=said):
        note_race(any_store, race, notes)
    assert race_notes(any_store) == {}


def test_words_that_no_database_holds_are_stored_as_their_escapes(any_store: str) -> None:
    started(any_store, race="r-1")
    note_race(any_store, "r-1", RaceNotes("a\0b\ud800", "one\u202e\ntwo"))
    assert race_notes(any_store) == {"r-1": RaceNotes("a\\x00b\\ud800", "one\\u202e\ntwo")}


def test_a_row_of_anothers_making_is_cut_to_what_is_shown(storage: str) -> None:
    with open_store(storage) as engine, engine.begin() as connection:
        connection.execute(sa.insert(races).values(race="r-1", title="\n".join("ab" * 200), note="x" * 10_000))
    (found,) = race_notes(storage).values()
    assert len(found.title) == MAX_TITLE and "\n" not in found.title and len(found.note) == MAX_NOTE


def test_the_export_of_a_race_has_its_words(storage: str) -> None:
    view = read_run(storage, started(storage, race="r-1"))
    document = json.loads(race_json([view], WORDS))
    assert (document["title"], document["note"]) == (WORDS.title, WORDS.note) and len(document["runs"]) == 1
    assert "title" not in json.loads(race_json([view]))
