"""Forged messages to a real server: whatever a browser sends, the rules are those of the server, and nothing changes.

The messages go over the websocket, so no page's own checks stand in between. Ids of widgets that a shared server never
draws are taken from a server of the same app that is not shared: they are made of labels and keys, so anybody can.
"""

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from svge_core.search.runs.loop import execute
from svge_core.search.runs.manage import create_run
from svge_core.search.runs.reading import list_runs
from svge_core.search.runs.types import SearchConfig
from tests.browser.conftest import _start_server
from tests.support.forging import Forger, state, texts
from tests.support.paths import APP
from tests.support.tiny_checkpoint import make_checkpoint
from tests.support.waiting import PATIENCE, until
from ui.visitors.rules import owner_of_secret

ANNA, BERT, CARL = "A" * 32, "B" * 32, "C" * 32
STEERED = re.compile(r"search-(delete|resume|pause|cancel)")
RUNS = 4  # of a visitor at once
#: by which the page's list of races tells them apart
BUDGETS = {"of-nobody": 4, "of-anna": 5, "of-bert": 6}


@dataclass(frozen=True)
class Servers:
    """Two servers of one folder and one store.

    Attributes:
        shared, open: their addresses; the second is not shared.
    """

    folder: Path
    storage: str
    shared: str
    open: str

    def everything(self) -> object:
        """The runs of the store with their states and owners, and every file that is not the server's own."""
        runs = [(run.name, run.owner, run.state, run.done) for run in list_runs(self.storage)]
        files = {
            str(path.relative_to(self.folder)): path.stat().st_size
            for path in self.folder.rglob("*")
            # the sessions of browsers are theirs to write; the store is compared by what is in it
            if path.is_file()
            and "sessions" not in path.parts
            and path.suffix not in (".log", ".db", ".lock", "")
            and not path.name.endswith(("-wal", "-shm"))
        }
        return runs, files


