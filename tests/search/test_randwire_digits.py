"""RandWire-digits: the data set and its split, tiny training runs, the words of the objective."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from svge_core.data.catalog import analytic_scores
from svge_core.errors import DataError, InvalidCellError, SvgeError
from svge_core.search.objectives import digits as objective_module, digits_training as randwire_digits
from svge_core.search.objectives.choices import goal_choices
from svge_core.search.objectives.digits import digits_objective
from svge_core.search.objectives.digits_training import (
    DigitsAccuracy,
    DigitsTraining,
    accuracy,
    digits_accuracy,
    digits_meaning,
    load_digits,
    train_on_digits,
)
from svge_core.search.objectives.make import make_objective, search_domain
from svge_core.search.runs.loop import execute
from svge_core.search.runs.manage import create_run
from svge_core.search.runs.reading import read_run
from svge_core.search.runs.types import SearchConfig
from svge_core.spaces import RandWire
from svge_core.spaces.registry import get_space
from svge_core.testing.spaces import random_order

SPACE = RandWire()
CELL = SPACE.canonical(SPACE.family_cell("ws", np.random.default_rng(3)))
#: one step of all images but one
TINY = DigitsTraining(epochs=1, batch=448)


def test_the_split_is_the_data_set_cut_in_three() -> None:
    from sklearn.datasets import load_digits as original

    digits = load_digits()
    raw: Any = original()
    assert [len(t) for t in (digits.train, digits.validation, digits.test)] == [897, 450, 450]
    images = torch.cat([digits.train, digits.validation, digits.test])
    classes = torch.cat([digits.train_classes, digits.validation_classes, digits.test_classes])
    assert images.shape == (1797, 1, 8, 8)
    assert abs(float(digits.train.mean())) < 1e-5 and abs(float(digits.train.std()) - 1) < 1e-5
    # every image once, with its class: undo the standardisation, sort the rows
    scale = (raw.data.max() - raw.data.min()) / float(images.max() - images.min())
    restored = ((images.flatten(1) - images.min()) * scale).round().numpy()
    ours = sorted(map(tuple, np.column_stack([restored, classes.numpy()])))
    assert ours == sorted(map(tuple, np.column_stack([raw.data, raw.target])))
    assert min(np.bincount(digits.validation_classes)) > 25, "all classes are there"


def test_training_is_a_function_of_cell_and_seed(rng: np.random.Generator) -> None:
    state = torch.random.get_rng_state()
    first, again = (train_on_digits(CELL, 1, TINY).state_dict() for _ in range(2))
    relabelled = train_on_digits(CELL.relabelled(random_order(CELL, rng)), 1, TINY).state_dict()
    other = train_on_digits(CELL, 2, TINY).state_dict()
    for name, value in first.items():
        assert torch.equal(value, again[name]) and torch.equal(value, relabelled[name])
    assert any(not torch.equal(value, other[name]) for name, value in first.items())
    assert torch.equal(torch.random.get_rng_state(), state), "the caller's random numbers are left alone"


def test_two_steps_equal_adam_with_a_cosine_written_out() -> None:
    trained = train_on_digits(CELL, 5, TINY)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        network = randwire_digits.randwire_network(CELL).train()
        order = torch.randperm(897)
    digits = load_digits()
    weight = network.classifier.bias
    first, second = torch.zeros(10), torch.zeros(10)
    rates, value = (1e-2, 1e-2 * (1 + np.cos(np.pi / 2)) / 2), weight.detach().clone()
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    for step, rate in enumerate(rates, start=1):
        rows = order[(step - 1) * 448 : step * 448]
        loss = torch.nn.functional.cross_entropy(network(digits.train[rows]), digits.train_classes[rows])
        optimiser.zero_grad()
        loss.backward()
        assert weight.grad is not None
        first, second = 0.9 * first + 0.1 * weight.grad, 0.999 * second + 0.001 * weight.grad**2
        value -= rate * (first / (1 - 0.9**step)) / ((second / (1 - 0.999**step)).sqrt() + 1e-8)
        optimiser.step()
    torch.testing.assert_close(trained.classifier.bias.detach(), value, rtol=1e-3, atol=1e-5)


def test_accuracies_are_shares_of_images_per_seed() -> None:
    found = digits_accuracy(CELL, seeds=2, training=TINY)
    assert len(found.validation) == len(found.test) == 2
    for value in (*found.validation, *found.test):
        assert abs(value * 450 / 100 - round(value * 450 / 100)) < 1e-9
    assert digits_accuracy(CELL, first_seed=1, training=TINY).validation == found.validation[1:]
    constant = torch.nn.Linear(64, 10)
    with torch.no_grad():
        constant.weight.zero_()
        constant.bias.copy_(torch.arange(10.0))
    network = torch.nn.Sequential(torch.nn.Flatten(), constant)
    classes = torch.tensor([9, 9, 1, 0])
    assert accuracy(network, torch.zeros(4, 1, 8, 8), classes) == 50.0


def test_training_learns() -> None:
    # far from the search's eight epochs; so early the running statistics of the batch norms lag behind the weights
    network = train_on_digits(CELL, 0, DigitsTraining(epochs=2, batch=128)).train()
    digits = load_digits()
    assert accuracy(network, digits.train, digits.train_classes) > 18, "chance is 10 %"


def test_mistakes_are_named() -> None:
    with pytest.raises(SvgeError, match="1 to 100 seeds; got 0"):
        digits_accuracy(CELL, seeds=0)
    with pytest.raises(SvgeError, match="needs 1 to 10,000 epochs"):
        DigitsTraining(epochs=0)
    with pytest.raises(InvalidCellError):
        train_on_digits(replace(CELL, edges=CELL.edges[1:]))


def test_the_meaning_says_what_was_trained() -> None:
    text = digits_meaning().describe()
    for part in ("RandWire-digits", "450 validation images", "897", "8 epochs", "one run", "measured", "scikit-learn"):
        assert part in text
    assert digits_meaning().single_run and not digits_meaning(3).single_run
    assert "mean of 3 runs" in digits_meaning(3).describe()


# the objective


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accuracies that follow from the number of edges and the seed, without training."""

    def made_up(cell, seeds=1, first_seed=0, training=None):
        return DigitsAccuracy(tuple(90.0 - len(cell.edges) / 10 + s for s in range(seeds)), (0.0,) * seeds)

    monkeypatch.setattr(objective_module, "digits_accuracy", made_up)


