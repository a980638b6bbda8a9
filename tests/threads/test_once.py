"""A property that is computed once: one thread works, the others wait, on every version of Python."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from svge_core.atlas.file import load_atlas
from svge_core.checkpoints.checkpoint import load_checkpoint
from svge_core.data import import_csv, load_scores
from svge_core.explorer import facts
from svge_core.explorer.explorer import Explorer
from svge_core.spaces.registry import get_space
from svge_core.threads.once import computed_once
from tests.support.tiny_checkpoint import MadeUpPredictors, make_checkpoint

THREADS = 8
SPACE = get_space("nasbench201")


def at_once(ask: Callable[[], object]) -> list[object]:
    """What so many threads get that ask at the same moment."""
    barrier = threading.Barrier(THREADS)

    def call(_: int) -> object:
        barrier.wait(10)
        return ask()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(call, range(THREADS)))


@dataclass(frozen=True)
class Slow:
    """A class whose property takes long enough for all threads to meet in it."""

    calls: list[int]

    @computed_once
    def value(self) -> object:
        """An object of its own for every computation."""
        self.calls.append(1)
        time.sleep(0.05)
        return object()

    @computed_once
    def doubled(self) -> tuple[object, object]:
        """A property that asks for another."""
        return self.value, self.value

    @computed_once
    def failing(self) -> None:
        """Never there."""
        self.calls.append(1)
        raise ValueError("no")


def test_one_thread_computes_and_all_get_its_value() -> None:
    slow = Slow([])
    assert len(set(map(id, at_once(lambda: slow.value)))) == 1
    assert slow.calls == [1]
    assert slow.doubled == (slow.value, slow.value)
    assert Slow([]).value is not slow.value, "every object has its own"
    assert Slow.value.__doc__ == "An object of its own for every computation."


def test_another_property_is_not_kept_waiting() -> None:
    began, over = threading.Event(), threading.Event()

    class Two:
        @computed_once
        def waits(self) -> bool:
            began.set()
            return over.wait(10)

        @computed_once
        def ready(self) -> int:
            return 3

    two = Two()
    thread = threading.Thread(target=lambda: two.waits)
    thread.start()
    assert began.wait(10)
    assert two.ready == 3
    over.set()
    thread.join(10)
    assert two.waits is True


def test_what_fails_is_tried_again() -> None:
    slow = Slow([])
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            _ = slow.failing
    assert slow.calls == [1, 1]


def test_an_explorer_computes_each_costly_value_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = load_checkpoint(make_checkpoint(tmp_path / "tiny"))
    explorer = Explorer(SPACE, checkpoint, load_atlas(checkpoint, SPACE), load_scores(SPACE), MadeUpPredictors())
    calls: list[int] = []

    def counted(*given: object) -> np.ndarray:
        calls.append(1)
        time.sleep(0.05)
        return np.zeros((len(explorer.atlas), 5), dtype=np.int64)

    monkeypatch.setattr(facts, "operation_counts", counted)
    # the explorer with a user's own columns is made while nothing is computed yet, and shares all the same
    joined = explorer.with_scores(import_csv(SPACE, b"index,score\n3,50.5\n").to_scores(SPACE))
    found = at_once(lambda: explorer.operation_counts)
    assert len({id(one) for one in [*found, joined.operation_counts]}) == 1
    assert calls == [1]
    for name in ("weights", "held_out", "label_indices", "stored_predictions"):
        assert len({id(one) for one in [*at_once(lambda n=name: getattr(joined, n)), getattr(explorer, name)]}) == 1
    plane = explorer.atlas.planes["pca"]
    assert len({id(one) for one in at_once(lambda: plane.tree)}) == 1
