"""The whole model: teacher forcing against a slow decoder in Python, node order, operation encodings, configuration."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

from svge_core.errors import CheckpointError
from svge_core.models.config import PUBLISHED, ModelConfig
from svge_core.models.encoder import normal_table
from svge_core.models.svge import SVGe
from svge_core.spaces.base import AbstractSearchSpace
from svge_core.spaces.registry import get_space
from svge_core.tensors import CellBatch, to_batch
from svge_core.testing.spaces import random_order
from tests.support.core import TINY, in_double, random_cells, tiny_batch, tiny_model
from tests.support.oracles.svge import SlowDecoder

NB201 = get_space("nasbench201")


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"decoder_positions": False},
        {"encoding": "learned"},
        {"rounds": 1},
        {"hidden": 6, "latent": 5},
        {"edge_sampling": "sequential"},
    ],
    ids=str,
)
@pytest.mark.parametrize("space", [TINY, NB201], ids=lambda space: space.name)
def test_teacher_forcing_is_the_slow_decoder(
    space: AbstractSearchSpace, config: dict[str, object], generator: torch.Generator
) -> None:
    model = tiny_model(space, 11, **config).double()
    batch = in_double(tiny_batch(space, 4, seed=2))
    z = torch.randn(len(batch), model.config.latent, generator=generator, dtype=torch.double)
    both = model.score(batch, z)
    for direction, (logits, written) in enumerate(((both.forward, batch), (both.backward, batch.reversed()))):
        slow = SlowDecoder(model, direction)
        for row in range(len(batch)):
            size = int(written.sizes[row])
            edges = {(u, v) for u, v in written.adjacency[row].nonzero().tolist()}
            types, odds = slow.logits(z[row], written.types[row, :size].tolist(), edges)
            for node, expected in types.items():
                torch.testing.assert_close(logits.types[row, node], expected)
            for (source, target), expected in odds.items():
                torch.testing.assert_close(logits.edges[row, source, target], expected)
            assert set(odds) == {(u, v) for v in range(2, size) for u in range(v)}, "the edge into node 1 is given"


def test_nothing_but_scored_positions_has_a_score(generator: torch.Generator) -> None:
    model, batch = tiny_model(TINY), tiny_batch()
    both = model.score(batch, torch.randn(len(batch), 4, generator=generator))
    for logits in (both.forward, both.backward):
        assert not logits.types[:, 0].any()
        assert not logits.edges.tril().any()
        assert not logits.edges[:, :, :2].any()


@pytest.mark.parametrize("space", [TINY, NB201], ids=lambda space: space.name)
def test_the_latent_does_not_depend_on_the_order_the_nodes_were_given_in(
    space: AbstractSearchSpace, rng: np.random.Generator
) -> None:
    model, cells = tiny_model(space), random_cells(space, 20)
    relabelled = [cell.relabelled(random_order(cell, rng)) for cell in cells]
    assert relabelled != cells
    a, b = (model.encode(to_batch(space, some)) for some in (cells, relabelled))
    assert torch.equal(a.mean, b.mean)
    assert torch.equal(a.log_var, b.log_var)


def test_without_positions_the_encoder_itself_is_invariant(rng: np.random.Generator) -> None:
    cells = random_cells(TINY, 20)
    relabelled = [cell.relabelled(random_order(cell, rng)) for cell in cells]
    for positions in (False, True):
        model = tiny_model(TINY, positions=positions).double()
        a, b = (model.encode(in_double(to_batch(TINY, some, canonical=False))).mean for some in (cells, relabelled))
        assert torch.allclose(a, b) is not positions


@pytest.mark.parametrize("positions", [False, True])
def test_different_cells_have_different_latents(positions: bool) -> None:
    model = tiny_model(TINY, positions=positions).double()
    means = model.encode(in_double(to_batch(TINY, list(TINY.enumerate())[:400]))).mean
    distances = torch.cdist(means, means) + torch.eye(len(means), dtype=torch.double)
    # two rounds of message passing see as far as colour refinement after two steps, which tells most cells apart
    assert (distances.min(1).values > 1e-9).double().mean() > 0.9


def test_a_learned_encoding_is_one_table_for_encoder_and_decoder(generator: torch.Generator) -> None:
    model, batch = tiny_model(TINY, encoding="learned"), tiny_batch()
    names = [name for name, _ in model.named_parameters() if "table" in name]
    assert names == ["operations.table"]
    assert model.table.shape == (4, 3)
    z = torch.randn(len(batch), 4, generator=generator)
    for used_by in (model.encode(batch).mean.sum(), model.score(batch, z).forward.types.sum()):
        (gradient,) = torch.autograd.grad(used_by, model.operations.table)
        assert gradient.abs().sum() > 0
    one_hot = tiny_model(TINY)
    assert torch.equal(one_hot.table, torch.eye(4))
    assert not any("table" in name for name in (*dict(one_hot.named_parameters()), *one_hot.state_dict()))


def test_one_hot_is_the_learned_encoding_with_the_identity_as_its_table() -> None:
    learned, one_hot = tiny_model(TINY, encoding="learned", operation_dim=4), tiny_model(TINY)
    with torch.no_grad():
        learned.operations.table.copy_(torch.eye(4))
    missing, unexpected = learned.load_state_dict(one_hot.state_dict(), strict=False)
    assert (missing, unexpected) == (["operations.table"], [])
    batch = tiny_batch()
    assert torch.equal(learned.encode(batch).mean, one_hot.encode(batch).mean)


def test_a_normal_table_is_what_torch_draws_and_has_no_numbers_without_memory() -> None:
    torch.manual_seed(5)
    expected = torch.randn(7, 33)
    torch.manual_seed(5)
    assert torch.equal(normal_table(7, 33), expected)
    with torch.device("meta"):
        assert normal_table(7, 33).is_meta and normal_table(7, 33).shape == (7, 33)


def test_the_published_size_has_the_published_number_of_parameters() -> None:
    model = SVGe(NB201, dataclasses.replace(PUBLISHED))
    by_part = {name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()}
    assert by_part["encoder"] == 845_989
    assert by_part["generator"] == 1_399_996


def test_configuration_is_checked_by_name() -> None:
    values = ModelConfig().to_dict()
    assert ModelConfig.from_dict(values) == ModelConfig()
    with pytest.raises(CheckpointError, match="unknown field 'depth'"):
        ModelConfig.from_dict({**values, "depth": 3})
    with pytest.raises(CheckpointError, match="missing required field beta"):
        ModelConfig.from_dict({name: value for name, value in values.items() if name != "beta"})
    for wrong, text in (
        ({"hidden": 7}, "'hidden' must be even"),
        ({"latent": 0}, "'latent' must be at least 1"),
        ({"encoding": "two-hot"}, r"\$\.encoding: invalid enum value 'two-hot'"),
        ({"edge_reduction": "max"}, r"\$\.edge_reduction: invalid enum value 'max'"),
        ({"hidden": "64"}, r"\$\.hidden: expected int"),
        ({"positions": 1}, r"\$\.positions: expected bool"),
        ({"beta": "much"}, r"\$\.beta: expected float"),
        ({"beta": float("nan")}, "'beta'"),
    ):
        with pytest.raises(CheckpointError, match=text):
            ModelConfig.from_dict({**values, **wrong})


def test_an_empty_batch_is_encoded_to_nothing() -> None:
    model, batch = tiny_model(TINY), tiny_batch()
    empty = CellBatch(batch.types[:0], batch.adjacency[:0], batch.sizes[:0])
    assert model.encode(empty).mean.shape == (0, 4)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"latent": 1.5}, "'latent' must be a whole number; got 1.5"),
        ({"rounds": True}, "'rounds' must be a whole number; got True"),
        ({"encoding": "zz"}, "'encoding' must be one of one-hot, learned; got 'zz'"),
        ({"edge_reduction": "max"}, "'edge_reduction' must be one of sum, mean; got 'max'"),
    ],
)
def test_settings_are_checked_before_anything_is_trained(values: dict[str, Any], problem: str) -> None:
    config = ModelConfig()
    for name, value in values.items():  # behind the type checks that run in tests alone
        object.__setattr__(config, name, value)
    with pytest.raises(CheckpointError, match=problem):
        config.__post_init__()
