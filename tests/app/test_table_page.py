"""The Table page without a browser: questions, order, pages, what is linked with the map, saved selections."""

import io
from collections import OrderedDict
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from svge_core.data.csv.scores import import_csv
from svge_core.explorer.explorer import Explorer
from svge_core.explorer.selection import CellFilter
from svge_core.spaces.registry import get_space
from tests.support.app_driver import App, checked, choose, fire, focus, open_app, press, rerun, words
from tests.support.sessions import SQUARE, session_of
from ui.kept.document import read_session, write_session
from ui.shared.choices import CellFocus, Lasso, SavedSelection, UserColumns
from ui.table import files
from ui.table.rows import _column
from ui.table.view import ordinal

pytestmark = pytest.mark.usefixtures("environment")
SPACE = get_space("nasbench201")
TABLE = "space-table"


def table_page() -> App:
    return checked(open_app().switch_page("pages/table.py").run())


def shown(at: App) -> dict[str, Any]:
    """What the browser is given."""
    import json

    return json.loads(at.get_by_key(TABLE).proto.json)


def column(at: App, key: str) -> list[str]:
    data = shown(at)
    place = [column["key"] for column in data["columns"]].index(key)
    return [row["cells"][place] for row in data["rows"]]


def losses(lines: bytes) -> UserColumns:
    read = import_csv(SPACE, b"index,loss\n" + lines, directions={"loss": "min"}, name="mine.csv")
    return UserColumns("mine.csv", read.to_scores(SPACE), "")


def test_the_best_come_first_with_their_ranks_and_a_page_travels(explorer: Explorer) -> None:
    at = table_page()
    values = explorer.scores.frame["cifar10_valid"].to_numpy()
    best = np.argsort(-values, kind="stable")
    assert [row["row"] for row in shown(at)["rows"]] == best[:100].tolist()
    assert column(at, "rank")[:3] == ["1", "2", "3"] and column(at, "cifar10_valid")[0] == f"{values[best[0]]:.2f}"
    assert "rows 1 to 100 of 15,625" in words(at).lower()
    at = press(at, "table-next")
    assert [row["row"] for row in shown(at)["rows"]] == best[100:200].tolist()
    at = press(at, "table-last")
    assert [row["row"] for row in shown(at)["rows"]] == best[15_600:].tolist()
    assert at.get_by_key("table-next").disabled and not at.get_by_key("table-first").disabled
    at = choose(at, "w-table-row", 777)
    assert shown(at)["rows"][0]["row"] == best[700]


def test_a_header_sorts_the_whole_space_and_turns(explorer: Explorer) -> None:
    at = fire(table_page(), "sort", {"key": "params_m"}, TABLE)
    params = explorer.params
    order = np.argsort(params, kind="stable")
    assert [row["row"] for row in shown(at)["rows"]] == order[:100].tolist()
    sort = {column["key"]: column.get("sort") for column in shown(at)["columns"]}
    assert sort["params_m"] == "ascending" and sort["cifar10_valid"] is None
    at = fire(at, "sort", {"key": "params_m"}, TABLE)
    assert [row["row"] for row in shown(at)["rows"]] == np.argsort(-params, kind="stable")[:100].tolist()
    assert fire(at, "sort", {"key": "no such"}, TABLE)


def test_a_question_filters_the_table_and_the_map_and_is_released() -> None:
    at = choose(table_page(), "w-where", "three best, under 0.5 M parameters")
    assert len(shown(at)["rows"]) == 3 and "3 of 15,625" in words(at)
    assert at.session_state["map_filter"] == CellFilter(where="three best, under 0.5 M parameters")
    at = choose(at, "w-where", "at least 2 foo")
    assert "'foo' was not understood" in at.error[0].value.replace("\\", "") and at.get_by_key("w-where").value
    assert at.session_state["map_filter"].where.startswith("three")
    at = press(at, "table-release")
    assert at.session_state["map_filter"] == CellFilter() and len(shown(at)["rows"]) == 100
    at = choose(at, "w-where", "accuracy above 99")
    assert "No cell meets all of this" in words(at)


def test_filter_and_lasso_of_the_map_hold_in_the_table_and_are_released_there(explorer: Explorer) -> None:
    at = fire(open_app(), "lasso", {"polygon": [list(corner) for corner in SQUARE]})
    at.session_state["map_filter"] = CellFilter(contains=("nor_conv_3x3",))
    at = checked(at.switch_page("pages/table.py").run())
    rows = [row["row"] for row in shown(at)["rows"]]
    xy = explorer.atlas.planes["pca"].xy[rows]
    assert (np.abs(xy) <= 0.3).all() and all("nor_conv_3x3" in SPACE.from_index(row).ops for row in rows)
    at = press(at, "table-drop-filter")
    assert at.session_state["map_filter"] == CellFilter() and at.session_state["map_lasso"] is not None
    at = press(at, "table-drop-lasso")
    assert at.session_state["map_lasso"] is None and "15,625 cells of" in words(at).replace("*", "")


def test_a_row_is_the_focus_of_all_pages_and_ticked_ones_go_to_the_basket(explorer: Explorer) -> None:
    at = table_page()
    third, fourth = (row["row"] for row in shown(at)["rows"][2:4])
    at = fire(at, "focus", {"row": third}, TABLE)
    assert focus(at) == CellFocus(third) and "3rd of 15,625 by CIFAR-10" in words(at).replace("*", "")
    assert [row["row"] for row in shown(at)["rows"] if row["focus"]] == [third]
    at = fire(at, "tick", {"rows": [third, fourth, 10**9, "x"], "on": True}, TABLE)
    at = press(at, "table-basket")
    assert [entry.notation for entry in at.session_state["basket"]] == [
        SPACE.format(SPACE.from_index(row)) for row in (third, fourth)
    ]
    assert not any(row["ticked"] for row in shown(at)["rows"])


