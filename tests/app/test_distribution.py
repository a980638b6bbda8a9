"""The learned distribution beside random draws: what is counted, what is drawn, and the page that shows it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from svge_core.errors import DataError, SvgeError
from svge_core.figures.distribution import edge_count_figure, edge_figure, operation_figure, rounds_figure, score_figure
from svge_core.graphpnas.fitting import RefitOptions
from svge_core.jobs.search import SearchJobs
from svge_core.search.history import History, Observation
from svge_core.search.learned_distribution import (
    at_random,
    draw_learned,
    edge_shares,
    marks,
    operation_shares,
    values_of,
)
from svge_core.search.objectives.make import make_objective
from svge_core.search.runs.loop import execute
from svge_core.search.runs.manage import create_run
from svge_core.search.runs.reading import read_run
from svge_core.search.runs.types import SearchConfig
from svge_core.search.searchers.generative import GraphPNASOptions
from svge_core.spaces.registry import get_space
from tests.support.app_driver import checked, open_app, words
from tests.support.opened import opened
from ui.distribution import view as distribution_view
from ui.search import state as search_state

pytestmark = pytest.mark.usefixtures("environment")

SPACE = get_space("nasbench201")
SLOW = "python:tests.support.slow_objective:slow"
QUICK = GraphPNASOptions(warm_up=6, refit=RefitOptions(keep=4, epochs=40, batch=4, rate=1e-2))


def history(count: int) -> History:
    """The first cells by official index, worth their number of 3x3 convolutions."""
    cells = [SPACE.from_index(i) for i in range(count)]
    return History(
        ("max",), tuple(Observation(i, c, (float(c.ops.count("nor_conv_3x3")),)) for i, c in enumerate(cells))
    )


def test_the_generator_sees_the_first_evaluations_alone() -> None:
    few, many = history(20), history(60)
    assert draw_learned(SPACE, few, 20, QUICK, 50) == draw_learned(SPACE, many, 20, QUICK, 50)
    draws = draw_learned(SPACE, many, 60, QUICK, 200)
    assert draws.drawn == 200 and len(draws.cells) == 200  # every string is a member
    assert draws.distinct == len(Counter(draws.cells))
    share = operation_shares(SPACE, draws.cells)[SPACE.operations.index("nor_conv_3x3")]
    assert share > operation_shares(SPACE, at_random(SPACE, 2_000).cells)[3] + 0.1
    with pytest.raises(DataError, match="2 to 20"):
        draw_learned(SPACE, few, 21)
    with pytest.raises(DataError, match="one goal"):
        draw_learned(SPACE, History(("max", "min"), ()), 2)


def test_shares_are_counts_of_genes() -> None:
    cells = at_random(SPACE, 300, seed=4).cells
    genes = np.array([SPACE.genotype(cell) for cell in cells])
    np.testing.assert_allclose(operation_shares(SPACE, cells), np.bincount(genes.ravel(), minlength=5) / genes.size)
    found = edge_shares(SPACE, cells)
    place = found.edges.index("1 → 3")  # the fifth operation of the string
    np.testing.assert_allclose(found.shares[place], np.bincount(genes[:, 4], minlength=5) / 300)
    assert found.kinds == SPACE.operations
    other = get_space("nasbench101")
    drawn = at_random(other, 50)
    bits = edge_shares(other, drawn.cells)
    assert bits.kinds == ("edge",)
    assert bits.shares.sum() * 50 == pytest.approx(sum(len(cell.edges) for cell in drawn.cells))
    for shares in (edge_shares, operation_shares):
        with pytest.raises(SvgeError, match="no architecture was drawn"):
            shares(SPACE, [])


def test_values_are_the_tables_with_repeats() -> None:
    objective = make_objective(("table:params_m",), SPACE)
    draws = at_random(SPACE, 40)
    np.testing.assert_allclose(values_of(draws, objective), SPACE.costs_of(draws.cells)[:, 0])
    assert marks(100, 30) == (30, 40, 50, 60, 70, 80, 90, 100)
    assert marks(20, 30) == (20,)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_charts_say_what_is_measured_and_count_every_draw(theme: Any) -> None:
    goal = make_objective(("table:cifar10_valid",), SPACE).goals[0]
    rng = np.random.default_rng(0)
    good, random = rng.normal(91, 0.3, 200), rng.normal(87, 3, 500)
    figure: Any = score_figure(good, random, goal, theme)
    assert [sum(trace.y) for trace in figure.data] == pytest.approx([1.0, 1.0])
    assert "n = 200" in figure.data[1].name and "n = 500" in figure.data[0].name
    assert "CIFAR-10" in figure.layout.xaxis.title.text
    figure = rounds_figure((30, 40), (good - 1, good), random, goal, theme)
    np.testing.assert_allclose(figure.data[1].y, [np.median(good) - 1, np.median(good)])
    cells = at_random(SPACE, 50).cells
    shares = edge_shares(SPACE, cells)
    figure = edge_figure(shares, theme)
    assert np.asarray(figure.data[0].z).sum(axis=1) == pytest.approx(np.ones(6))
    other = get_space("nasbench101")
    drawn = at_random(other, 50).cells
    figure = edge_figure(edge_shares(other, drawn), theme)
    assert np.nansum(np.asarray(figure.data[0].z)) * 50 == pytest.approx(sum(len(cell.edges) for cell in drawn))
    figure = edge_count_figure(np.array([3, 3, 9]), np.array([4]), theme)
    found = {float(x): float(y) for x, y in zip(figure.data[1].x, figure.data[1].y, strict=True) if y}
    assert found == {3: 2 / 3, 9: 1 / 3}
    figure = operation_figure(SPACE.operations, operation_shares(SPACE, cells), np.full(5, 0.2), theme)
    assert list(figure.data[0].x) == ["none", "skip", "conv 1×1", "conv 3×3", "avg pool 3×3"]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty store, whose runs nobody starts unless a test does."""
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    monkeypatch.setenv("SVGE_STORAGE", url)
    monkeypatch.setenv("SVGE_RUNS", str(tmp_path))
    monkeypatch.setattr(search_state, "_jobs", lambda records, url: SearchJobs(Path(records), url, watch=False))
    yield url


