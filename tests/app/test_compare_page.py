"""The Compare page without a browser: choosing in every way, marks, scores, pairs, links, ways in and out."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from svge_core.cells.differences import change_in_words, difference
from svge_core.comparison import MOST_CELLS, example_pair
from svge_core.errors import SvgeError
from svge_core.explorer.explorer import Explorer
from svge_core.jobs import CellTrainingRequest
from svge_core.network_training import train_network
from svge_core.network_training.result import write_result
from svge_core.spaces.registry import get_space
from tests.support.app_driver import checked, choose, click_map, focus, open_app, press, rerun, words
from ui.kept import keeping
from ui.kept.document import SpaceRecord, check_space, read_session, write_session
from ui.shared.choices import BasketEntry, CellFocus, CompareChoice
from ui.shared.links import parse_comparison
from ui.shared.trained import cell_training_jobs
from ui.visitors import acts

pytestmark = pytest.mark.usefixtures("environment")

SPACE = get_space("nasbench201")
CELLS = "6111,9000,3"


def open_page(**parameters: str):
    """The Compare page with query parameters."""
    at = open_app()
    at.switch_page("pages/compare.py")
    for name, value in parameters.items():
        at.query_params[name] = value
    return rerun(at)


def choice(at) -> CompareChoice:
    return at.session_state["compare_choice"] if "compare_choice" in at.session_state else CompareChoice()


def table(at) -> dict[str, Any]:
    return json.loads(at.get_by_key("compare-table").proto.json)


def entries(*indices: int) -> tuple[BasketEntry, ...]:
    return tuple(BasketEntry(SPACE.name, SPACE.format(SPACE.from_index(index))) for index in indices)


# ---- choosing ---------------------------------------------------------------------------------------------------


def test_an_empty_page_says_what_to_do_and_shows_an_example_in_one_click(explorer: Explorer) -> None:
    at = open_page()
    assert "Choose two to four architectures" in words(at)
    press(at, "compare-example")
    assert choice(at).cells == tuple(SPACE.index(cell) for cell in example_pair(explorer))
    assert "Between each pair" in words(at)


def test_cells_by_text_one_after_another_until_the_row_is_full() -> None:
    at = open_page()
    texts = ("#6111", SPACE.format(SPACE.from_index(9_000)), "431204", "12")
    for number, text in enumerate(texts):
        choose(at, "w-compare-new", text)
        assert len(choice(at).cells) == number + 1
        if number + 1 < MOST_CELLS:
            assert at.get_by_key("w-compare-new").value == ""
    digits = SPACE.index(SPACE.from_genotype((4, 3, 1, 2, 0, 4)))
    assert choice(at).cells == (6_111, 9_000, digits, 12)
    with pytest.raises(KeyError):
        at.get_by_key("w-compare-new")


def test_one_cell_waits_for_another() -> None:
    at = choose(open_page(), "w-compare-new", "#5")
    assert "Choose one more architecture" in words(at) and at.get_by_key("w-compare-0").value == "#5"


def test_a_place_takes_another_cell_or_none_and_refuses_what_is_there_or_is_no_cell() -> None:
    at = open_page(cells=CELLS)
    choose(at, "w-compare-1", "77")
    assert choice(at).cells == (6_111, 77, 3)
    choose(at, "w-compare-1", "3")
    assert choice(at).cells == (6_111, 77, 3) and "stands there already" in words(at)
    choose(at, "w-compare-1", "<b>x</b>")
    assert len(at.error) == 1 and at.get_by_key("w-compare-1").value == "#77"
    choose(at, "w-compare-1", " ")
    assert choice(at).cells == (6_111, 3)
    press(at, "compare-drop-0")
    assert choice(at).cells == (3,)


def test_cells_are_ticked_in_the_basket_and_taken_from_the_map() -> None:
    at = open_page(cells="6111")
    at.session_state["basket"] = entries(44, 45, 46, 47)
    at.session_state["focus"] = CellFocus(9)
    rerun(at)
    key = "w-compare-basket-" + SPACE.format(SPACE.from_index(45))
    at.get_by_key(key).check()
    rerun(at)
    assert choice(at).cells == (6_111, 45)
    press(at, "compare-from-map")
    assert choice(at).cells == (6_111, 45, 9)
    at.get_by_key(key).uncheck()
    rerun(at)
    assert choice(at).cells == (6_111, 9)


def test_the_basket_in_the_sidebar_leads_here_with_as_many_as_there_is_room_for() -> None:
    at = open_app()
    at.session_state["basket"] = entries(*range(10, 16))
    rerun(at)
    press(at, "basket-compare")
    assert choice(at).cells == (10, 11, 12, 13)
    assert "The first 4 of 6 are shown" in words(at)


def test_the_panel_of_the_map_puts_its_cell_beside_others_and_leads_here() -> None:
    at = click_map(open_app(), 0.0, 0.0, index=2)
    press(at, "compare-add")
    assert choice(at).cells == (2,) and at.get_by_key("compare-add").disabled
    click_map(at, 0.0, 0.0, index=77)
    press(at, "compare-add")
    assert choice(at).cells == (2, 77)
    checked(at.switch_page("pages/compare.py").run())
    assert [at.get_by_key(f"w-compare-{place}").value for place in (0, 1)] == ["#2", "#77"]


# ---- what is shown ----------------------------------------------------------------------------------------------


def test_what_differs_is_marked_from_the_cell_that_is_chosen() -> None:
    at = open_page(cells=CELLS)
    cells = [SPACE.from_index(int(text)) for text in CELLS.split(",")]
    for reference in (0, 2):
        choose(at, "w-compare-with", reference)
        assert choice(at).reference == reference
        text = words(at)
        for place in {0, 1, 2} - {reference}:
            change = change_in_words(difference(cells[reference], cells[place]), cells[reference], cells[place])
            assert f"Marked, from {reference + 1}: **{change}**" in text
    press(at, "compare-drop-0")
    assert choice(at) == CompareChoice((9_000, 3), 1), "marked from the same cell as before"


def test_scores_stand_in_rows_of_one_source_and_the_best_is_marked(explorer: Explorer) -> None:
    at = open_page(cells=CELLS)
    shown = table(at)
    assert shown["columns"] == ["1: #6111", "2: #9000", "3: #3"]
    measured = next(row for row in shown["rows"] if row["kind"] == "measured")
    values = explorer.scores.frame["cifar10_valid"][[6_111, 9_000, 3]].to_numpy()
    assert [value["text"] for value in measured["values"]] == [f"{value:.2f} %" for value in values]
    assert [value["best"] for value in measured["values"]] == [place == int(np.argmax(values)) for place in range(3)]
    predicted = [row for row in shown["rows"] if row["kind"] == "predicted"]
    assert len(predicted) == 2 and not any(value["best"] for row in predicted for value in row["values"])
    assert all(value["text"].startswith("≈ ") for row in predicted for value in row["values"])
    assert predicted[0]["values"][2]["text"].endswith("†") and "no test" in predicted[0]["meaning"]
    assert {"Parameters", "FLOPs", "CIFAR-10 latency"} <= {row["title"] for row in shown["rows"]}
    choose(at, "compare-details", True)
    assert len(table(at)["rows"]) > len(shown["rows"])


def test_every_pair_has_its_edits_its_distance_and_a_path(explorer: Explorer) -> None:
    at = open_page(cells=CELLS)
    text = words(at)
    latents = explorer.atlas.latents[[6_111, 9_000, 3]].astype(np.float64)
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert f"latent distance **{np.linalg.norm(latents[a] - latents[b]):.2f}**, nearer than" in text
    press(at, "compare-path-1-2")
    path = at.session_state["path_choice"]
    assert (path.start, path.end) == (9_000, 3)
    assert at.get_by_key("w-path-start").value == "#9000"


def test_a_cell_is_shown_on_the_map_and_put_into_the_basket() -> None:
    at = press(open_page(cells=CELLS), "compare-basket-1")
    assert at.session_state["basket"] == entries(9_000)
    press(at, "compare-map-2")
    assert focus(at) == CellFocus(3) and at.get_by_key("latent-map") is not None


def test_cells_that_compute_the_same_are_said_to() -> None:
    none, skip = SPACE.operations.index("none"), SPACE.operations.index("skip_connect")
    same = [SPACE.index(SPACE.from_genotype((none, none, op, none, none, none))) for op in (none, skip)]
    at = open_page(cells=",".join(map(str, same)))
    assert ":green-badge[computes the same]" in words(at) and "1 operation changed" in words(at)


def test_there_are_four_files() -> None:
    at = open_page(cells=CELLS)
    labels = [at.get_by_key(f"compare-{suffix}").proto.label for suffix in ("pdf", "csv", "pairs.csv", "json")]
    assert labels == ["PDF", "CSV", "CSV of pairs", "JSON"]


# ---- links and kept sessions ------------------------------------------------------------------------------------


# ---- trained ----------------------------------------------------------------------------------------------------


def test_all_are_trained_alike_and_what_they_reach_stands_among_the_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SVGE_RUNS", str(tmp_path))
    asked: list[CellTrainingRequest] = []
    monkeypatch.setattr(acts, "train_cells", lambda jobs, requests: asked.extend(requests))
    at = open_page(cells=CELLS)
    assert at.button(key="compare-train-start").label == "Train all 3"
    at.number_input(key="compare-train-epochs-digits").set_value(1).run()
    press(at, "compare-train-start")
    assert [request.cell for request in asked] == [SPACE.format(SPACE.from_index(cell)) for cell in (6_111, 9_000, 3)]
    assert {(request.data, request.recipe.epochs) for request in asked} == {("digits", 1)}
    jobs = cell_training_jobs()
    for request in asked[:2]:
        found = train_network(SPACE, SPACE.parse(request.cell), "digits", replace(request.recipe, channels=2))
        jobs._write(jobs._job(request))
        jobs.folder(request.name).mkdir()
        write_result(jobs.folder(request.name), found)
    at = open_page(cells=CELLS)
    (row,) = [row for row in table(at)["rows"] if row["title"].startswith("Digits validation accuracy")]
    assert [value["known"] for value in row["values"]] == [True, True, False]


def test_a_shared_server_trains_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SVGE_SHARED", "1")
    at = open_page(cells=CELLS)
    assert "Training is off on this shared server" in words(at)
    with pytest.raises(acts.RefusedError, match="Training is off"):
        acts.train_cells(cell_training_jobs(), [])


def test_a_link_opens_the_comparison_it_names_and_is_kept_up() -> None:
    at = open_page(cells=CELLS, **{"with": "3"})
    assert choice(at) == CompareChoice((6_111, 9_000, 3), 2)
    choose(at, "w-compare-1", "#12")
    written = {name: at.query_params[name] for name in ("cells", "with")}
    flat = {name: value[0] if isinstance(value, list) else value for name, value in written.items()}
    assert flat == {"cells": "6111,12,3", "with": "3"}


@pytest.mark.parametrize(
    ("parameters", "cells", "message"),
    [
        ({"cells": "1,15625"}, (1,), "cells '15625' is no index"),
        ({"cells": "1,x,2"}, (1, 2), "cells 'x' is no index"),
        ({"cells": "6111,6111,6111"}, (6_111,), "names the architecture 6111 more than once; it is shown once"),
        ({"cells": "1,2,3,4,5"}, (1, 2, 3, 4), "compares 5 architectures; the first 4"),
        ({"cells": "1,2", "with": "3"}, (1, 2), "with '3' is none of the 2"),
        ({"cells": "1,2", "with": "0"}, (1, 2), "with '0' is none of the 2"),
    ],
)
def test_a_broken_link_is_said_in_words(parameters: dict[str, str], cells: tuple[int, ...], message: str) -> None:
    found, problems = parse_comparison(parameters, SPACE)
    assert found == CompareChoice(cells) and len(problems) == 1 and message in problems[0]


def test_a_link_names_cells_without_an_index_by_notation() -> None:
    space, rng = get_space("randwire"), np.random.default_rng(2)
    names = [space.format(space.canonical(space.random_cell(rng))) for _ in range(2)]
    assert parse_comparison({"cells": "\n".join(names)}, space) == (CompareChoice(tuple(names)), ())


def test_a_comparison_is_kept_with_the_session() -> None:
    at = open_page(cells=CELLS, **{"with": "2"})
    kept = read_session(write_session(at.session_state[keeping._BASE]))
    assert keeping._state("nasbench201", kept.spaces["nasbench201"], kept).compare == choice(at)
    assert choice(at) == CompareChoice((6_111, 9_000, 3), 1)


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        (CompareChoice((1, 1)), "twice"),
        (CompareChoice((1, 2, 3, 4, 5)), "more than 4"),
        (CompareChoice((1, 15_625)), "cell #15625"),
        (CompareChoice((1, "x")), "expected an index"),
        (CompareChoice((1, 2), 2), "does not compare"),
    ],
)
def test_a_kept_comparison_is_checked(kept: CompareChoice, message: str) -> None:
    with pytest.raises(SvgeError, match=message):
        check_space("nasbench201", SpaceRecord(compare=kept))
    check_space("nasbench201", SpaceRecord(compare=CompareChoice((1, 2), 1)))