def stop_children(folder: Path) -> None:
    for record in (folder / "search").rglob("job-*.json"):
        pid = json.loads(record.read_text())["pid"]
        if pid:
            try:
                os.killpg(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("forged")
    make_checkpoint(folder / "checkpoints" / "nasbench201" / "tiny")
    storage = f"sqlite:///{folder / 'runs.db'}"
    owners = {"of-nobody": "", "of-anna": owner_of_secret(ANNA), "of-bert": owner_of_secret(BERT)}
    for name, owner in owners.items():
        config = SearchConfig("nasbench201", ("table:params_m",), "random", BUDGETS[name], race=name, name=name)
        execute(storage, create_run(storage, config, owner=owner))
    settings = {"SVGE_CHECKPOINTS": str(folder / "checkpoints"), "SVGE_RUNS": str(folder), "SVGE_STORAGE": storage}
    limits = {"SVGE_SHARED": "1", "SVGE_SHARED_RUNS": str(RUNS), "SVGE_SHARED_BUDGET": "50", "SVGE_ALLOW_PYTHON": "1"}
    started = []
    try:
        for log, more in (("shared.log", limits), ("open.log", {"SVGE_ALLOW_PYTHON": "1"})):
            started.append(_start_server(APP, folder / log, {**settings, **more}))
        yield Servers(folder, storage, started[0][1], started[1][1])
    finally:
        for process, _ in started:
            process.terminate()
            try:
                process.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
        stop_children(folder)


@pytest.fixture
def browser(servers: Servers) -> Iterator[Callable[..., Forger]]:
    opened: list[Forger] = []

    def make(secret: str, url: str = "", headers: dict[str, str] | None = None) -> Forger:
        opened.append(Forger(url or servers.shared, secret, headers))
        return opened[-1]

    yield make
    for forger in opened:
        forger.close()


def shows(said: str, name: str) -> bool:
    """Whether a race is in the list of races."""
    return re.search(rf"budget {BUDGETS[name]}\b", said) is not None


def press(forger: Forger, id: str) -> str:
    return forger.run(state(id, trigger_value=True))


def test_a_visitor_sees_what_is_theirs_and_the_servers_own(browser) -> None:
    anna, bert = browser(ANNA).open("Search"), browser(BERT).open("Search")
    assert shows(anna, "of-nobody") and shows(bert, "of-nobody")
    assert shows(anna, "of-anna") and not shows(bert, "of-anna")
    assert shows(bert, "of-bert") and not shows(anna, "of-bert")


@pytest.mark.parametrize("name", ["of-bert", "of-nobody"])
def test_no_run_of_others_is_steered_by_its_link_or_by_forged_choices(servers: Servers, browser, name: str) -> None:
    before = servers.everything()
    carl = browser(CARL)
    carl.open("Search", query=f"run={name}")
    assert not [key for key in carl.ids if STEERED.match(key)]
    free = browser(CARL, servers.open)
    free.open("Search", query=f"run={name}")
    buttons = {key: id for key, id in free.ids.items() if STEERED.match(key)}
    assert any("delete-run-sure" in key for key in buttons) and any("delete-all-sure" in key for key in buttons)
    for id in buttons.values():  # buttons that the shared server never drew for him
        press(carl, id)
    lists = [id for key, id in carl.ids.items() if key.startswith(("search-group", "search-run-", "search-beside"))]
    assert lists
    for id in lists:
        for value in (name, f"nasbench201/{name}", f"budget {BUDGETS[name]}"):
            carl.run(state(id, string_value=value))
            carl.run(texts(id, value))
        for button in buttons.values():
            press(carl, button)
    assert servers.everything() == before


def test_each_deletes_their_own(servers: Servers, browser) -> None:
    config = SearchConfig("nasbench201", ("table:params_m",), "random", 4, race="mine", name="to-delete")
    execute(servers.storage, create_run(servers.storage, config, owner=owner_of_secret(ANNA)))
    anna = browser(ANNA)
    anna.open("Search", query="run=to-delete")
    press(anna, anna.ids["search-delete-run-sure"])
    assert "to-delete" not in [run.name for run in list_runs(servers.storage)]


def test_no_training_starts(servers: Servers, browser) -> None:
    free = browser(ANNA, servers.open)
    free.open("Model")
    free.run(state(free.ids["model_section"], string_value="Train a new one"))
    assert "Train" in free.ids
    before = servers.everything()
    anna = browser(ANNA)
    anna.open("Model")
    said = anna.run(state(anna.ids["model_section"], string_value="Train a new one"))
    assert "Training is off on this shared server" in said and "Train" not in anna.ids
    said = anna.run(
        state(anna.ids["model_section"], string_value="Train a new one"),
        state(free.ids["Name"], string_value="stolen"),
        state(free.ids["Train"], trigger_value=True),
    )
    assert "Training is off on this shared server" in said
    assert servers.everything() == before
    assert not (servers.folder / "checkpoints" / "nasbench201" / "stolen").exists()


def test_forged_values_of_the_form_are_refused(servers: Servers, browser) -> None:
    before = servers.everything()
    anna = browser(ANNA)
    anna.open("Search")
    ids = anna.ids
    goals = ids["search-goals-nasbench201"]
    for forged in (["csv:/etc/passwd:x"], ["python:os:getcwd"], ["digits:valid"], ["table:no_such"], [""]):
        anna.run(texts(goals, *forged))
        anna.run(texts(goals, *forged), state(ids["search-start-0"], trigger_value=True))
    for key, number in (("budget", 51), ("budget", 1e9), ("budget", -5), ("seeds", 1e9), ("batch", 1e9), ("seeds", 0)):
        anna.run(state(ids[f"search-{key}"], double_value=number))
    free = browser(ANNA, servers.open)
    free.open("Search")
    anna.run(
        state(free.ids["search-python"], string_value="os:getcwd"),
        state(ids["search-start-0"], trigger_value=True),
    )
    assert servers.everything() == before


def test_a_button_that_is_off_starts_nothing(servers: Servers, browser) -> None:
    anna = browser(ANNA)
    anna.open("Search")
    said = anna.run(state(anna.ids["search-seeds"], double_value=2))
    assert (
        f"This shared server allows {RUNS} searches of yours at once: 8 asked for" in said
        and "choose fewer methods" in said
    )
    before = servers.everything()
    press(anna, anna.ids["search-start-0"])
    assert servers.everything() == before


@pytest.mark.parametrize(
    "id", ["browser_secret", "$$ID-0-browser_secret", "$$STREAMLIT_INTERNAL_KEY_browser_secret", "kept_session"]
)
def test_nobody_becomes_another_by_a_forged_value(servers: Servers, browser, id: str) -> None:
    """The secret stands in the session under a plain key; no widget's value can take its place."""
    before = servers.everything()
    anna = browser(ANNA)
    anna.open("Search")
    said = anna.run(state(id, string_value=BERT))  # Streamlit may end this run: there is no such widget
    assert not shows(said + anna.run(), "of-bert") and BERT not in said
    assert shows(browser(ANNA).open("Search"), "of-anna")
    assert servers.everything() == before


def test_nobody_becomes_another_by_a_forged_value_of_the_component(servers: Servers, browser) -> None:
    anna = browser(ANNA)
    anna.open("Search")
    component = anna.ids["browser"]
    anna.run(state(component, json_value=json.dumps({"secret": BERT, "name": "svge_browser"})))
    events = f"$$STREAMLIT_INTERNAL_KEY_{component}__events"
    said = anna.run(state(events, json_trigger_value=json.dumps([{"event": "secret", "value": BERT}])))
    assert shows(said, "of-anna") and not shows(said, "of-bert")


@pytest.mark.parametrize(
    "value",
    [
        "null",
        "[]",
        "{}",
        '"x"',
        "[1e999]",
        '[{"event": "click", "value": {"index": 99999999, "x": 0, "y": 0}}]',
        '[{"event": "click", "value": {"index": -1, "x": "a", "y": null}}]',
        '[{"event": "lasso", "value": 7}]',
    ],
)
def test_forged_values_of_the_map_change_nothing(servers: Servers, browser, value: str) -> None:
    before = servers.everything()
    anna = browser(ANNA)
    anna.open("Map")
    component = anna.ids["latent-map"]
    anna.run(state(f"$$STREAMLIT_INTERNAL_KEY_{component}__events", json_trigger_value=value))
    anna.run(state(component, json_value=value))
    assert "NAS-Bench-201" in browser(ANNA).open("Map")  # the server answers as before
    assert servers.everything() == before


def test_other_messages_do_no_harm(servers: Servers, browser) -> None:
    """Messages of Streamlit's own: emptying the caches keeps what is written, shutting down is for developers."""
    before = servers.everything()
    anna = browser(ANNA)
    anna.open("Search")
    message = BackMsg()
    message.clear_cache = True
    anna.socket.send(message.SerializeToString())
    message = BackMsg()
    message.debug_shutdown_runtime = True
    anna.socket.send(message.SerializeToString())
    again = browser(ANNA)
    assert shows(again.open("Search"), "of-anna")
    assert servers.everything() == before


def test_a_browser_on_this_machine_may_name_code_and_a_relayed_one_may_not(servers: Servers, browser) -> None:
    def offered(forger: Forger) -> bool:
        forger.open("Search")
        return "search-python" in forger.ids

    assert offered(browser(ANNA, servers.open))
    assert offered(browser(ANNA, servers.open.replace("127.0.0.1", "localhost")))
    assert not offered(browser(ANNA, servers.open, {"X-Forwarded-For": "127.0.0.1"}))
    assert not offered(browser(ANNA, servers.open, {"X-Forwarded-For": "203.0.113.9, 127.0.0.1"}))
    assert not offered(browser(ANNA, servers.open, {"Forwarded": "for=127.0.0.1"}))
    assert not offered(browser(ANNA, servers.open, {"X-Real-IP": "127.0.0.1"}))
    assert not offered(browser(ANNA))  # a shared server never offers it, on this machine either


def test_a_race_within_the_quota_starts_and_the_next_one_does_not(servers: Servers, browser) -> None:
    mine = owner_of_secret(ANNA)
    first, second = browser(ANNA), browser(ANNA)
    for session in (first, second):
        session.open("Search")
        session.run(
            state(session.ids["search-seeds"], double_value=1), state(session.ids["search-budget"], double_value=50)
        )
    press(first, first.ids["search-start-0"])
    said = press(second, second.ids["search-start-0"])  # drawn when it would still have fitted
    assert f"cannot start: This shared server allows {RUNS} searches of yours at once: 4 used, 4 more asked" in said
    graphpnas = browser(ANNA)
    graphpnas.open("Distribution")
    said = press(graphpnas, graphpnas.ids["Run GraphPNAS"])
    assert f"cannot start: This shared server allows {RUNS} searches of yours at once: 4 used, 1 more asked" in said
    assert f"0 of {RUNS} wait or run" in browser(BERT).open("Search")
    until(lambda: sum(run.owner == mine for run in list_runs(servers.storage)) >= 5)
    races = {run.config.race for run in list_runs(servers.storage) if run.config and run.config.budget == 50}
    assert len(races) == 1
    again = browser(ANNA)
    again.open("Search")
    if "search-cancel-all" in again.ids:  # not all of it is over by now
        press(again, again.ids["search-cancel-all"])
    until(lambda: not list(servers.folder.glob("search/*/job-*.json")))
