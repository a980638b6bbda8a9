"""Runs the app without a browser, on a tiny checkpoint. The only place that touches Streamlit's private test API."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest, app_test

from tests.support.paths import APP
from tests.support.waiting import PATIENCE
from ui.kept import browser

MAP = "latent-map"


class _NavigationOnly(PagesManager):
    """AppTest 1.67 takes ``pages/`` for old-style pages from the second run on and skips app.py; a server does not."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        PagesManager.uses_pages_directory = False
        super().__init__(*args, **kwargs)


app_test.PagesManager = _NavigationOnly  # type: ignore[misc]
browser.secret_of_browser = lambda: None  # AppTest has no cookies but an object that has every attribute


if TYPE_CHECKING:

    class App(AppTest):
        """A run of the app. Which widget a key names, only the test knows; Streamlit gives their common base."""

        def get_by_key(self, key: str) -> Any: ...

else:
    App = AppTest


def app_of(script: Path) -> App:
    """A page, or the app, before its first run."""
    return cast("App", AppTest.from_file(str(script), default_timeout=PATIENCE))


def open_app(**parameters: str) -> App:
    """The app after its first run, with query parameters."""
    at = app_of(APP)
    for name, value in parameters.items():
        at.query_params[name] = value
    return checked(at.run())


def rerun(at: AppTest) -> App:
    """Run the app again."""
    return checked(at.run())


def checked(at: AppTest) -> App:
    """The same app; fails on an uncaught exception."""
    assert not at.exception, [f"{e.message}\n{e.stack_trace}" for e in at.exception]
    return cast("App", at)


def fire(at: AppTest, event: str, value: Any, key: str = MAP) -> App:
    """Send an event of a component as its browser part would. Streamlit 1.67; there is no public way."""
    node: Any = at.get_by_key(key)
    states = at._tree.get_widget_states()
    state = states.widgets.add()
    state.id = f"$$STREAMLIT_INTERNAL_KEY_{node.proto.id}__events"
    state.json_trigger_value = json.dumps([{"event": event, "value": value}])
    return checked(at._run(states))


def select_row(at: App, row: int, key: str) -> App:
    """Choose a row of a table."""
    states = at._tree.get_widget_states()
    state = states.widgets.add()
    state.id = at.get_by_key(key).proto.id
    state.string_value = json.dumps({"selection": {"rows": [row], "columns": [], "cells": []}})
    return checked(at._run(states))


def click_map(at: AppTest, x: float, y: float, index: int | None = None) -> App:
    """Click a point (with its index) or empty space."""
    kind = "empty" if index is None else "point"
    return fire(at, "click", {"kind": kind, "index": index, "x": x, "y": y, "source": "pointer", "seq": 1})


def map_data(at: App) -> dict[str, Any]:
    """What the map component was given."""
    return json.loads(at.get_by_key(MAP).proto.json)


def words(at: AppTest) -> str:
    """All Markdown, captions with what is behind their "i", and messages, with escapes removed."""
    parts = [*at.markdown, *at.caption, *at.info, *at.warning, *at.error, *at.success, *at.code]
    return "\n".join([str(part.value) for part in parts] + [part.proto.help for part in at.caption]).replace("\\", "")


def focus(at: AppTest) -> object:
    """What the panels show; None before anything is chosen."""
    return next((at.session_state[key] for key in ["focus"] if key in at.session_state), None)


def choose(at: App, key: str, value: object) -> App:
    """Set a widget and run the app again."""
    at.get_by_key(key).set_value(value)
    return rerun(at)


def press(at: App, key: str) -> App:
    """Press a button and run the app again."""
    at.get_by_key(key).click()
    return rerun(at)
