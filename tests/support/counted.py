"""Everything that is counted while a test runs."""

import pytest

from svge_core.threads.progress import Count


class _Kept(dict[object, Count]):
    """The work that is going on, and all that was ever told of it."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Count] = []

    def __setitem__(self, mark: object, count: Count) -> None:
        self.told.append(count)
        super().__setitem__(mark, count)


def told_in(monkeypatch: pytest.MonkeyPatch) -> list[Count]:
    """A list that fills with every count, in the order in which they are told."""
    kept = _Kept()
    monkeypatch.setattr("svge_core.threads.progress._going_on", kept)
    return kept.told


def numbers(told: list[Count], about: str, what: str) -> list[tuple[int, int]]:
    """Done and of, of one kind of work."""
    return [(count.done, count.of) for count in told if (count.about, count.what) == (about, what)]