def test_find_on_the_map_reads_words_and_shows_the_best_of_them(explorer: Explorer) -> None:
    at = choose(open_app(), "w-find", "best 3, under 0.5 M parameters")
    best = explorer.where("best 3, under 0.5 M parameters")
    assert focus(at) == CellFocus(int(best[0])) and "3 cells: best 3 by" in words(at)
    assert "3 of 15,625" in words(at).replace("*", "")
    at = press(at, "undo")
    assert focus(at) is None and at.session_state["map_filter"] == CellFilter()
    at = choose(at, "w-find", "at least 2 foo")
    assert "'foo' was not understood" in at.error[0].value.replace("\\", "")


def test_a_selection_is_kept_recalled_and_deleted_also_in_the_file_of_a_session() -> None:
    at = choose(table_page(), "w-where", "no pool")
    at.get_by_key("w-selection-name").set_value("no pools")
    at = press(at, "selection-save")
    at = press(at, "table-release")
    at = press(at, "selection-recall-0")
    assert at.session_state["map_filter"] == CellFilter(where="no pool")
    at = press(at, "selection-drop-0")
    assert at.session_state["saved_selections"] == ()
    at = press(press(at, "table-release"), "selection-save")
    assert "needs a name" in words(at)
    saved = SavedSelection("mine", CellFilter(where="no pool"), Lasso("pca", SQUARE), "tiny")
    kept = session_of(saved=(saved,))
    assert read_session(write_session(kept)) == kept
    for wrong in ((replace(saved, name=""),), (saved, saved), (replace(saved, lasso=Lasso("pca", SQUARE[:2])),)):
        with pytest.raises(Exception, match="session"):
            read_session(write_session(session_of(saved=wrong)))


def test_all_rows_are_downloaded(explorer: Explorer) -> None:
    from svge_core.explorer.tables import table_file

    rows = explorer.where("exactly 5 conv3x3")
    found = pd.read_parquet(io.BytesIO(table_file(explorer, rows, "parquet")))
    assert found["index"].tolist() == rows.tolist() and (found["count_nor_conv_3x3"] == 5).all()


def test_a_large_file_is_made_once_and_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def made(explorer: Explorer, rows: np.ndarray, form: str) -> bytes:
        asked.append(len(rows))
        return b"made"

    monkeypatch.setattr(files, "table_file", made)
    monkeypatch.setattr(files, "DIRECT", 1_000)
    monkeypatch.setattr(files, "_made", OrderedDict())
    at = table_page()
    with files._MAKING:
        at = press(at, "table-make-csv")
        assert "making another large file" in words(at) and not asked
    at = press(at, "table-make-csv")
    assert at.get_by_key("table-csv").proto.deferred_file_id and "making another" not in words(at)
    at = press(table_page(), "table-make-parquet")  # another session: the CSV is there already
    assert at.get_by_key("table-csv").proto.deferred_file_id and asked == [15_625, 15_625]
    assert not files._MAKING.locked()
    monkeypatch.setenv("SVGE_SHARED", "1")
    monkeypatch.setattr(files, "MOST_SHARED", 10_000)
    monkeypatch.setattr(files, "_made", OrderedDict())
    at = fire(table_page(), "sort", {"key": "params_m"}, TABLE)
    assert at.get_by_key("table-make-csv").disabled and at.get_by_key("table-make-parquet").disabled


def test_ranks_are_among_cells_with_a_value() -> None:
    at = table_page()
    at.session_state["user_scores"] = losses(b"5,0.0012\n7,0.0034\n9,0.5\n")
    at = fire(rerun(at), "sort", {"key": "user_loss"}, TABLE)
    assert column(at, "user_loss")[:4] == ["0.0012", "0.0034", "0.5", ""] and column(at, "rank")[3] == ""
    (rank,) = [column for column in shown(at)["columns"] if column["key"] == "rank"]
    assert rank["small"] == "of 3" and "cells with a value" in rank["help"]
    at = fire(at, "focus", {"row": 7}, TABLE)
    assert "2nd of 3 cells with a value by" in words(at).replace("*", "")


def test_a_header_turns_the_order_that_the_question_gave() -> None:
    at = choose(table_page(), "w-where", "worst 5 by accuracy")
    (by,) = [column for column in shown(at)["columns"] if column.get("sort")]
    rows = [row["row"] for row in shown(at)["rows"]]
    for direction in ("descending", "ascending"):
        before, at = by["sort"], fire(at, "sort", {"key": by["key"]}, TABLE)
        (by,) = [column for column in shown(at)["columns"] if column.get("sort")]
        assert by["sort"] == direction != before
    assert [row["row"] for row in shown(at)["rows"]] == rows


def test_sessions_share_the_columns_of_the_space_and_none_of_their_own(explorer: Explorer) -> None:
    at = table_page()
    at.session_state["user_scores"] = losses(b"5,0.5\n")
    at = rerun(at)
    assert [key for key in at.session_state["memo"] if key.startswith("table column")] == ["table column user_loss"]
    assert _column(explorer, "depth") is _column(replace(explorer), "depth")


def test_places_are_written_as_in_english() -> None:
    assert list(map(ordinal, (1, 2, 3, 4, 11, 12, 13, 21, 102, 1_013, 15_623))) == (
        ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "1,013th", "15,623rd"]
    )
