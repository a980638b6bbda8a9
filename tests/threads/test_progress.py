"""How far long work has come: seen from every thread while it goes on, and not after it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from svge_core.threads.progress import Count, counting, counts


def test_a_count_is_there_while_the_work_goes_on() -> None:
    assert counts("cells") == ()
    with counting("cells", "things done", 1_200) as tell:
        assert counts("cells") == (Count("cells", "things done", 0, 1_200),)
        tell(1_100)
        (count,) = counts("cells")
        assert str(count) == "cells: 1,100 of 1,200 things done"
        assert count.share == pytest.approx(11 / 12)
        assert counts("others") == ()
    assert counts("cells") == ()
    tell(1_200)
    assert counts("cells") == (), "who speaks too late is not heard"


def test_what_began_last_stands_last() -> None:
    with counting("a", "x", 2) as outer, counting("b", "y", 3):
        outer(1)
        assert [(count.about, count.done) for count in counts()] == [("a", 1), ("b", 0)]


def test_work_that_fails_is_over() -> None:
    with pytest.raises(ValueError, match="no"), counting("cells", "done", 5):
        raise ValueError("no")
    assert counts("cells") == ()


def test_nothing_to_do_is_done() -> None:
    assert Count("a", "b", 0, 0).share == 1.0
    assert Count("a", "b", 7, 5).share == 1.0


def test_another_thread_sees_how_far_it_is() -> None:
    told, seen = threading.Event(), threading.Event()

    def work() -> None:
        with counting("elsewhere", "cells encoded", 10) as tell:
            tell(4)
            told.set()
            assert seen.wait(30)

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(work)
        assert told.wait(30)
        assert [count.done for count in counts("elsewhere")] == [4]
        seen.set()
        done.result(30)
    assert counts("elsewhere") == ()
