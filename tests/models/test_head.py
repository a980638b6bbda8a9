"""SVGe's joint head: shape, learning, seeds and errors."""

import copy

import pytest
import torch

from svge_core.errors import DataError
from svge_core.models.head import HeadConfig, JointModel, PredictorHead, fit_joint
from svge_core.tensors import CellBatch, to_batch
from tests.support.core import TINY, random_cells, tiny_model

# two layers: at these widths the last of four has one or two units, which ReLU may silence for good
CONFIG = HeadConfig(layers=2, epochs=20, learning_rate=2e-2, batch_size=16)


def labelled(count: int = 96) -> tuple[CellBatch, torch.Tensor]:
    """Cells with a synthetic score around 90: operations a minus operations b."""
    cells = random_cells(TINY, count, seed=4)
    scores = [90 + 2.0 * (cell.ops.count("a") - cell.ops.count("b")) for cell in cells]
    return to_batch(TINY, cells), torch.tensor(scores)


def test_the_head_halves_its_width() -> None:
    widths = [(layer.in_features, layer.out_features) for layer in PredictorHead(56, 4).layers]
    assert widths == [(56, 28), (28, 14), (14, 7), (7, 1)]
    assert [(layer.in_features, layer.out_features) for layer in PredictorHead(2, 4).layers][-1] == (1, 1)
    head, z = PredictorHead(8, 2).double(), torch.linspace(-2, 2, 40, dtype=torch.double).view(5, 8)
    first, second = (layer for layer in head.layers if isinstance(layer, torch.nn.Linear))
    expected = torch.relu(z @ first.weight.t() + first.bias) @ second.weight.t() + second.bias
    torch.testing.assert_close(head(z), expected[:, 0])


def test_the_joint_model_learns_a_target_and_leaves_the_given_model_alone() -> None:
    model, (cells, scores) = tiny_model(TINY, latent=16), labelled()
    before, told = copy.deepcopy(model.state_dict()), []
    joint = fit_joint(model, cells.select(slice(0, 64)), scores[:64], CONFIG, lambda *event: told.append(event))
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert [epoch for epoch, _ in told] == list(range(1, 21))
    assert told[-1][1] < told[0][1]
    unseen = scores[64:]
    error = (joint.predict(cells.select(slice(64, 96))) - unseen).square().mean()
    assert error < 0.1 * (scores[:64].mean() - unseen).square().mean(), "better than the mean of the labels"
    assert not joint.training
    changed = [not torch.equal(before[name], tensor) for name, tensor in joint.vae.state_dict().items()]
    assert any(changed), "the whole VAE is fine-tuned"


def test_predictions_are_seeded_and_independent_of_chunks() -> None:
    model, (cells, scores) = tiny_model(TINY), labelled(40)
    config = HeadConfig(epochs=2)
    torch.manual_seed(1)
    first = fit_joint(model, cells, scores, config).predict(cells)
    torch.manual_seed(2)
    joint = fit_joint(model, cells, scores, config)
    assert torch.equal(first, joint.predict(cells))
    torch.testing.assert_close(first, joint.predict(cells, chunk=7))
    assert not torch.equal(first, fit_joint(model, cells, scores, HeadConfig(epochs=2, seed=2)).predict(cells))


def test_predictions_do_not_depend_on_the_unit_of_the_score() -> None:
    model, (cells, scores) = tiny_model(TINY), labelled(40)
    config = HeadConfig(epochs=2)
    percent = fit_joint(model, cells, scores, config).predict(cells)
    share = fit_joint(model, cells, scores / 100, config).predict(cells)
    torch.testing.assert_close(percent, 100 * share, rtol=1e-4, atol=1e-3)


def test_the_prediction_is_the_head_on_the_posterior_mean_in_the_unit_of_the_labels() -> None:
    joint, (cells, _) = JointModel(tiny_model(TINY), 2), labelled(10)
    joint.centre, joint.scale = torch.tensor(90.0), torch.tensor(2.0)
    with torch.no_grad():
        torch.testing.assert_close(joint(cells), 90 + 2 * joint.head(joint.vae.encode(cells).mean))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda s: s[:-1], "one score per cell and at least 2; got 9 for 10 cells"),
        (lambda s: torch.where(s == s[0], torch.nan, s), "not a finite number"),
        (lambda s: torch.full_like(s, 3.5), "All 10 scores are 3.5"),
    ],
)
def test_unusable_labels_are_refused(change, text: str) -> None:
    cells, scores = labelled(10)
    with pytest.raises(DataError, match=text):
        fit_joint(tiny_model(TINY), cells, change(scores), HeadConfig(epochs=1))
