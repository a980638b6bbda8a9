"""The app over several search spaces: switching, links, sampled charts, spaces without a checkpoint."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from svge_core.atlas.file import load_atlas
from svge_core.checkpoints.checkpoint import load_checkpoint
from svge_core.models import HeadConfig
from svge_core.predictors import HeldOut, PredictorInfo
from svge_core.spaces.registry import get_space
from tests.support.app_driver import checked, choose, click_map, fire, focus, map_data, open_app, press, rerun, words
from tests.support.tiny_checkpoint import ChartPredictors, MadeUpPredictors, make_checkpoint, make_enas_checkpoint
from ui.search.state import search_jobs
from ui.shared.choices import CellFocus, PlaceFocus

ENAS = get_space("enas6")
BOX = [[-9, -9], [9, -9], [9, 9], [-9, 9]]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints")
    for made in (make_checkpoint(folder / "nasbench201" / "tiny"), make_enas_checkpoint(folder / "enas6" / "tiny")):
        (made / "predictors").mkdir()
    return folder


@pytest.fixture(scope="module")
def indices(root: Path) -> list[int]:
    return load_atlas(load_checkpoint(root / "enas6" / "tiny"), ENAS).indices.tolist()


@pytest.fixture(autouse=True)
def environment(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two tiny checkpoints with made-up predictors."""
    monkeypatch.setenv("SVGE_CHECKPOINTS", str(root))

    def load(checkpoint, space):
        return ChartPredictors(load_atlas(checkpoint, space).indices) if space is ENAS else MadeUpPredictors()

    monkeypatch.setattr("svge_core.predictors.load_predictors", load)
    yield


def test_each_space_keeps_its_own_focus_filter_and_colour(indices: list[int]) -> None:
    at = click_map(open_app(), 0.0, 0.0, index=2)
    choose(at, "w-colour", "flops_m")
    choose(at, "w-space", "enas6")
    assert focus(at) is None
    data = map_data(at)
    assert data["points"]["n"] == 300
    assert data["colour"]["title"] == "CIFAR-10 weight-sharing accuracy (predicted)"
    assert "a random sample of 300 of 1,528,823,808 cells" in words(at)
    click_map(at, 0.0, 0.0, index=5)
    assert focus(at) == CellFocus(indices[5])
    assert f"Cell #{indices[5]}" in words(at)
    assert "with :violet[*predicted*] CIFAR-10 weight-sharing accuracy" in words(at)
    assert ":violet[*≈ 7" in at.get_by_key("near-1").label
    choose(at, "w-space", "nasbench201")
    assert focus(at) == CellFocus(2)
    assert map_data(at)["colour"]["title"] == "FLOPs"
    choose(at, "w-space", "enas6")
    assert focus(at) == CellFocus(indices[5])


@pytest.mark.parametrize("page", ["search", "distribution", "model", "results"])
def test_a_space_chosen_by_a_link_alone_stays_in_the_address_of_every_page(page: str) -> None:
    at = open_app(space="enas6")
    at.query_params.clear()  # as the navigation does
    checked(at.switch_page(f"pages/{page}.py").run())
    again = open_app(**{name: one(at.query_params[name]) for name in at.query_params})
    assert again.session_state["w-space"] == "enas6"
    choose(at, "w-space", "nasbench201")
    assert one(at.query_params["space"]) == "nasbench201"


def one(value: str | list[str]) -> str:
    """A parameter of an address."""
    return value if isinstance(value, str) else value[0]


def test_an_address_that_is_behind_brings_nothing_back() -> None:
    """A browser that has not heard of its new address yet sends the old one with the next click."""
    at = open_app(space="nasbench201", plane="pca", cell="12")
    first = {name: one(at.query_params[name]) for name in at.query_params}
    choose(at, "w-space", "enas6")
    click_map(at, 0.0, 0.0, index=5)
    at.query_params.clear()
    for name, value in first.items():
        at.query_params[name] = value
    choose(at, "w-colour", "params_m")
    assert at.session_state["w-space"] == "enas6"
    assert map_data(at)["colour"]["title"] == "Parameters" and one(at.query_params["space"]) == "enas6"


def test_a_link_names_the_space_and_the_cell(indices: list[int]) -> None:
    at = open_app(space="enas6", cell=str(indices[7]))
    assert focus(at) == CellFocus(indices[7])
    assert (at.query_params["space"], at.query_params["cell"]) == ("enas6", str(indices[7]))
    assert map_data(at)["marks"][-1]["kind"] == "focus"
    text = words(at)
    assert "weight-sharing accuracy" in text and "unknown" in text
    beyond = open_app(space="enas6", cell="1528823808")
    assert "no index between 0 and 1,528,823,807" in words(beyond)


