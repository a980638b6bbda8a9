"""The part of a latent that says what a cell computes: what the encoder gives and what the objective asks."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from svge_core.checkpoints import Checkpoint, load_checkpoint
from svge_core.errors import CheckpointError, SvgeError
from svge_core.features import StructureComponents
from svge_core.models import ModelConfig, build_model, encode_all
from svge_core.search import Domain
from svge_core.search.searchers.bayesian import BayesianOptions, BayesianSearch, Encodings
from svge_core.spaces import get_space
from svge_core.tensors import CellBatch, to_batch
from svge_core.training import TrainConfig, train
from svge_core.training.trainer import function_of

SPACE = get_space("nasbench201")
CONFIG = ModelConfig(hidden=16, latent=11, function=6, function_hidden=12)


def double(batch: CellBatch) -> CellBatch:
    return CellBatch(batch.types, batch.adjacency.double(), batch.sizes)


def cells_of(count: int, seed: int = 0) -> list:
    rng = np.random.default_rng(seed)
    return [SPACE.random_cell(rng) for _ in range(count)]


@pytest.fixture
def model() -> torch.nn.Module:
    torch.manual_seed(1)
    return build_model("svge", SPACE, CONFIG).double()


def test_the_last_dimensions_have_the_variance_of_the_setting(model) -> None:
    posterior = model.encode(double(to_batch(SPACE, cells_of(7))))
    assert posterior.mean.shape == posterior.log_var.shape == (7, 11)
    torch.testing.assert_close((0.5 * posterior.log_var[:, 5:]).exp(), torch.full((7, 6), 0.3).to(posterior.mean))


def test_they_are_a_linear_map_of_a_rectified_gated_sum_over_nodes(model) -> None:
    """Against a loop over cells and nodes, with states taken from the model."""
    batch = double(to_batch(SPACE, cells_of(3)))
    states: list[torch.Tensor] = []
    readout = model.encoder.function
    hook = readout.register_forward_hook(lambda module, given, found: states.append(given[0]))
    known = model.encode(batch).mean[:, 5:]
    hook.remove()
    sums = readout.readout
    for cell in range(3):
        total = torch.zeros(12, dtype=torch.float64)
        for node in range(int(batch.sizes[cell])):
            state = torch.cat([states[0][0, cell, node], states[0][1, cell, node]])
            gate = torch.sigmoid(state @ sums.gate[:, :, 0].reshape(-1) + sums.gate_bias[0])
            total += gate * (state @ sums.value[0] + sums.value_bias[0, 0])
        expected = readout.out.weight @ torch.clamp(total, min=0) + readout.out.bias
        torch.testing.assert_close(known[cell], expected)


def test_kl_and_objective_against_torch_distributions(model) -> None:
    batch, target = double(to_batch(SPACE, cells_of(5))), torch.randn(5, 6, dtype=torch.float64)
    posterior = model.encode(batch)
    code = torch.distributions.Normal(posterior.mean[:, :5], (0.5 * posterior.log_var[:, :5]).exp())
    standard = torch.distributions.Normal(torch.zeros(5).double(), torch.ones(5).double())
    kl = torch.distributions.kl_divergence(code, standard).sum(1)
    known = torch.distributions.Normal(posterior.mean[:, 5:], torch.tensor(0.3).double())
    at_best = known.log_prob(posterior.mean[:, 5:]).sum(1)
    function = at_best - known.log_prob(target).sum(1)
    elbo = model.elbo_from(batch, posterior, posterior.mean, target)
    torch.testing.assert_close(elbo.kl, kl)
    torch.testing.assert_close(elbo.function, function)
    torch.testing.assert_close(elbo.loss, elbo.types + elbo.edges + 0.2 * kl + function)
    without = model.elbo_from(batch, posterior, posterior.mean)
    torch.testing.assert_close(without.loss, elbo.loss - function)


def test_targets_are_scaled_components() -> None:
    cells = cells_of(9)
    small = build_model("svge", SPACE, replace(CONFIG, function_scale=2.0))
    expected = 2.0 * StructureComponents.of(SPACE, 6).scores(cells)
    np.testing.assert_allclose(function_of(small, to_batch(SPACE, cells)).numpy(), expected, rtol=1e-5, atol=1e-6)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    folder = tmp_path_factory.mktemp("function") / "m"
    train(SPACE, folder, CONFIG, TrainConfig(epochs=4, seed=1, batch_size=1024, warmup_steps=10))
    return load_checkpoint(folder)


def test_training_moves_them_to_what_cells_compute_and_a_checkpoint_keeps_them(trained: Checkpoint) -> None:
    assert trained.meta.config == CONFIG
    assert trained.meta.history[-1]["function"] < 0.5 * trained.meta.history[0]["function"]
    cells = cells_of(400, 5)
    known = encode_all(trained.model, to_batch(SPACE, cells))[0][:, 5:].numpy()
    truth = CONFIG.function_scale * StructureComponents.of(SPACE, 6).scores(cells)
    assert 1 - ((truth - known) ** 2).sum() / ((truth - truth.mean(0)) ** 2).sum() > 0.6


def test_a_surrogate_sees_the_code_and_each_block_of_the_function(trained: Checkpoint) -> None:
    encodings = Encodings(Domain(SPACE), trained)
    blocks, cells = StructureComponents.of(SPACE, 6).blocks, cells_of(2_000, 0)
    assert encodings.representations == ("structure", "function", "latent", "both")
    assert [group.shape[1] for group in encodings.groups(cells, "function")] == list(blocks)
    assert [group.shape[1] for group in encodings.groups(cells, "latent")] == [5, *blocks]
    plain = [group.shape[1] for group in encodings.groups(cells, "structure")]
    assert [group.shape[1] for group in encodings.groups(cells, "both")] == [*plain, 5, *blocks]
    latents, column = encodings.latents(cells), 5
    for block, group in zip(blocks, encodings.groups(cells, "function"), strict=True):
        own = latents[:, column : column + block]
        ratio = group[0] - group[1]
        np.testing.assert_allclose(ratio / np.linalg.norm(ratio), _unit(own[0] - own[1]), atol=1e-6)  # one scale
        assert group.var(axis=0).sum() == pytest.approx(1, abs=0.2)  # other random cells than the scale is of
        column += block


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def test_a_search_on_a_representation_that_is_not_there_says_which_are() -> None:
    options = BayesianOptions(representations=("function",))
    with pytest.raises(SvgeError, match="Expected a representation among structure; got function"):
        BayesianSearch("gp", Domain(SPACE), None, options)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"function": 11}, "'function' must be at least 0 and below 'latent' (11); got 11"),
        ({"function": -1}, "'function' must be at least 0"),
        ({"function_scale": 0.0}, "'function_scale' must be positive and finite; got 0.0"),
        ({"function_noise": float("nan")}, "'function_noise' must be positive and finite; got nan"),
        ({"function_hidden": 0}, "'function_hidden' must be at least 1; got 0"),
        ({"function": 0, "function_targets": "kernel"}, "expected 'function' above 0; got 0"),
    ],
)
def test_impossible_settings_are_named(change: dict, said: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        replace(CONFIG, **change)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("space", "targets", "count", "said"),
    [
        ("nasbench101", "structure+size", 6, "they hold it already"),
        ("enas6", "kernel", 6, "is not known"),
        ("nasbench201", "structure+size", 2, "Expected more than 2 numbers"),
        ("nasbench201", "structure", 90, "components; expected 1 to"),
    ],
)
def test_a_refused_training_leaves_nothing(space: str, targets: str, count: int, said: str, tmp_path: Path) -> None:
    config = ModelConfig(hidden=16, latent=100, function=count, function_targets=targets)  # type: ignore[arg-type]
    with pytest.raises(SvgeError, match=said):
        train(space, tmp_path / "out" / space / "mine", config, TrainConfig(epochs=1))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["dvae", "gcn", "dgmg"])
def test_models_without_such_dimensions_say_so(kind: str) -> None:
    with pytest.raises(CheckpointError, match=r"'function' must be 0 for model .*; got 6\."):
        build_model(kind, SPACE, CONFIG)
