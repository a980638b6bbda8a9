"""A race read back from its file is the same race; a file that is none is refused in one line."""

import json
from pathlib import Path

import pytest

from svge_core.errors import DataError
from svge_core.search.runs.export import race_json
from svge_core.search.runs.importing import read_race
from svge_core.search.runs.loop import execute
from svge_core.search.runs.manage import create_run
from svge_core.search.runs.reading import read_run
from svge_core.search.runs.types import SearchConfig


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Runs with one goal and with two."""
    store = f"sqlite:///{tmp_path_factory.mktemp('importing') / 'runs.db'}"
    for name, goals in (("one", ("table:cifar10_valid",)), ("two", ("table:cifar10_valid", "table:params_m"))):
        execute(store, create_run(store, SearchConfig("nasbench201", goals, "random", 6, race="r", name=name)))
    return race_json([read_run(store, name) for name in ("one", "two")])


def test_what_was_written_is_read(text: str) -> None:
    views = read_race(text.encode())
    assert [view.config.name for view in views] == ["one", "two"]
    assert race_json(views) == text
    assert len(views[1].goals) == 2 and views[1].front()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"version": 1', '"version": 7', "version"),
        ('"svge-search-race"', '"svge-search-run"', "format"),
        ('"space": "nasbench201"', '"space": "nowhere"', "nowhere"),
        ('"method": "random"', '"method": "oracle"', "oracle"),
        ('"architecture": "|', '"architecture": "|what|', "architecture string"),
        ('"state": "done"', '"state": "well"', "state"),
        ('"number": 0', '"number": "0"', "number"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(text: str, old: str, new: str, words: str) -> None:
    assert old in text
    with pytest.raises(DataError, match=words) as raised:
        read_race(text.replace(old, new, 1).encode(), "a.json")
    assert "\n" not in str(raised.value) and str(raised.value).startswith("a.json ")


def test_values_are_those_of_the_goals(text: str) -> None:
    document = json.loads(text)
    document["runs"][0]["evaluations"][2]["values"] = {"params_m": 1.0}
    with pytest.raises(DataError, match="which is no goal"):
        read_race(json.dumps(document).encode())
    document["runs"][0]["evaluations"][2]["values"] = None
    with pytest.raises(DataError, match="done and has no value"):
        read_race(json.dumps(document).encode())
    document = json.loads(text)
    for optimum in ([], [91.0, 1.0]):
        document["runs"][0]["known_optimum"] = optimum
        with pytest.raises(DataError, match="one value for each of 1 goal"):
            read_race(json.dumps(document).encode())
    for run in document["runs"]:
        run["goals"], run["known_optimum"], run["evaluations"] = [], None, []
    with pytest.raises(DataError, match="has no goal"):
        read_race(json.dumps(document).encode())
    for content in (b"", b"[]", b"{}", b"\xff", Path(__file__).read_bytes()):
        with pytest.raises(DataError):
            read_race(content)
