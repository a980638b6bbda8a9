"""The Search page for tests: runs that are over, and its widgets."""

from typing import Any

from svge_core.jobs.search import SearchJobs
from svge_core.search.runs.loop import execute
from svge_core.search.runs.manage import create_run
from svge_core.search.runs.types import SearchConfig
from tests.support.app_driver import App, checked, open_app
from ui.search import state as search_state


def finished(store: str, method: str = "random", seed: int = 0, race: str = "r", **changes) -> str:
    """A run that is over."""
    objective = changes.pop("objective", ("table:params_m",))
    settings = {"budget": 4, "name": f"{method}-{seed}-{race}", "race": race, **changes}
    name = create_run(store, SearchConfig("nasbench201", objective, method, seed=seed, **settings))
    execute(store, name)
    return name


def search_page(**parameters: str) -> App:
    at = open_app(**parameters)
    return checked(at.switch_page("pages/search.py").run())


def widget(at: App, key: str) -> Any:
    """A widget, whatever its kind."""
    return at.get_by_key(key)


def listed(at: App, label: str) -> Any:
    """The list with this label."""
    return next(box for box in at.selectbox if box.label == label)


def start_jobs() -> SearchJobs:
    return search_state.search_jobs()
