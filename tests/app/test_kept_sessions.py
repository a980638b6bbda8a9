"""The store of browsers' sessions and session files: nothing is lost, nothing strange is taken."""

import base64
import json
import os
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from svge_core.data import scores_from_columns
from svge_core.errors import SvgeError
from svge_core.explorer import CellFilter
from svge_core.spaces import get_space
from tests.support.sessions import FULL, NAMES, SPACE, SQUARE, aside, own, session_of
from ui.kept import store
from ui.kept.document import Kept, SpaceRecord, read_session, write_session
from ui.kept.store import FILE, KEEP_DAYS, UNREADABLE, KeptSessions
from ui.shared.choices import Lasso, PlaceFocus, SavedSelection

MEANING = own().scores.meanings["user_my_score"]
OTHER = np.arange(float(get_space("nasbench101").size or 0))


@pytest.fixture
def kept(tmp_path: Path) -> KeptSessions:
    """An empty store."""
    return KeptSessions(tmp_path / "sessions")


# ---- files ------------------------------------------------------------------------------------------------------


def test_a_session_file_brings_everything_back_to_the_last_bit() -> None:
    mine = session_of(**FULL, own=own())
    back = read_session(write_session(mine))
    assert (back.space, back.spaces) == (mine.space, mine.spaces)
    table = back.own["nasbench201"]
    assert table.scores.digest == mine.own["nasbench201"].scores.digest
    assert replace(table, scores=own().scores) == replace(own(), scores=table.scores) or table.name == "mine.csv"
    assert table.scores.of(3) == {"user_my_score": 1e300, "user_loss": 0.5} and table.scores.of(7) == {
        "user_my_score": 91.5
    }
    assert (table.summary, table.remarks, table.all_used) == (own().summary, own().remarks, own().all_used)
    assert write_session(back) == write_session(mine)


def test_the_numbers_in_a_file_are_what_another_reader_finds() -> None:
    """The packed column, unpacked by hand."""
    plain = json.loads(write_session(session_of(own=own())))
    values = np.frombuffer(zlib.decompress(base64.b64decode(plain["own"]["nasbench201"]["values"]["user_my_score"])))
    assert len(values) == SPACE.size and np.flatnonzero(~np.isnan(values)).tolist() == [3, 7]
    assert values[[3, 7]].tolist() == [1e300, 91.5]


def changed(**fields: Any) -> bytes:
    """A session file of which some fields of the space are others."""
    plain = json.loads(write_session(session_of(**FULL, own=own())))
    plain["spaces"]["nasbench201"] |= fields
    return json.dumps(plain).encode()


def with_values(text: str) -> bytes:
    plain = json.loads(write_session(session_of(own=own())))
    plain["own"]["nasbench201"]["values"]["user_loss"] = text
    return json.dumps(plain).encode()


def with_columns(*keys: str) -> bytes:
    """A session file whose own scores have columns of these names."""
    plain = json.loads(write_session(session_of(own=own())))
    table = plain["own"]["nasbench201"]
    table["meanings"] = [{**table["meanings"][0], "key": key} for key in keys]
    table["values"] = {key: table["values"]["user_loss"] for key in keys}
    return json.dumps(plain).encode()


BOMB = base64.b64encode(zlib.compress(b"\0" * 2**27)).decode()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[]", "expected an object with the field 'version'"),
        (b'{"version": 2}', r"\$.version: expected 1"),
        (b'{"version": 1, "space": "nope", "spaces": {}}', "nope"),
        (changed(cell=15_625, place=None), "names cell #15625 of NAS-Bench-201"),
        (changed(cell=3), "two places in focus"),
        (changed(basket=[{"notation": "|none~0|"}]), "basket cannot be read"),
        (changed(basket=[{"notation": NAMES[0]}] * 201), "basket"),
        (changed(lasso={"plane": "pca", "polygon": [[0, 0], [1, 1]]}), "lasso has 2 corners"),
        (changed(lasso={"plane": "tsne", "polygon": [[0, 0]] * 3}), "lasso.plane"),
        (changed(filter={"contains": ["<b>rm</b>"]}), "no operation of NAS-Bench-201"),
        (changed(path={"stops": 10**6}), "path has 1000000 stops"),
        (changed(path={"start": -1}), "names cell #-1"),
        (changed(checkpoint="x" * 501), "checkpoint"),
        (changed(more=1), "unknown field"),
        (changed(basket=[{"notation": NAMES[0]}] * 2), "holds an architecture twice"),
        (changed(place={"plane": "pca", "x": 1e300, "y": 0}), "no place on a map"),
        (with_columns(), "every column needs its meaning"),
        (with_columns("params_m"), "not a person's own"),
        (with_values("%%%"), "own scores are damaged"),
        (with_values(base64.b64encode(b"no zlib").decode()), "own scores are damaged"),
        (with_values(base64.b64encode(zlib.compress(b"\0" * 80)).decode()), "one number for each cell"),
        (with_values(BOMB), "one number for each cell"),
    ],
)
def test_what_is_no_session_is_one_line(content: bytes, said: str) -> None:
    with pytest.raises(SvgeError, match=said) as caught:
        read_session(content)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600


