"""What a person sees who waits: true counts from whichever thread works, and no promise of time."""

import re
import threading
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from svge_core.threads.progress import Count, counting
from tests.support.paths import ROOT
from tests.support.waiting import PATIENCE
from ui.shared import waiting as waiting_module
from ui.shared.loaders import opening
from ui.shared.theme import plain
from ui.shared.waiting import latest

#: words that promise how long something takes
PROMISES = re.compile(
    r"(about|around|some|within|takes?|a few|half a|an?|one|two|three) +(half +)?(a +)?(few +)?"
    r"(seconds?|minutes?|hours?)\b|\bsoon\b|\bshortly\b|\bseconds? to go\b",
    re.IGNORECASE,
)


def test_no_page_promises_a_time() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in [ROOT / "app.py", *(ROOT / "pages").rglob("*.py"), *(ROOT / "ui").rglob("*.py")]
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if PROMISES.search(line) and re.search(r"[\"'].*[\"']", line) and not line.strip().startswith(("#", '"""'))
    ]
    assert not found


def test_the_pattern_knows_the_promises_of_before() -> None:
    for words in ("takes about a minute", "about two minutes", "about a second", "It takes a few minutes:"):
        assert PROMISES.search(words), words
    assert not PROMISES.search("423,624 cells are listed and encoded. From then on they come from the cache.")


def test_the_first_opening_speaks_of_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    said: list[tuple[str, ...]] = []
    monkeypatch.setattr("ui.shared.loaders.waiting", lambda *words: said.append(words))
    monkeypatch.setattr("ui.shared.loaders._opened", set[str]())
    opening(ROOT / "checkpoints" / "nasbench101" / "svge")
    ((words, about),) = said
    assert about == "NAS-Bench-101"
    assert "for the first time on this machine: its 423,624 cells are listed and encoded" in words
    assert not PROMISES.search(words)


def test_the_piece_that_began_last_is_shown() -> None:
    assert latest(("a", "b")) is None
    with counting("a", "lines read", 10), counting("b", "keys", 5) as inner, counting("c", "others", 1):
        inner(2)
        assert latest(("a", "b")) == Count("b", "keys", 2, 5)
        assert latest(("a",)) == Count("a", "lines read", 0, 10)
        assert latest(()) is None


def waits() -> None:
    """A page that waits for what it counts itself, in a cached function, and then for another thread."""
    import streamlit as st

    from tests.app import test_waits
    from ui.shared.waiting import waiting

    @st.cache_resource
    def slow() -> str:
        return test_waits.work()

    with waiting("Working …", "cells of a test"):
        st.session_state["found"] = slow()
    st.write("after")


SHOWN: list[tuple[float, str]] = []
SEEN = threading.Event()


def work() -> str:
    with counting("cells of a test", "encoded *all*", 400) as tell:
        tell(100)
        assert SEEN.wait(PATIENCE)
    return "done"


def test_the_count_is_shown_while_a_cached_function_works_and_is_gone_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from streamlit.delta_generator import DeltaGenerator

    SHOWN.clear()
    SEEN.clear()
    real = DeltaGenerator.progress

    def noted(self: DeltaGenerator, value: float, text: str = "") -> DeltaGenerator:
        SHOWN.append((value, text))
        found = real(self, value, text=text)
        if value:  # the count may be seen before its first piece is done
            SEEN.set()
        return found

    monkeypatch.setattr(DeltaGenerator, "progress", noted)
    monkeypatch.setattr(waiting_module, "EVERY", 0.01)
    at = AppTest.from_function(waits, default_timeout=PATIENCE).run()
    assert not at.exception
    assert SHOWN[-1] == (0.25, plain("cells of a test: 100 of 400 encoded *all*"))
    assert at.session_state["found"] == "done"
    assert [markdown.value for markdown in at.markdown] == ["after"]
    assert not at.get("progress"), "nothing is left of it"
    SHOWN.clear()
    at.run()  # from the cache: nothing is shown again
    assert not at.exception and not SHOWN and not at.get("progress")


def test_the_place_is_empty_and_the_watcher_over_when_the_work_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        import streamlit as st

        from ui.shared.waiting import waiting

        try:
            with waiting("Working …", "cells of a test"):
                raise ValueError("no")
        except ValueError as error:
            st.error(str(error))

    at = AppTest.from_function(fails, default_timeout=PATIENCE).run()
    assert [error.value for error in at.error] == ["no"]
    assert not at.get("progress")
    assert not [thread for thread in threading.enumerate() if thread.name.endswith("(_watch)")]
