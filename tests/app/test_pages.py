"""The app page by page, without a browser: every interaction, every error state, links and exports."""

import numpy as np
import pytest

from svge_core.atlas.polygon import select_in_polygon
from svge_core.explorer.explorer import Explorer
from svge_core.explorer.selection import CellFilter
from svge_core.exporting.document import from_json
from svge_core.spaces.registry import get_space
from tests.support.app_driver import (
    APP,
    checked,
    choose,
    click_map,
    fire,
    focus,
    map_data,
    open_app,
    press,
    rerun,
    select_row,
    words,
)
from tests.support.untyped import there
from ui.map.selection import exported as selection_exported, selection_frame
from ui.shared.choices import BASKET_CAP, CellFocus, PlaceFocus
from ui.shared.links import parse_link

pytestmark = pytest.mark.usefixtures("environment")

SPACE = get_space("nasbench201")
PAGES = sorted(path.stem for path in (APP.parent / "pages").glob("*.py"))
BEST = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
SQUARE = ((-0.3, -0.3), (0.3, -0.3), (0.3, 0.3), (-0.3, 0.3))


# ---- pages ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_every_page_starts_without_an_exception(name: str) -> None:
    at = open_app()
    checked(at.switch_page(f"pages/{name}.py").run())


def test_the_map_shows_every_cell_and_what_the_colour_means() -> None:
    at = open_app()
    data = map_data(at)
    assert data["points"]["n"] == SPACE.size
    assert data["colour"]["title"] == "CIFAR-10 validation accuracy (measured)"
    assert data["colour"]["lowClipped"] and not data["colour"]["highClipped"]
    assert "NATS-Bench v1.0" in words(at) and "share the first colour" in words(at)
    assert "Click a point" in words(at)


# ---- focus ------------------------------------------------------------------------------------------------------


def test_a_click_on_a_point_shows_that_cell_measured_and_predicted_apart() -> None:
    at = click_map(open_app(), 0.0, 0.0, index=2)
    assert focus(at) == CellFocus(2)
    text = words(at)
    assert "Cell #2" in text and SPACE.format(SPACE.from_index(2)) in text
    table = next(m.value for m in at.markdown if "predicted, 90 % interval" in m.value)
    row = next(line for line in table.splitlines() if line.startswith("| CIFAR\\-10 "))
    measured, predicted = row.split("|")[2:4]
    assert "**" in measured and "violet" not in measured
    assert ":violet[*≈ 8" in predicted and " to " in predicted and "†" in predicted
    assert "its label trained the predictor" in text
    assert [mark["kind"] for mark in map_data(at)["marks"]].count("neighbour") == 6
    assert map_data(at)["marks"][-1]["kind"] == "focus"


def test_a_click_on_empty_space_decodes_it_and_says_how_sure_that_is() -> None:
    at = click_map(open_app(), 0.05, -0.05)
    assert focus(at) == PlaceFocus("pca", 0.05, -0.05)
    text = words(at)
    assert "Decoded: cell #" in text
    assert "of 64 random unconstrained decodings give this cell" in text
    assert "valid only with constrained decoding" in text and "the likeliest graph is invalid" in text
    assert map_data(at)["marks"][-1]["kind"] == "decoded"


def test_a_sparse_zone_is_a_warning_in_words() -> None:
    at = click_map(open_app(), 500.0, 500.0)
    assert any("Sparse zone" in warning.value for warning in at.warning)


def test_a_neighbour_moves_the_focus_and_back_and_forward_return() -> None:
    at = click_map(open_app(), 0.0, 0.0, index=2)
    press(at, "near-1")
    second = focus(at)
    assert isinstance(second, CellFocus) and second != CellFocus(2)
    press(at, "undo")
    assert focus(at) == CellFocus(2)
    press(at, "redo")
    assert focus(at) == second
    assert at.get_by_key("redo").disabled