def test_a_cell_that_is_not_on_the_map_is_shown_where_its_latent_lies(indices: list[int]) -> None:
    missing = next(index for index in range(100) if index not in indices)
    at = choose(open_app(space="enas6"), "w-find", f"#{missing}")
    assert focus(at) == CellFocus(missing)
    text = words(at)
    assert "not on the map" in text and ENAS.format(ENAS.from_index(missing)) in text
    assert map_data(at)["marks"][-1]["kind"] == "decoded"
    press(at, "near-1")
    assert isinstance(focus(at), CellFocus) and focus(at) != CellFocus(missing)


def test_a_lasso_and_the_basket_speak_of_official_indices(indices: list[int]) -> None:
    at = fire(open_app(space="enas6"), "lasso", {"polygon": BOX})
    assert "Selection: 300 cells" in words(at)
    assert set(at.dataframe[0].value["index"]) == set(indices)
    click_map(at, 0.0, 0.0, index=5)
    press(at, "basket-add")
    assert any(f"#{indices[5]}" in button.label for button in at.button)
    marks = [mark["kind"] for mark in map_data(rerun(at))["marks"]]
    assert "basket" in marks
    choose(at, "w-space", "nasbench201")
    assert "0 of 200" in words(at)


def test_the_model_page_shows_what_was_measured_when_the_predictor_was_fitted(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Fitted(ChartPredictors):
        def info(self, key: str) -> PredictorInfo:
            results = HeldOut(kendall_tau=0.611, rmse=0.52, of=18_000, coverage=0.895)
            return PredictorInfo(
                checkpoint="",
                space="enas6",
                score=key,
                description="",
                labels=1_000,
                seed=3,
                level=0.9,
                head=HeadConfig(),
                training_indices=(),
                held_out={"surrogate": results},
            )

    indices = load_atlas(load_checkpoint(root / "enas6" / "tiny"), ENAS).indices
    monkeypatch.setattr("svge_core.predictors.load_predictors", lambda checkpoint, space: Fitted(indices))
    at = open_app(space="enas6")
    at.switch_page("pages/model.py").run()
    at.session_state["model_section"] = "Prediction"
    rerun(at)
    assert {(m.label, m.value, m.delta) for m in at.metric} >= {
        ("Kendall tau", "0.611", "n = 18,000"),
        ("RMSE", "0.52 %", "n = 18,000"),
        ("Inside the 90% interval", "89.50 %", "n = 18,000"),
    }
    text = words(at)
    assert "no measured values of this score on this machine" in text and "Weight-sharing accuracy" in text


def test_empty_space_of_a_sampled_space_is_decoded() -> None:
    at = click_map(open_app(space="enas6"), 0.02, -0.03)
    assert focus(at) == PlaceFocus("pca", 0.02, -0.03)
    assert "Decoded: cell #" in words(at)


def test_a_space_without_a_checkpoint_suggests_only_what_works() -> None:
    at = open_app()
    labels = at.get_by_key("w-space").options
    assert any(label.endswith("(no checkpoint)") for label in labels)
    choose(at, "w-space", "nasbench101")
    assert "There is no checkpoint for NAS-Bench-101" in words(at)
    assert "train --space nasbench101" in words(at)
    choose(at, "w-space", "enas12")
    assert "There is no checkpoint for ENAS macro, 12 layers" in words(at)
    assert "train" not in "".join(code.value for code in at.code)
    at.switch_page("pages/model.py").run()
    assert not at.exception and "has too many cells to number them" in words(at)


def test_a_space_without_indices_is_spoken_of_in_words() -> None:
    at = choose(open_app(), "w-space", "randwire")
    text = words(at)
    assert "There is no checkpoint for RandWire" in text and "more cells than can be numbered" not in text
    assert "train --space randwire" in "".join(code.value for code in at.code)
    at.switch_page("pages/interpolate.py").run()
    text = words(at)
    assert not at.exception and "There is no checkpoint for RandWire" in text
    assert "more cells than can be numbered" in text and "there is no path between two" in text
    at.switch_page("pages/model.py").run()
    assert not at.exception and "train one on the command line" in words(at)


def test_the_first_race_that_is_offered_searches_for_the_goal_that_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SVGE_RUNS", str(tmp_path))
    at = checked(open_app(space="enas6").switch_page("pages/search.py").run())
    assert "≈ CIFAR-10 weight-sharing accuracy (predicted);" in words(at)
    press(at, "search-first-race-0")
    (plan,) = search_jobs().plans()
    assert {config.objective for config in plan.configs} == {("predictor:enas6_ws_acc",)}
    assert {Path(config.checkpoint or "").name for config in plan.configs} == {"tiny"}