# ---- the store --------------------------------------------------------------------------------------------------


def test_a_browser_finds_its_own_session_and_no_other(kept: KeptSessions) -> None:
    mine = session_of(**FULL, own=own())
    kept.save("a" * 32, mine, Kept())
    found = kept.load("a" * 32)
    assert found is not None and found.spaces == mine.spaces
    assert found.own["nasbench201"].scores.digest == mine.own["nasbench201"].scores.digest
    assert kept.load("b" * 32) is None
    assert not any("a" * 32 in str(path) for path in kept.folder.rglob("*"))  # the secret itself is not on the disk
    kept.forget("a" * 32)
    assert kept.load("a" * 32) is None and not list(kept.folder.glob("*/*"))


def test_a_click_does_not_write_the_tables_again_and_a_dropped_table_goes(kept: KeptSessions) -> None:
    first = session_of(own=own())
    kept.save("a", first, Kept())
    (table,) = kept.folder.glob("*/own-*.json")
    before = table.stat().st_mtime_ns, table.stat().st_ino
    second = session_of(own=first.own["nasbench201"], cell=3)
    kept.save("a", second, first)
    assert (table.stat().st_mtime_ns, table.stat().st_ino) == before
    kept.save("a", session_of(cell=3), second)
    assert not table.exists()
    found = kept.load("a")
    assert found is not None and not found.own and found.spaces["nasbench201"].cell == 3


def test_two_tabs_lose_nothing_of_each_other(kept: KeptSessions) -> None:
    base = session_of(basket=aside(1, 2, 3), colour="cifar10_valid")
    kept.save("a", base, Kept())
    kept.save("a", session_of(basket=aside(1, 3, 4), colour="cifar10_valid", lasso=Lasso("pca", SQUARE)), base)
    seen = kept.save("a", session_of(basket=aside(1, 2, 5), colour="params", own=own()), base)
    assert seen.spaces["nasbench201"].basket == aside(1, 5, 4)
    found = kept.load("a")
    assert found is not None
    record = found.spaces["nasbench201"]
    assert (record.basket, record.colour, record.lasso) == (aside(1, 5, 4), "params", Lasso("pca", SQUARE))
    assert "nasbench201" in found.own


def test_two_tabs_lose_no_saved_selection_of_each_other(kept: KeptSessions) -> None:
    a, b, c, d = (SavedSelection(name, CellFilter(held_out_only=True)) for name in "abcd")
    base = session_of(saved=(a, b))
    kept.save("a", base, Kept())
    kept.save("a", session_of(saved=(b, c)), base)
    changed = SavedSelection("b", CellFilter(without=("none",)))
    seen = kept.save("a", session_of(saved=(a, changed, d)), base)
    assert seen.spaces["nasbench201"].saved == (c, changed, d)
    assert kept.save("a", session_of(saved=(a, b)), base).spaces["nasbench201"].saved == (c, changed, d)


def test_what_one_tab_chose_in_another_space_stays(kept: KeptSessions) -> None:
    kept.save("a", Kept("nasbench101", {"nasbench101": SpaceRecord(colour="x")}), Kept())
    kept.save("a", session_of(cell=1), Kept())
    found = kept.load("a")
    assert found is not None and found.spaces["nasbench101"].colour == "x" and found.space == "nasbench201"


def test_a_focus_is_one_thing(kept: KeptSessions) -> None:
    base = session_of(cell=3)
    kept.save("a", base, Kept())
    kept.save("a", session_of(place=PlaceFocus("pca", 0.0, 1.0)), base)
    kept.save("a", session_of(cell=3, colour="params"), base)
    found = kept.load("a")
    assert found is not None
    assert (found.spaces["nasbench201"].cell, found.spaces["nasbench201"].place) == (None, PlaceFocus("pca", 0.0, 1.0))


def test_everything_is_written_again_when_the_server_has_forgotten(kept: KeptSessions) -> None:
    mine = session_of(basket=aside(1), own=own())
    kept.save("a", mine, Kept())
    kept.forget("a")
    kept.save("a", mine, mine)
    found = kept.load("a")
    assert found is not None and found.spaces == mine.spaces and "nasbench201" in found.own


@pytest.mark.parametrize("damage", [b"", b"{", b'{"version": 1, "space": "", "spaces": {"nasbench201": {"cell": -1}}}'])
def test_a_damaged_session_is_put_aside_with_one_line(kept: KeptSessions, damage: bytes) -> None:
    kept.save("a", session_of(cell=1), Kept())
    (file,) = kept.folder.glob(f"*/{FILE}")
    file.write_bytes(damage)
    with pytest.raises(SvgeError, match="The session that was kept for this browser is damaged") as caught:
        kept.load("a")
    assert "\n" not in str(caught.value)
    assert file.with_name(UNREADABLE).read_bytes() == damage
    assert kept.load("a") is None


