"""What is said about a place is worked out once for all people, but for whoever brought columns of their own."""

from typing import Any

import pytest

from svge_core.explorer.explorer import Explorer
from tests.support.app_driver import click_map, open_app, words
from tests.support.sessions import own

pytestmark = pytest.mark.usefixtures("environment")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The cells that an explorer was asked about."""
    found: list[Any] = []
    real = Explorer.inspect_cell

    def counted(explorer: Explorer, cell: Any, **more: Any) -> Any:
        found.append(explorer.space.index(cell))
        return real(explorer, cell, **more)

    monkeypatch.setattr(Explorer, "inspect_cell", counted)
    return found


def test_two_people_at_one_cell_ask_once(asked: list[Any]) -> None:
    for _ in range(2):
        assert "Cell #4321" in words(click_map(open_app(), 0.0, 0.0, 4321))
    assert asked.count(4321) == 1  # others were asked about too: the app opens with the best cell


def test_whoever_brought_columns_asks_alone(asked: list[Any], explorer: Explorer) -> None:
    for _ in range(2):
        at = open_app()
        at.session_state["user_scores"] = own()
        assert "Cell #4322" in words(click_map(at.run(), 0.0, 0.0, 4322))
    assert asked.count(4322) == 2
