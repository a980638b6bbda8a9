"""The pages with a space of another kind: wirings of many sizes, 19 operations, not listed, no network, no score."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from svge_core.drawing import to_svg
from svge_core.jobs import SearchJobs
from svge_core.spaces import get_space
from tests.support.app_driver import App, checked, choose, click_map, fire, map_data, open_app, press, rerun, words
from tests.third_party.conftest import CHARTED
from ui.search import state as search_state
from ui.shared.basket import FORMS, entry_for, exported, forms_of
from ui.shared.widgets import PANEL, drawing_width

#: words of the shipped spaces and of networks, none of which belongs here
FOREIGN = ("naslib", "md5", "nasbench", "NAS-Bench", "module_hash", "FLOPs", "Parameters (", "conv", "ENAS", "None")
SWISH = "mul(sigmoid(x), x)"


@pytest.fixture(autouse=True)
def store(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The tiny checkpoints, and an empty store whose runs nobody starts."""
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    monkeypatch.setenv("SVGE_CHECKPOINTS", str(root))
    monkeypatch.setenv("SVGE_STORAGE", url)
    monkeypatch.setenv("SVGE_RUNS", str(tmp_path))
    monkeypatch.setattr(search_state, "_jobs", lambda records, url: SearchJobs(Path(records), url, watch=False))
    yield url


def page(name: str) -> App:
    at = open_app(space="functions")
    return checked(at.switch_page(f"pages/{name}.py").run())


def helps(at: App) -> str:
    """What is written, and the help of every widget."""
    nodes: list[Any] = [*at.text_input, *at.selectbox, *at.multiselect, *at.button, *at.get("file_uploader")]
    return words(at) + "\n".join(f"{node.proto.label} {node.proto.help}" for node in nodes).replace("\\", "")


def foreign(text: str) -> list[str]:
    return [word for word in FOREIGN if word in text]


def test_map_shows_a_sample_finds_functions_and_speaks_of_no_network() -> None:
    at = open_app(space="functions")
    assert map_data(at)["points"]["n"] == CHARTED
    assert f"a random sample of {CHARTED} of 1,233,195 cells" in words(at)
    assert "an expression such as mul(sigmoid(x), x)" in helps(at)
    assert "too many cells to list" in words(at), "own scores have no table to join, and that is said"
    choose(at, "w-find", SWISH)
    text = words(at)
    assert SWISH in text and "genotype `16 14 0 0 0 0 0`" in text
    assert "parameters" not in text and foreign(helps(at)) == []
    assert at.get_by_key("w-colour").options == [
        "Training or held-out cell",
        "Most frequent operation",
        "Neighbours that the PCA map keeps",
        "Nearest cells that are also nearest in function",
        "Decode certainty (power of ten)",
    ]
    click_map(at, 0.0, 0.0, index=40)
    click_map(at, 0.01, 0.02)
    assert "Decoded" in words(at) or "The decoder gives no member of Activation functions here" in words(at)
    fire(at, "lasso", {"polygon": [[-9, -9], [9, -9], [9, 9], [-9, 9]]})
    assert f"Selection: {CHARTED} cells" in words(at)
    assert list(at.dataframe[0].value.columns) == ["index", "shown", "split", "architecture"]


def test_numbers_without_spaces_are_an_index_and_with_them_a_genotype() -> None:
    at = choose(open_app(space="functions"), "w-find", "1000000")
    assert "Cell #1000000" in words(at) + "".join(str(node.value) for node in at.markdown)
    choose(at, "w-find", "16 14 0 0 0 0 0")
    assert SWISH in words(at)
    choose(at, "w-find", "99 0 0 0 0 0 0")
    assert "seven genes" in words(at)


def test_interpolate_walks_where_no_score_is_known() -> None:
    at = page("interpolate")
    for end, text in (("start", SWISH), ("end", "relu(x)")):
        choose(at, f"w-path-{end}", text)
    choose(at, "w-path-kind", "graph")  # over known cells: every stop is a member
    assert "genotype `16 14 0 0 0 0 0`" in words(at), "the panel of the first stop"
    at = press(page("interpolate"), "path-random")
    text = words(at)
    assert "on **25** stops" in text
    assert "No score of Activation functions is known or predicted, so there is no curve." in text
    assert foreign(text) == []


def test_search_has_no_goal_of_its_own_and_says_what_a_file_needs() -> None:
    at = page("search")
    text = helps(at)
    assert "No score of Activation functions is known or predicted on this machine: give a goal of your own" in text
    assert "or import a benchmark file with `python -m svge_core data import FILE`." in text
    assert "`arch_str` (an expression such as mul(sigmoid(x), x)), `genotype` or `index`" in text
    assert at.get_by_key("search-method-graphpnas").disabled
    assert "GraphPNAS has no view of Activation functions as graphs" in text


def test_distribution_is_one_clear_sentence() -> None:
    at = page("distribution")
    (info,) = at.info
    assert info.value.replace("\\", "") == (
        "GraphPNAS has no view of Activation functions as graphs. So there is no distribution to show; choose another "
        "space in the sidebar."
    )
    assert not at.error and not at.get("form")


@pytest.mark.parametrize(
    "section",
    [
        "Card",
        "Training",
        "Generation",
        "Latent quality",
        "Prediction",
        "Extrapolation",
        "Operations",
        "Patterns",
        "Train a new one",
    ],
)
def test_model_page(section: str) -> None:
    at = page("model")
    at.session_state["model_section"] = section
    rerun(at)
    assert "Activation functions" in words(at)
    assert not at.error


def test_a_small_cell_is_not_drawn_as_large_as_the_panel() -> None:
    functions, benchmark = get_space("functions"), get_space("nasbench201")
    small = to_svg(functions.parse("relu(x)"), functions)
    width = int(small.split('width="')[1].split('"')[0])
    assert drawing_width(small) == 2 * width < PANEL
    assert drawing_width(to_svg(benchmark.from_index(0), benchmark)) == "stretch"


def test_the_basket_exports_every_form_without_an_explorer_and_with_one() -> None:
    space = get_space("functions")
    cells = [space.parse(text) for text in (SWISH, "relu(x)", "max(tanh(x), neg(x))")]
    forms = forms_of(space, cells[0])
    assert forms == FORMS, "no further names, no network"
    entries = [entry_for(space, cell) for cell in cells]
    found = {form.title: exported(form, entries, space, None) for form in forms}
    assert found["Architecture strings"].decode().splitlines() == [space.format(cell) for cell in cells]
    assert found["Official indices"].decode().splitlines() == [str(space.index(cell)) for cell in cells]
    assert all(found.values())
    at = open_app(space="functions")
    choose(at, "w-find", SWISH)
    press(at, "basket-add")
    for form in forms:
        choose(at, "basket-form", form.title)