def test_escape_clears_focus_and_outline() -> None:
    at = click_map(open_app(), 0.0, 0.0, index=2)
    fire(at, "lasso", {"polygon": [list(corner) for corner in SQUARE]})
    fire(at, "clear", {"seq": 3})
    assert focus(at) is None and at.session_state["map_lasso"] is None
    press(at, "undo")
    assert focus(at) == CellFocus(2)


@pytest.mark.parametrize("text", [BEST, "333133", "(2, 2, 0, 2, 2, 2)", f"#{SPACE.index(SPACE.parse(BEST))}"])
def test_find(text: str) -> None:
    at = choose(open_app(), "w-find", text)
    assert focus(at) == CellFocus(SPACE.index(SPACE.parse(BEST)))


def test_find_says_in_one_line_what_is_wrong() -> None:
    at = choose(open_app(), "w-find", "<b>17000</b>")
    assert focus(at) is None
    assert len(at.error) == 1 and "architecture string" in at.error[0].value
    assert not choose(at, "w-find", "12").error


def test_the_same_text_can_be_found_again() -> None:
    at = choose(open_app(), "w-find", "12")
    assert at.get_by_key("w-find").value == ""
    click_map(at, 0.0, 0.0, index=2)
    assert focus(choose(at, "w-find", "12")) == CellFocus(12)


def test_a_place_by_numbers() -> None:
    at = open_app()
    at.get_by_key("w-x").set_value(0.25)
    at.get_by_key("w-y").set_value(-0.125)
    next(b for b in at.button if b.label == "Decode here").click()
    rerun(at)
    assert focus(at) == PlaceFocus("pca", 0.25, -0.125)


# ---- colours and filters ----------------------------------------------------------------------------------------


def test_every_colour_can_be_chosen() -> None:
    at = open_app()
    for option in ("predicted-cifar10_valid", "error-cifar10_valid", "params_m", "split", "dominant-operation"):
        choose(at, "w-colour", option)
        assert at.query_params["colour"] in (option, [option])
        data = map_data(at)["colour"]
        assert bool(data["categories"]) == (option in ("split", "dominant-operation"))
        if option.startswith("error"):
            assert data["low"] == -data["high"] and "predicted − measured" in data["title"]
        if option.startswith("predicted"):
            assert "predicted" in data["title"] and "fitted on 3 measured labels" in words(at)


def test_filters_dim_and_count() -> None:
    at = choose(open_app(), "w-contains", ["nor_conv_3x3"])
    choose(at, "w-without", ["none"])
    kept = sum("nor_conv_3x3" in cell.ops and "none" not in cell.ops for cell in SPACE.enumerate())
    assert f"{kept:,} of 15,625 cells" in words(at)
    assert map_data(at)["dim"] and map_data(at)["points"]["n"] == SPACE.size
    choose(at, "w-held-out", True)
    assert at.session_state["map_filter"] == CellFilter(
        contains=("nor_conv_3x3",), without=("none",), held_out_only=True
    )
    press(at, "w-filter-reset")
    assert map_data(at)["dim"] is None


def test_a_score_range_keeps_its_meaning_when_the_colour_changes() -> None:
    at = open_app()
    choose(at, "w-score", (85.0, 90.0))
    chosen = at.session_state["map_filter"]
    assert chosen.score_key == "cifar10_valid" and chosen.score == (85.0, 90.0)
    count = next(m.value for m in at.markdown if "pass the filter" in m.value)
    choose(at, "w-colour", "params_m")
    assert next(m.value for m in at.markdown if "pass the filter" in m.value) == count
    assert at.get_by_key("w-score").label == "CIFAR-10 validation accuracy (measured) (%)"


# ---- lasso ------------------------------------------------------------------------------------------------------


