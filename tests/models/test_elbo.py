"""The objective against torch.distributions, and its independence of batch and padding."""

import pytest
import torch
from torch.distributions import Bernoulli, Categorical, Normal, kl_divergence

from svge_core.models.decoder import ForcedLogits
from svge_core.models.encoder import Posterior
from svge_core.models.likelihood import negative_log_likelihood
from svge_core.models.svge import SVGe
from svge_core.tensors import CellBatch
from tests.support.core import TINY, in_double, narrowed, tiny_batch, tiny_model


def random_posterior(generator: torch.Generator, count: int = 40, latent: int = 6) -> Posterior:
    mean, log_var = (3 * torch.randn(count, latent, generator=generator, dtype=torch.double) for _ in range(2))
    return Posterior(mean, log_var)


def test_kl_is_that_of_torch_distributions(generator: torch.Generator) -> None:
    posterior = random_posterior(generator)
    prior = Normal(torch.zeros(6, dtype=torch.double), 1.0)
    expected = kl_divergence(Normal(posterior.mean, (0.5 * posterior.log_var).exp()), prior).sum(1)
    torch.testing.assert_close(posterior.kl(), expected)
    at_prior = Posterior(torch.zeros(2, 6), torch.zeros(2, 6))
    assert at_prior.kl().tolist() == [0.0, 0.0]


@pytest.mark.parametrize("noise", [0.0, 0.01, 1.0, 2.0])
def test_posterior_draws_have_the_mean_and_the_scaled_deviation(noise: float, generator: torch.Generator) -> None:
    count = 20_000
    mean, log_var = torch.tensor([[1.0, -2.0, 0.0]]), torch.tensor([[0.0, 2.0, -3.0]])
    posterior = Posterior(mean.expand(count, 3), log_var.expand(count, 3))
    draws = posterior.sample(generator, noise)
    deviation = noise * (0.5 * log_var[0]).exp()
    assert ((draws.mean(0) - mean[0]).abs() <= 5 * deviation / count**0.5 + 1e-5).all()
    assert ((draws.std(0) - deviation).abs() <= 5 * deviation / (2 * count) ** 0.5 + 1e-5).all()


def test_posterior_draws_are_seeded(generator: torch.Generator) -> None:
    posterior = random_posterior(generator)
    draws = [posterior.sample(torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_negative_log_likelihood_is_that_of_torch_distributions(reduction: str, generator: torch.Generator) -> None:
    batch = in_double(tiny_batch(count=20))
    nodes = TINY.max_nodes
    types = torch.randn(20, nodes, 4, generator=generator, dtype=torch.double)
    edges = torch.randn(20, nodes, nodes, generator=generator, dtype=torch.double)
    found = negative_log_likelihood(ForcedLogits(types, edges), batch, reduction)
    for row in range(20):
        size = int(batch.sizes[row])
        by_types = Categorical(logits=types[row, 1:size]).log_prob(batch.types[row, 1:size]).sum()
        by_edges = torch.zeros((), dtype=torch.double)
        for target in range(2, size):
            terms = Bernoulli(logits=edges[row, :target, target]).log_prob(batch.adjacency[row, :target, target])
            by_edges = by_edges + (terms.sum() if reduction == "sum" else terms.mean())
        torch.testing.assert_close(found[0][row], -by_types)
        torch.testing.assert_close(found[1][row], -by_edges)


@pytest.mark.parametrize("beta", [0.0, 0.3])
def test_the_loss_is_the_sum_of_its_terms(beta: float, generator: torch.Generator) -> None:
    model = tiny_model(TINY, beta=beta).double()
    batch = in_double(tiny_batch())
    posterior = model.encode(batch)
    z = posterior.sample(generator)
    elbo, both = model.elbo_from(batch, posterior, z), model.score(batch, z)
    forward = sum(negative_log_likelihood(both.forward, batch))
    backward = sum(negative_log_likelihood(both.backward, batch.reversed()))
    torch.testing.assert_close(elbo.types + elbo.edges, forward + backward)
    torch.testing.assert_close(elbo.loss, forward + backward + beta * posterior.kl())


def losses(model: SVGe, batch: CellBatch) -> torch.Tensor:
    """Loss per cell at the posterior mean, so that no noise depends on the batch."""
    posterior = model.encode(batch)
    return model.elbo_from(batch, posterior, posterior.mean).loss


def test_the_loss_of_a_cell_does_not_depend_on_its_batch() -> None:
    model, batch = tiny_model(TINY, posterior_noise=0.0).double(), in_double(tiny_batch())
    together = losses(model, batch)
    alone = torch.cat([losses(model, batch.select(slice(row, row + 1))) for row in range(len(batch))])
    torch.testing.assert_close(together, alone)
    order = torch.randperm(len(batch), generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(losses(model, batch.select(order)), together[order])
    with_noise_off = model.elbo(batch, torch.Generator().manual_seed(3)).loss
    torch.testing.assert_close(with_noise_off, together)


def test_the_loss_of_a_cell_does_not_depend_on_padding() -> None:
    batch = in_double(tiny_batch())
    small = batch.select(batch.sizes <= 4)
    with_steps = tiny_model(TINY).double()
    torch.testing.assert_close(losses(with_steps, small), losses(with_steps, narrowed(small)))
    # node and step embeddings have a row per position, so only a model without them can be given more room
    free = tiny_model(TINY, positions=False, decoder_positions=False).double()
    torch.testing.assert_close(losses(free, batch), losses(free, batch.padded_to(TINY.max_nodes + 3)))


def test_what_stands_in_the_padding_changes_nothing() -> None:
    model, batch = tiny_model(TINY).double(), in_double(tiny_batch())
    pad = ~batch.mask
    types = torch.where(pad, 2, batch.types)
    outside = pad[:, :, None] | pad[:, None, :]
    # junk between padded positions; a padded node is never a neighbour of a real one
    junk = outside & pad[:, :, None] & pad[:, None, :]
    adjacency = torch.where(junk, 1.0, batch.adjacency)
    disturbed = CellBatch(types, adjacency.to(torch.double), batch.sizes)
    assert not torch.equal(disturbed.types, batch.types)
    torch.testing.assert_close(losses(model, disturbed), losses(model, batch))


def test_the_gradient_of_the_loss_is_that_of_finite_differences() -> None:
    model, batch = tiny_model(TINY, hidden=4, latent=2).double(), in_double(tiny_batch(count=3))
    losses(model, batch).sum().backward()
    checked = 0
    for parameter in model.parameters():
        assert parameter.grad is not None
        flat, slope = parameter.data.view(-1), parameter.grad.reshape(-1)
        at = int(slope.abs().argmax())
        with torch.no_grad():
            value, step = float(flat[at]), 1e-6
            flat[at] = value + step
            above = float(losses(model, batch).sum())
            flat[at] = value - step
            below = float(losses(model, batch).sum())
            flat[at] = value
        assert (above - below) / (2 * step) == pytest.approx(float(slope[at]), rel=1e-4, abs=1e-6)
        checked += 1
    assert checked > 30
