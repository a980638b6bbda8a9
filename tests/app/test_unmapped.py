"""The app with a checkpoint of a space whose cells have no index and that has no atlas: everything but a map."""

from pathlib import Path
from typing import Any

import pytest

from svge_core.checkpoints import by_key, edge_f1_key
from svge_core.checkpoints.checkpoint import CheckpointMeta, load_checkpoint, save_checkpoint, update_metrics
from svge_core.evaluation.card import write_card
from svge_core.evaluation.edges import EdgeProtocol, edge_rows
from svge_core.models.registry import MODELS, build_model
from svge_core.spaces.registry import get_space
from svge_core.training.config import TrainConfig
from tests.support.app_driver import App, open_app, words
from tests.support.core import tiny_model
from tests.support.model_page import SECTIONS
from tests.support.tiny_checkpoint import make_checkpoint

RANDWIRE = get_space("randwire")
TRAINING = TrainConfig(epochs=3, held_out=0.2, cells_per_epoch=10)
HISTORY: list[dict[str, Any]] = [
    {
        "epoch": epoch,
        "loss": 9.0 / epoch,
        "types": 1.0 / epoch,
        "edges": 8.0 / epoch,
        "kl": 3.0,
        "learning_rate": 0.01,
        "cells_seen": 10 * epoch,
        "cpu_seconds": 2.0 * epoch,
    }
    for epoch in (1, 2, 3)
]
GROUPS = ["All cells", "Watts-Strogatz", "Erdős-Rényi", "Barabási-Albert", "Mean per cell"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints of NAS-Bench-201 and, untrained but measured, of RandWire."""
    folder = tmp_path_factory.mktemp("checkpoints")
    make_checkpoint(folder / "nasbench201" / "tiny")
    model = tiny_model(RANDWIRE, rounds=1)
    meta = CheckpointMeta(
        "randwire", model.config, TRAINING.to_dict(), "0" * 16, 30, 0, "python -m svge_core train", history=HISTORY
    )
    save_checkpoint(folder / "randwire" / "tiny", model, meta)
    checkpoint = load_checkpoint(folder / "randwire" / "tiny")
    rows = edge_rows(model, TRAINING, EdgeProtocol(held_out=3, choosing=2, guessing=4, draws=2))
    update_metrics(checkpoint, rows)
    write_card(load_checkpoint(checkpoint.folder))
    return folder


@pytest.fixture(autouse=True)
def environment(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SVGE_CHECKPOINTS", str(root))
    monkeypatch.setenv("SVGE_RUNS", str(tmp_path))


def on(page: str, section: str | None = None) -> App:
    """A page of RandWire."""
    at = open_app(space="randwire")
    if section is not None:
        at.session_state["model_section"] = section
    at.switch_page(f"pages/{page}.py").run()
    assert not at.exception, [f"{e.message}\n{e.stack_trace}" for e in at.exception]
    return at


def test_a_page_that_needs_indices_says_why_it_has_nothing_to_show_and_where_to_go() -> None:
    at = on("interpolate")
    text = words(at)
    assert "RandWire has more cells than can be numbered, so its cells have no index" in text
    assert "there is no path between two" in text and "no map" not in text
    assert not at.error and not at.code, "nothing failed, and no command would help"
    assert "There is no checkpoint" not in text
    links = [link.proto.label for link in at.get("page_link")]
    assert [label.split(" ")[0].rstrip(":") for label in links] == ["Map", "Search", "Distribution", "Model"]


def test_a_checkpoint_without_a_map_says_how_to_lay_one_out() -> None:
    at = on("map")
    said = at.error[0].value.replace("\\", "")
    assert "has no atlas.safetensors. Rebuild it with: python -m svge_core atlas" in said


def test_numbers_that_are_too_large_make_no_map() -> None:
    at = open_app(space="enas12")
    text = words(at)
    assert "ENAS macro, 12 layers has" in text and "cells, so its cells have no index" in text
    assert "no map of them and no path between two" in text


@pytest.mark.parametrize("page", ["search", "distribution", "results"])
def test_pages_that_need_no_map_open(page: str) -> None:
    at = on(page)
    assert not at.error and not at.warning


def test_the_model_page_shows_card_and_curves() -> None:
    text = words(on("model", "Card"))
    assert "20% of the space were held out" in text
    assert "drawn by the space's own random generators" in text
    assert "chosen by a hash of the key" in text
    assert "svge_core atlas" not in text
    at = on("model", "Training")
    assert at.get("plotly_chart")


def test_a_tab_that_can_have_nothing_is_not_there() -> None:
    at = on("model", "Extrapolation")  # chosen on another space, before
    assert tuple(tab.label for tab in at.tabs) == SECTIONS
    assert at.session_state["model_section"] == "Card" and "20% of the space were held out" in words(at)


def test_the_model_page_shows_edge_f1_beside_its_controls(root: Path) -> None:
    at = on("model", "Generation")
    assert "Edge F1 of held-out wirings" in [item.value for item in at.subheader]
    table = at.table[0].value
    assert list(table.columns) == GROUPS
    assert list(table.index)[-2:] == ["Control: one wiring for all cells", "Control: one wiring per family"]
    row = by_key(load_checkpoint(root / "randwire" / "tiny").meta.metrics)[edge_f1_key("forward", "argmax")]
    assert table.loc["Forwards: Most likely (argmax)", "All cells"] == f"{row.value:.3f}"
    assert ("Edge F1, held out", "n = 9") in {(metric.label, metric.delta) for metric in at.metric}


@pytest.mark.parametrize(
    "section", ["Latent quality", "Prediction", "Extrapolation", "Operations", "Patterns", "Train a new one"]
)
def test_the_other_parts_of_the_model_page_open(section: str) -> None:
    at = on("model", section)
    assert not at.error
    if section == "Train a new one":
        assert any("train --space randwire" in code.value for code in at.code)


def test_a_code_per_node_has_no_vectors_of_operations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = build_model("rows", RANDWIRE, MODELS["rows"].defaults)
    meta = CheckpointMeta("randwire", model.config, TRAINING.to_dict(), "0" * 16, 30, 0, "train", model="rows")
    save_checkpoint(tmp_path / "randwire" / "rows", model, meta)
    monkeypatch.setenv("SVGE_CHECKPOINTS", str(tmp_path))
    at = on("model", "Operations")
    assert not at.error
    assert "Operations" not in [tab.label for tab in at.tabs] and "Row code" in words(at), "the card is open instead"