def test_the_objective_trains_and_averages_over_seeds() -> None:
    objective = digits_objective("valid:2", SPACE, TINY)
    expected = digits_accuracy(CELL, 2, training=TINY).validation
    assert objective.evaluate(CELL) == (sum(expected) / 2,)
    assert (objective.goals[0].kind, objective.goals[0].direction) == ("measured", "max")


def test_words_of_the_objective(stub: None) -> None:
    objective = make_objective(["digits:valid", "digits:valid:3", "table:flops_m"], SPACE)
    assert [goal.key for goal in objective.goals] == ["digits_valid", "digits3_valid", "flops_m"]
    values = objective.evaluate(CELL)
    assert values[1] == pytest.approx(values[0] + 1)
    assert search_domain(objective, SPACE, restricted=False).title == "RandWire"
    for word in ("digits:test", "digits:valid:0", "digits:valid:101", "digits:valid:3:4", "digits:3x"):
        with pytest.raises(DataError, match="is named digits:valid, or digits:valid:SEEDS"):
            make_objective([word], SPACE)
    with pytest.raises(DataError, match="trains networks of RandWire; the search is of NAS-Bench-201"):
        make_objective(["digits:valid"], get_space("nasbench201"))


def test_goals_to_choose_say_that_they_are_measured() -> None:
    choices = goal_choices(SPACE, analytic_scores(SPACE))
    assert [choice.word for choice in choices] == ["digits:valid", "digits:valid:3", "table:params_m", "table:flops_m"]
    assert choices[0].title == "RandWire-digits validation accuracy, one run, 8 epochs (measured)"
    assert choices[1].title == "RandWire-digits validation accuracy, mean of 3 runs, 8 epochs (measured)"
    other = get_space("enas6")
    assert not [c for c in goal_choices(other, analytic_scores(other)) if c.word.startswith("digits")]


def test_a_run_of_the_search_lab_is_stored(stub: None, tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path / 's.db'}"
    name = create_run(storage, SearchConfig("randwire", ("digits:valid",), "random", 4, name="digits"))
    assert execute(storage, name) == "finished"
    view = read_run(storage, name)
    assert view.evaluated == 4
    for evaluation in view.done:
        assert SPACE.parse(evaluation.notation) == evaluation.cell
    assert view.goals[0].meaning == digits_meaning()