def test_a_lasso_gives_count_statistics_and_a_table(explorer: Explorer) -> None:
    at = fire(open_app(), "lasso", {"polygon": [list(corner) for corner in SQUARE]})
    rows = select_in_polygon(explorer.atlas.planes["pca"].xy, np.array(SQUARE))
    assert 10 < len(rows) < there(SPACE.size)
    text = words(at)
    values = explorer.scores.frame["cifar10_valid"].to_numpy()[rows]
    assert f"Selection: {len(rows):,} cells" in text and f"mean {values.mean():.4g} %" in text
    frame = at.dataframe[0].value
    assert list(frame["shown"])[:3] == sorted(values, reverse=True)[:3]
    assert map_data(at)["lasso"] == [list(corner) for corner in SQUARE]


def test_a_row_of_the_table_becomes_the_focus() -> None:
    at = fire(open_app(), "lasso", {"polygon": [list(corner) for corner in SQUARE]})
    best = int(at.dataframe[0].value["index"].iloc[1])
    select_row(at, 1, "selection-table")
    assert focus(at) == CellFocus(best)


def test_an_empty_lasso_says_so() -> None:
    at = fire(open_app(), "lasso", {"polygon": [[900, 900], [901, 900], [901, 901]]})
    assert "Selection: 0 cells" in words(at) and "encloses no cell" in words(at)


def test_a_selection_goes_into_the_basket_best_first_up_to_its_cap(explorer: Explorer) -> None:
    at = fire(open_app(), "lasso", {"polygon": [[-99, -99], [99, -99], [99, 99], [-99, 99]]})
    press(at, "selection-basket")
    entries = at.session_state["basket"]
    assert len(entries) == BASKET_CAP
    assert SPACE.index(SPACE.parse(entries[0].notation)) == explorer.scores.best("cifar10_valid")[0]
    assert "15,425 found no room" in words(at)
    assert sum(mark["kind"] == "basket" for mark in map_data(at)["marks"]) == BASKET_CAP


def test_selections_are_exported_with_values_and_predictions(explorer: Explorer) -> None:
    rows = np.array([4, 8])
    _, items = from_json(selection_exported(explorer, rows, "json"))
    assert [SPACE.index(item.cell) for item in items] == [4, 8]
    assert items[0].predicted and items[0].measured
    text = selection_exported(explorer, rows, "csv").decode()
    assert len(text.splitlines()) == 3 and "predicted_cifar10_valid_low" in text
    from svge_core.explorer.columns import column

    frame = selection_frame(explorer, column(explorer, "split"), rows)
    assert set(frame["shown"]) <= {"trained on", "held out"}


# ---- own scores -------------------------------------------------------------------------------------------------


def test_a_users_csv_becomes_a_colour_and_a_row_of_the_panel() -> None:
    at = click_map(open_app(), 0.0, 0.0, index=3)
    at.get_by_key("w-csv").upload("mine.csv", b"index,my *score*\n3,1.5\n4,2.5\n", "text/csv")
    rerun(at)
    assert map_data(at)["colour"]["title"].startswith("my *score*")
    assert "my *score*" in words(at) and "2 architectures with 1 score" in words(at)
    table = next(m.value for m in at.markdown if m.value.startswith("| Validation accuracy |")).replace("\\", "")
    accuracies, own = table.split("\n\n")
    assert own.startswith("| Own scores | measured |") and "my *score*" in own and "my *score*" not in accuracies
    choose(at, "w-colour", "flops_m")
    assert "· FLOPs " in at.get_by_key("near-1").label and " M " in at.get_by_key("near-1").label.replace("\\", "")
    choose(at, "w-colour", "user_my_score")
    assert "does not say whether more or less is better" in at.success[0].value
    at.get_by_key("w-csv-less-user_my_score").check().run()
    assert at.session_state["user_scores"].scores.meanings["user_my_score"].direction == "min"
    press(at, "w-csv-drop")
    assert map_data(at)["colour"]["title"].startswith("CIFAR-10 validation accuracy")