def two_tables(kept: KeptSessions) -> tuple[Kept, dict[str, Path]]:
    """A session with own scores of two spaces, stored; the files of both."""
    first = session_of(cell=1, own=own())
    other = scores_from_columns("nasbench101", {"user_my_score": OTHER}, {"user_my_score": MEANING})
    both = Kept(first.space, first.spaces, {**first.own, "nasbench101": replace(own(), scores=other)})
    kept.save("a", both, Kept())
    stored = json.loads(next(kept.folder.glob(f"*/{FILE}")).read_text())["own"]
    return both, {name: next(kept.folder.glob(f"*/own-{digest}.json")) for name, digest in stored.items()}


@pytest.mark.parametrize("damage", [b"", b"{}", None])
def test_a_damaged_table_costs_that_table_alone(kept: KeptSessions, damage: bytes | None) -> None:
    both, files = two_tables(kept)
    if damage is None:
        files["nasbench101"].unlink()
    else:
        files["nasbench101"].write_bytes(damage)
    lines: list[str] = []
    found = kept.load("a", lines.append)
    assert found is not None and found.spaces == both.spaces and list(found.own) == ["nasbench201"]
    assert len(lines) == 1 and "own scores of NAS-Bench-101" in lines[0] and "Open your table again" in lines[0]
    kept.save("a", replace(found, spaces={**found.spaces, "nasbench101": SpaceRecord(cell=3)}), found)
    lines.clear()
    again = kept.load("a", lines.append)
    assert again is not None and not lines and list(again.own) == ["nasbench201"]
    if damage is not None:  # and what was damaged can be looked at
        assert [path.read_bytes() for path in kept.folder.glob("*/unreadable-own-*.json")] == [damage]


def test_a_space_that_changed_costs_what_was_chosen_in_it_alone(kept: KeptSessions) -> None:
    both, _ = two_tables(kept)
    file = next(kept.folder.glob(f"*/{FILE}"))
    plain = json.loads(file.read_text())
    plain["spaces"]["nasbench101"] = {"filter": {"contains": ["an operation of before"]}}
    file.write_text(json.dumps(plain))
    lines: list[str] = []
    found = kept.load("a", lines.append)
    assert found is not None and found.spaces == both.spaces and set(found.own) == set(both.own)
    assert len(lines) == 1 and "no operation of NAS-Bench-101" in lines[0]


def test_the_tables_of_an_unreadable_session_stay_beside_it(kept: KeptSessions) -> None:
    both, files = two_tables(kept)
    content = {path.name: path.read_bytes() for path in files.values()}
    next(kept.folder.glob(f"*/{FILE}")).write_bytes(b"{")
    with pytest.raises(SvgeError):
        kept.load("a")
    for cell in (2, 3):
        kept.save("a", session_of(cell=cell), both)
    beside = {path.name.removeprefix("unreadable-"): path.read_bytes() for path in kept.folder.glob("*/unreadable-*")}
    assert beside == content


def test_tables_of_many_browsers_stay_below_the_cap(kept: KeptSessions, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those that come to a session that is there already; what is written last is never dropped."""
    for number, name in enumerate("abc"):
        kept.save(name, session_of(cell=number), Kept())
        os.utime(kept._home(name) / FILE, (number, number))
    young = KeptSessions(kept.folder, now=lambda: 3.0)
    young.save("b", session_of(cell=1, own=own()), session_of(cell=1))
    size = sum(path.stat().st_size for path in kept.folder.glob("*/*"))
    monkeypatch.setattr(store, "MOST_BYTES", size)
    os.utime(kept._home("b") / FILE, (1, 1))
    young.save("c", session_of(cell=2, own=own()), session_of(cell=2))
    assert kept.load("c") is not None and kept.load("a") is None


def test_a_disk_that_is_full_leaves_what_was_there(kept: KeptSessions, monkeypatch: pytest.MonkeyPatch) -> None:
    base = session_of(cell=1)
    kept.save("a", base, Kept())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        kept.save("a", session_of(cell=2), base)
    monkeypatch.undo()
    found = kept.load("a")
    assert found is not None and found.spaces["nasbench201"].cell == 1


def test_who_does_not_come_back_is_forgotten_and_there_is_a_cap(
    kept: KeptSessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MOST_BROWSERS", 3)
    day = 86_400
    young = KeptSessions(kept.folder, now=lambda: 0.0)
    for number, name in enumerate("abc"):
        young.save(name, session_of(cell=number), Kept())
        os.utime(
            next(
                path
                for path in kept.folder.glob(f"*/{FILE}")
                if json.loads(path.read_text())["spaces"]["nasbench201"]["cell"] == number
            ),
            (number * day, number * day),
        )
    at = KeptSessions(kept.folder, now=lambda: (KEEP_DAYS + 0.5) * day)  # a has been away for longer
    at.save("d", session_of(cell=3), Kept())
    assert [at.load(name) is not None for name in "abcd"] == [False, True, True, True]
    at.save("e", session_of(cell=4), Kept())  # one too many, all of them young now
    assert sum(at.load(name) is not None for name in "bcde") == 3 and at.load("e") is not None
    monkeypatch.setattr(store, "MOST_BYTES", 10)
    at.save("f", session_of(cell=5), Kept())
    assert [at.load(name) is not None for name in "bcdef"] == [False] * 4 + [True]
