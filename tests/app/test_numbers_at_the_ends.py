"""Own scores at the ends of float64 through every door of the app: all that is sent is JSON of finite numbers."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf.message import Message

from svge_core.data.csv.scores import import_csv
from svge_core.explorer.explorer import Explorer
from svge_core.interpolation.export import path_to_csv, path_to_json
from svge_core.interpolation.path import lay_path
from svge_core.spaces.registry import get_space
from tests.support.app_driver import App, checked, choose, click_map, fire, map_data, open_app, rerun
from tests.support.search_page import finished, listed, search_page
from ui.map.selection import exported as selection_exported
from ui.shared import basket
from ui.shared.session import BasketEntry

pytestmark = pytest.mark.usefixtures("environment")

SPACE = get_space("nasbench201")
LARGEST = 1.7976931348623157e308
ENDS = (LARGEST, -LARGEST, 5e-324, 1e61, -1e300, 0.0)
CSV = ("index,my score,loss\n" + "".join(f"{i},{v!r},{-v!r}\n" for i, v in enumerate(ENDS))).encode()
SCORE = "user_my_score"


def strict(text: str | bytes) -> Any:
    """JSON as the standard has it."""
    return json.loads(text, parse_constant=pytest.fail)


def documents(node: object) -> list[str]:
    """All texts of a message and of those inside it that are objects or lists of JSON."""
    found: list[str] = []
    if isinstance(node, Message):
        for _, value in node.ListFields():
            found += documents(value)
    elif isinstance(node, str):
        found += [node] if node[:1] in "{[" and node else []
    elif not isinstance(node, (bytes, int, float)):
        for part in node:  # type: ignore[attr-defined]
            found += documents(part)
    return found


def sent(at: App) -> int:
    """Check all JSON that the page sends to a browser; how many documents that is."""
    count = 0
    for element in at.main:
        for text in documents(getattr(element, "proto", None) or []):
            try:
                strict(text)
            except json.JSONDecodeError:  # a text of Markdown that begins with a bracket
                continue
            count += 1
    return count


@pytest.fixture
def own(explorer: Explorer) -> Explorer:
    return explorer.with_scores(import_csv(SPACE, CSV, name="mine.csv").to_scores(SPACE))


def test_the_map_page_sends_finite_numbers_whatever_its_colour() -> None:
    at = click_map(open_app(), 0.0, 0.0, index=3)
    at.get_by_key("w-csv").upload("mine.csv", CSV, "text/csv")
    rerun(at)
    for colour in (SCORE, "user_loss"):
        choose(at, "w-colour", colour)
        shown = strict(at.get_by_key("latent-map").proto.json)["colour"]
        assert shown == map_data(at)["colour"]
        fire(at, "lasso", {"polygon": [[-99, -99], [99, -99], [99, 99], [-99, 99]]})
        for index in (0, 1, 2):
            click_map(at, 0.0, 0.0, index=index)
            assert sent(at) > 0
    checked(at.switch_page("pages/model.py").run())
    assert sent(at) > 0


def test_every_export_of_them_reads_back_to_the_last_bit(own: Explorer) -> None:
    rows = np.arange(len(ENDS))
    document = strict(selection_exported(own, rows, "json"))
    assert [cell["measured"][SCORE] for cell in document["cells"]] == list(ENDS)
    read = csv.DictReader(io.StringIO(selection_exported(own, rows, "csv").decode()))
    assert [float(row[SCORE]) for row in read] == list(ENDS)
    entries = [BasketEntry(SPACE.name, SPACE.format(SPACE.from_index(i))) for i in range(len(ENDS))]
    (form,) = (form for form in basket.FORMS if form.suffix == "json")
    document = strict(basket.exported(form, entries, SPACE, own))
    assert [cell["measured"][SCORE] for cell in document["cells"]] == list(ENDS)


def test_a_path_over_cells_at_the_ends_is_exported(explorer: Explorer) -> None:
    path = lay_path(explorer, SPACE.from_index(0), SPACE.from_index(1), "linear", 5, constrained=True)
    passed = [stop.index for stop in path.stops if stop.valid]
    lines = "".join(f"{index},{value!r}\n" for index, value in zip(dict.fromkeys(passed), ENDS, strict=False))
    own = explorer.with_scores(import_csv(SPACE, f"index,my score\n{lines}".encode(), name="mine.csv").to_scores(SPACE))
    cells = strict(path_to_json(own, path))["cells"]
    wanted = dict(zip(dict.fromkeys(passed), ENDS, strict=False))
    assert [cell["measured"].get(SCORE) for cell in cells] == list(wanted.values())
    rows = [row for row in csv.DictReader(io.StringIO(path_to_csv(own, path))) if row[SCORE]]
    assert [float(row[SCORE]) for row in rows] == [wanted[int(row["index"])] for row in rows] != []


def test_a_path_between_them_is_drawn() -> None:
    at = click_map(open_app(), 0.0, 0.0, index=0)
    at.get_by_key("w-csv").upload("mine.csv", CSV, "text/csv")
    rerun(at)
    checked(at.switch_page("pages/interpolate.py").run())
    choose(at, "w-path-start", "0")
    choose(at, "w-path-end", "1")
    assert sent(at) > 0


def test_races_of_them_are_drawn_and_exported(store: str, tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_bytes(CSV)
    for method in ("random", "gp"):
        for seed in (0, 1):
            objective = (f"csv:{table}:my score:max", f"csv:{table}:loss:min")
            finished(store, method, seed, race="one", objective=objective[:1], restricted=True, budget=6)
            finished(store, method, seed, race="two", objective=objective, restricted=True, budget=6)
    at = search_page()
    for race in ("one", "two"):
        listed(at, "Race").set_value(f"nasbench201/{race}")
        checked(at.run())
        assert sent(at) > 0