def page() -> Any:
    return checked(open_app().switch_page("pages/distribution.py").run())


def test_the_page_starts_a_run_with_what_was_chosen(store: str) -> None:
    at = page()
    assert "No GraphPNAS run" in words(at)
    at.number_input(key="distribution_queries").set_value(50)
    next(button for button in at.button if button.label == "Run GraphPNAS").click()
    checked(at.run())
    (plan,) = search_state.search_jobs().plans()
    (config,) = plan.configs
    assert (config.method, config.budget, config.space) == ("graphpnas", 50, "nasbench201")
    assert config.objective == ("table:cifar10_valid",)


def test_the_page_shows_what_a_run_has_learned(store: str) -> None:
    name = create_run(store, SearchConfig("nasbench201", ("table:params_m",), "graphpnas", 32, name="one"))
    execute(store, name)
    at = page()
    text = words(at)
    assert "Round by round" in [heading.value for heading in at.subheader]
    for part in ("1,000 independent draws", "after 32 evaluations", "(analytic)"):
        assert part in text.replace("\\", ""), part
    assert {metric.label for metric in at.metric} >= {"Learned: distinct", "Random: median score"}
    at.slider(key="distribution_at_one").set_value(30)
    assert "after 30 evaluations" in words(checked(at.run()))
    at.button(key="distribution_rounds_start").click()
    assert "Distinct architectures among 1,000 draws" in words(checked(at.run())).replace("\\", "")


def test_where_a_score_costs_a_training_the_runs_own_evaluations_stand_for_the_draws(
    store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody trains a thousand networks, or imports a stranger's function, because a page is opened."""
    config = SearchConfig("nasbench201", (SLOW,), "graphpnas", 32, name="dear")
    execute(store, create_run(store, config), allow_python=True)
    monkeypatch.setattr(distribution_view, "make_objective", lambda *_: pytest.fail("an objective was made"))
    at = page()
    text = words(at).replace("\\", "")
    assert "the run's 2 drawn and 30 random evaluations" in text
    assert "1,000 independent draws" in text and "Each point stands for the run's own" in text
    assert "distribution_rounds_start" not in {button.key for button in at.button}


def test_scores_of_a_users_table_come_from_the_store_and_from_no_path(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distribution_view.session, "checkpoint", lambda: None)
    path = tmp_path / "mine.csv"
    path.write_text("index,acc\n1,90\n2,91\n")
    name = create_run(store, SearchConfig("nasbench201", (f"csv:{path}:acc",), "graphpnas", 32))
    view = read_run(store, name)
    theirs = replace(view, config=replace(view.config, objective=(f"csv:{path}:acc",)))
    with opened() as paths:
        objective = distribution_view._samples(view, None).objective
        with pytest.raises(SvgeError, match="a file that a store names is not opened"):
            distribution_view._samples(theirs, None)
    assert objective is not None and objective.evaluate(SPACE.from_index(2)) == (91.0,)
    assert str(path) not in paths
