"""The tutorial of a space as a package: the commands of its page, in a folder that holds the package alone."""

import csv
import re
import shlex
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from svge_core import plugins
from svge_core.atlas import build_atlas
from svge_core.models import HeadConfig
from svge_core.networks import build_network
from svge_core.predictors import FEWEST_LABELS, stored_infos
from svge_core.spaces import get_space
from svge_core.testing import SearchSpaceContract
from tests.support.app_driver import App, choose, click_map, map_data, open_app, words
from tests.support.cli import RunCommand
from tests.support.fitting import as_they_come
from tests.support.paths import ROOT
from tests.support.plugged import unplugged_after

PAGE = ROOT / "docs" / "tutorials" / "own_space.md"
LABELS = FEWEST_LABELS
#: where the page takes minutes: later words win
SMALL = {
    "train": ("--epochs", 4),
    "search": ("--budget", 2, "--storage", "sqlite:///runs.db"),
}


def commands() -> dict[str, list[str]]:
    """What the page says to type, by command."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    lines = [shlex.split(line) for block in blocks for line in block.splitlines() if line.startswith("svge ")]
    return {line[1]: line[2:] for line in lines}


@pytest.fixture(scope="module", autouse=True)
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder in which the commands are typed."""
    folder = tmp_path_factory.mktemp("own-space")
    shutil.copytree(PAGE.with_suffix(""), folder / "own_space", ignore=shutil.ignore_patterns("__pycache__"))
    with unplugged_after() as patch:
        patch.chdir(folder)
        patch.setattr("svge_core.atlas.build_atlas", partial(build_atlas, planes=("pca",)))  # UMAP takes long to import
        # how good the predictors are is not the point
        patch.setattr("svge_core.predictors.trees._ROUNDS", 4)
        patch.setattr("svge_core.predictors.surrogate.fit_parameters", as_they_come)
        patch.setattr("svge_core.predictors.checkpoint_predictors.HeadConfig", partial(HeadConfig, epochs=2))
        plugins.use_modules(["own_space"])
        TestContract.space = get_space("digit_chains")
        yield folder


@pytest.fixture
def typed(run: RunCommand, place: Path) -> Any:
    """Type a command of the page."""
    page = commands()
    return lambda name, **how: run(name, *page[name], *SMALL.get(name, ()), **how)


class TestContract(SearchSpaceContract):
    """Every promise of a space."""


def test_costs_are_those_of_the_network() -> None:
    space = get_space("digit_chains")
    image = torch.zeros(1, 1, 8, 8)
    for index in np.random.default_rng(0).choice(256, 8, replace=False):
        cell = space.from_index(int(index))
        network = build_network(space, cell).eval()
        assert sum(parameter.numel() for parameter in network.parameters()) == round(1e6 * space.cost(cell).params_m)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            assert network(image).shape == (1, 10)
        assert counter.get_total_flops() == round(2e6 * space.cost(cell).flops_m), "a product and a sum each"


def test_the_commands_of_the_page_run(typed: Any, run: RunCommand, place: Path) -> None:
    assert list(commands()) == ["train", "atlas", "search", "labels", "fit"]
    typed("train", expect_json=False)
    assert typed("atlas")["cells"] == 256
    (found,) = typed("search")
    assert (found["state"], found["evaluated"]) == ("finished", 2)
    best = found["best"][0]
    from digit_chains import training  # pyright: ignore[reportMissingImports]

    space = get_space("digit_chains")
    again = training.train_and_score(space.parse(best["architecture"]))
    assert again == pytest.approx(best["values"][0], abs=5), "the same seed; another process sums in another order"
    with pytest.MonkeyPatch.context() as patch, (place / "labels.csv").open("w", newline="") as file:
        patch.setattr(training, "EPOCHS", 1)
        rows = csv.writer(file)
        rows.writerow(["arch_str", "accuracy"])
        for index in np.random.default_rng(1).permutation(256)[:LABELS]:
            cell = space.from_index(int(index))
            rows.writerow([space.format(cell), training.train_and_score(cell)])
    assert typed("labels")["architectures"] == LABELS
    said = typed("fit", expect_json=False)
    (stored,) = stored_infos(place / "checkpoints" / "digit_chains" / "first").values()
    judged = stored.cross_validated
    assert judged is not None and judged.coverage is not None
    assert (stored.labels, stored.held_out, judged.of) == (LABELS, {}, LABELS)
    inside = round(judged.coverage * LABELS)
    assert f"cross-validated, each fifth by a fit on the others: {inside} of {LABELS} inside the 90% interval" in said
    checkpoint = ("--checkpoint", "checkpoints/digit_chains/first")
    predicted = run("predict", "digits:cwsp", *checkpoint)["cells"][0]["scores"]["digits_accuracy"]["predicted"]
    assert predicted["low"] <= predicted["mean"] <= predicted["high"]
    _in_the_app(place)


def _in_the_app(place: Path) -> None:
    """The space is chosen, its map clicked, a cell found by its text; the Model page says what the intervals are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SVGE_CHECKPOINTS", str(place / "checkpoints"))
        at: App = open_app(space="digit_chains")
        assert "Chains for digits" in at.get_by_key("w-space").options
        assert map_data(at)["points"]["n"] == 256
        click_map(at, 0.0, 0.0, index=40)
        assert get_space("digit_chains").format(get_space("digit_chains").from_index(40)) in words(at)
        choose(at, "w-find", "digits:cwsp")
        assert "##### Cell #27" in words(at)
        at.switch_page("pages/model.py").run()
        at.session_state["model_section"] = "Prediction"
        at.run()
        assert not at.exception
        shown = {metric.label: (metric.value, metric.delta) for metric in at.metric}
        assert f"of {LABELS}" in str(shown["Inside the 90% interval"][1])
        assert "Every label is predicted once" in words(at)