def test_rejected_lines_are_a_warning_with_their_reasons() -> None:
    at = open_app()
    lines = ["index,score", *(f"{index},1" for index in range(32)), *(f"{index},oops" for index in range(25))]
    at.get_by_key("w-csv").upload("mine.csv", "\n".join(lines).encode(), "text/csv")
    rerun(at)
    assert not at.success
    (warning,) = (w.value.replace("\\", "") for w in at.warning)
    assert "25 lines rejected" in warning and "Line 34: column 'score' holds 'oops'" in warning
    assert warning.count("- Line") == 20 and "and 6 more" in warning


def test_a_file_that_is_too_large_is_one_line() -> None:
    at = open_app()
    at.get_by_key("w-csv").upload("large.csv", b"index,score\n" + b" " * (21 * 2**20), "text/csv")
    rerun(at)
    assert len(at.error) == 1 and "at most 20 MiB" in at.error[0].value


def test_a_bad_csv_is_one_line() -> None:
    at = open_app()
    at.get_by_key("w-csv").upload("bad.csv", b"name,score\nx,1\n", "text/csv")
    rerun(at)
    assert len(at.error) == 1 and "\n" not in at.error[0].value
    assert map_data(at)["colour"]["title"].startswith("CIFAR-10 validation accuracy")


# ---- links ------------------------------------------------------------------------------------------------------


def test_a_link_to_a_cell_is_followed_and_kept_up() -> None:
    at = open_app(space="nasbench201", checkpoint="tiny", plane="pca", cell="12", colour="params_m")
    assert focus(at) == CellFocus(12)
    assert map_data(at)["colour"]["title"] == "Parameters"
    click_map(at, 0.125, 0.5)
    assert {name: at.query_params[name] for name in ("x", "y")} in (
        {"x": "0.125", "y": "0.5"},
        {"x": ["0.125"], "y": ["0.5"]},
    )
    assert "cell" not in at.query_params


def test_a_link_to_a_cell_on_a_map_that_is_not_there_shows_the_cell_on_another() -> None:
    at = open_app(plane="umap", cell="12")
    assert focus(at) == CellFocus(12)
    assert "Cell #12" in words(at) and map_data(at)["points"]["digest"].endswith("pca")


def test_a_link_to_a_place_is_followed() -> None:
    at = open_app(plane="pca", x="0.25", y="-1e-1")
    assert focus(at) == PlaceFocus("pca", 0.25, -0.1)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"cell": "999999"}, "no index between 0 and 15,624"),
        ({"cell": "<script>"}, "no index"),
        ({"x": "nan", "y": "1"}, "not both numbers"),
        ({"x": "1"}, "not both numbers"),
        ({"space": "moon"}, "unknown search space"),
        ({"plane": "sphere"}, "unknown map"),
        ({"checkpoint": "../etc"}, "is not here"),
        ({"plane": "umap", "x": "1", "y": "1"}, "no UMAP map"),
    ],
)
def test_a_broken_link_is_said_in_words_and_the_page_works(parameters: dict[str, str], message: str) -> None:
    at = open_app(**parameters)
    assert any(message in warning.value.replace("\\", "") for warning in at.warning), words(at)
    assert map_data(at)["points"]["n"] == SPACE.size


def test_links_are_read_strictly() -> None:
    assert parse_link({"cell": "7", "x": "1", "y": "2"}).focus == CellFocus(7)
    assert parse_link({"cell": "٣"}).problems
    assert parse_link({"cell": "1e3"}).problems
    assert parse_link({"x": "1", "y": "inf"}).problems
    assert parse_link({}).focus is None


def test_state_survives_a_change_of_page() -> None:
    at = click_map(open_app(), 0.0, 0.0, index=2)
    choose(at, "w-colour", "params_m")
    choose(at, "w-held-out", True)
    if "model" in PAGES:
        checked(at.switch_page("pages/model.py").run())
        checked(at.switch_page("pages/map.py").run())
    else:
        rerun(at)
    assert focus(at) == CellFocus(2)
    assert map_data(at)["colour"]["title"] == "Parameters"
    assert at.get_by_key("w-held-out").value is True
