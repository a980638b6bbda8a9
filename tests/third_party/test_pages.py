"""The pages with the third-party space and method."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from svge_core.jobs import SearchJobs
from svge_core.search.runs import SearchConfig, create_run, execute
from svge_core.spaces import get_space
from tests.support.app_driver import checked, choose, click_map, map_data, open_app, press, rerun, words
from ui.search import state as search_state
from ui.shared.basket import entry_for, exported, forms_of


@pytest.fixture(autouse=True)
def store(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The tiny checkpoint, and an empty store whose runs nobody starts."""
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    monkeypatch.setenv("SVGE_CHECKPOINTS", str(root))
    monkeypatch.setenv("SVGE_STORAGE", url)
    monkeypatch.setenv("SVGE_RUNS", str(tmp_path))
    monkeypatch.setattr(search_state, "_jobs", lambda records, url: SearchJobs(Path(records), url, watch=False))
    yield url


def page(name: str) -> Any:
    at = open_app(space="ring")
    assert any(label.startswith("Rings of six") for label in at.get_by_key("w-space").options)
    return checked(at.switch_page(f"pages/{name}.py").run())


def test_map_shows_the_cells_and_names_the_spaces_own_columns() -> None:
    at = open_app(space="ring")
    assert map_data(at)["points"]["n"] == 378
    text = words(at)
    assert "`letters`" in text and "naslib" not in text and "md5" not in text
    click_map(at, 0.0, 0.0, index=40)
    text = words(at)
    cell = get_space("ring").from_index(40)
    assert get_space("ring").format(cell) in text
    assert f"letters `{get_space('ring').aliases(cell)[0].text}`" in text
    choose(at, "w-find", "CGS.SSC")
    assert "ring:conv-gate-skip/skip-skip-conv" in words(at)
    click_map(at, 0.01, 0.02)
    assert "Decoded" in words(at)


def test_interpolate_walks_between_two_rings() -> None:
    at = press(page("interpolate"), "path-random")
    assert "on **25** stops" in words(at)


def test_compare_puts_a_ring_beside_its_nearest() -> None:
    text = words(press(page("compare"), "compare-example"))
    assert "Between each pair" in text and "random pairs" in text and "letters `" in text


def test_search_offers_the_method_and_shows_its_run(store: str) -> None:
    at = page("search")
    assert at.get_by_key("search-method-coin").label == "Coin toss"
    assert at.get_by_key("search-method-graphpnas").disabled
    assert "GraphPNAS has no view of Rings of six" in words(at)
    config = SearchConfig("ring", ("table:params_m",), "coin", 8, name="coin-0", race="r")
    execute(store, create_run(store, config))
    at = page("search")
    assert "Coin toss" in "".join(str(box.options) for box in at.selectbox) + words(at)


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
    assert "Rings of six" in words(at)
    at.session_state["model_section"] = section
    rerun(at)


def test_distribution_says_in_words_that_graphpnas_does_not_know_the_space() -> None:
    assert "GraphPNAS has no view of Rings of six as graphs" in words(page("distribution"))


def test_a_wrong_plug_in_is_said_and_the_app_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SVGE_PLUGINS", "no.such.module")
    at = open_app(space="ring")
    assert "The plug-in SVGE_PLUGINS: no.such.module cannot be used" in words(at)
    assert map_data(at)["points"]["n"] == 378


def test_the_basket_exports_the_notation_and_the_letters() -> None:
    space = get_space("ring")
    cells = [space.from_index(index) for index in range(3)]
    forms = {form.title: form for form in forms_of(space, cells[0])}
    assert "NASLib tuples" not in forms and list(forms).index("Letters") == list(forms).index("Official indices") + 1
    entries = [entry_for(space, cell) for cell in cells]
    found = {title: exported(form, entries, space, None) for title, form in forms.items()}
    assert found["Architecture strings"].decode().splitlines() == [space.format(cell) for cell in cells]
    assert found["Letters"].decode().splitlines() == ["CCC.CCC", "CCC.CCG", "CCC.CCS"]
