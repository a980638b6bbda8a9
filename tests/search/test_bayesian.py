"""The surrogate and the acquisition of the Bayesian searchers against BoTorch, SciPy, refitting and brute force."""

from functools import cache

import numpy as np
import pytest
import torch
from scipy.stats import norm

from svge_core.checkpoints.checkpoint import load_checkpoint
from svge_core.predictors.gaussian_process import JITTER, GaussianProcess, covariance, fit_parameters
from svge_core.search.domain import Domain
from svge_core.search.history import History, Observation
from svge_core.search.searchers.bayesian.acquisition import _batch_improvement, choose, log_expected_improvement
from svge_core.search.searchers.bayesian.encodings import Encodings, shared_encodings
from svge_core.search.searchers.bayesian.surrogate import SurrogateFitter, fitting_size, leave_one_out, rank_normal
from svge_core.search.searchers.published import believing_batch
from svge_core.spaces.registry import get_space
from tests.support.paths import ROOT

SPACE = get_space("nasbench201")


@cache
def domain() -> Domain:
    return Domain(SPACE)


@cache
def encodings() -> Encodings:
    return shared_encodings(domain(), load_checkpoint(ROOT / "checkpoints" / "nasbench201" / "svge"))


def labelled(count: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    cells = domain().fresh(rng, count, ())
    worth = np.array([sum((1 + 0.2 * i) * gene for i, gene in enumerate(SPACE.genotype(c))) for c in cells])
    return cells, worth + 0.3 * rng.standard_normal(count)


def test_log_expected_improvement_equals_botorch_and_integration_far_into_the_tail() -> None:
    from botorch.acquisition.analytic import LogExpectedImprovement
    from botorch.models.model import Model
    from botorch.posteriors.gpytorch import GPyTorchPosterior
    from gpytorch.distributions import MultivariateNormal

    u = np.array([-300.0, -60.0, -49.0, -20.0, -5.0, -1.0, -1e-3, 0.0, 1e-3, 1.0, 8.0, 40.0])
    std = np.full(len(u), 0.7)
    found = log_expected_improvement(0.2 + u * std, std, 0.2)

    class IndependentNormals(Model):
        @property
        def num_outputs(self) -> int:
            """One value per row."""
            return 1

        @property
        def batch_shape(self) -> torch.Size:
            """No batch of models."""
            return torch.Size([])

        def posterior(self, X, *_a, **_o):
            rows = X[..., 0].long()
            mean = torch.from_numpy(0.2 + u * std)[rows]
            return GPyTorchPosterior(
                MultivariateNormal(mean, 0.49 * torch.eye(1, dtype=torch.float64).expand(len(rows), 1, 1))
            )

    other = LogExpectedImprovement(IndependentNormals(), best_f=0.2)(
        torch.arange(len(u), dtype=torch.float64).view(-1, 1, 1)
    )
    np.testing.assert_allclose(found, other.numpy(), rtol=2e-3, atol=1e-9)
    near = np.abs(u) < 10
    grid = np.linspace(-40, 40, 400_001)
    for value, log in zip(u[near], found[near], strict=True):
        direct = np.trapezoid(np.maximum(value + grid, 0.0) * norm.pdf(grid), grid) * 0.7
        assert np.exp(log) == pytest.approx(direct, rel=1e-4)


def test_improvement_of_a_batch_is_what_plain_simulation_gives() -> None:
    """E[max(max(f(x), f(pending)) - best, 0)] of a joint normal, by a million draws."""
    rng = np.random.default_rng(1)
    root = rng.standard_normal((9, 9)) * 0.4
    means, covariances = rng.standard_normal(9) * 0.3, root @ root.T + 0.05 * np.eye(9)
    draws = rng.multivariate_normal(means, covariances, size=1_000_000)
    together = np.maximum(draws[:, 4:], draws[:, :4].max(axis=1, keepdims=True))
    simulated = np.maximum(together - 0.4, 0.0).mean(axis=0)
    found = _batch_improvement(means, covariances, [0, 1, 2, 3], [4, 5, 6, 7, 8], 0.4, seed=0).exp().numpy()
    np.testing.assert_allclose(found, simulated, rtol=0.05, atol=0.005)
    alone = _batch_improvement(means, covariances, [], [4, 5, 6, 7, 8], 0.4, seed=0).numpy()
    std = np.sqrt(np.diag(covariances))[4:]
    np.testing.assert_allclose(alone, log_expected_improvement(means[4:], std, 0.4), atol=0.05)
    assert found.argmax() == simulated.argmax()


def test_rank_normal_is_the_quantile_of_the_rank() -> None:
    found = rank_normal(np.array([3.0, -100.0, 5.0, 4.0]))
    np.testing.assert_allclose(found, norm.ppf(np.array([1.5, 0.5, 3.5, 2.5]) / 4))
    assert rank_normal(np.array([1.0, 1.0, 2.0]))[0] == rank_normal(np.array([1.0, 1.0, 2.0]))[1]


def test_leave_one_out_equals_conditioning_on_the_others() -> None:
    cells, values = labelled(18)
    targets = rank_normal(values)
    groups = encodings().groups(cells, "both")
    parameters = fit_parameters(groups, targets)
    logs = []
    for left in range(18):
        rest = [i for i in range(18) if i != left]
        posterior = GaussianProcess(parameters, [x[rest] for x in groups], targets[rest])
        mean, std = posterior.predict([x[[left]] for x in groups])
        logs.append(norm.logpdf(targets[left], mean[0], std[0]))
    assert leave_one_out(GaussianProcess(parameters, groups, targets)) == pytest.approx(float(np.mean(logs)), rel=1e-8)


def test_joint_posterior_equals_the_textbook_formula_and_its_diagonal_the_marginals() -> None:
    cells, values = labelled(25)
    targets = rank_normal(values)
    groups = encodings().groups(cells, "structure")
    parameters = fit_parameters(groups, targets)
    posterior = GaussianProcess(parameters, groups, targets)
    others = encodings().groups(domain().fresh(np.random.default_rng(9), 7, ()), "structure")
    kernel = covariance(parameters, groups, groups) + (parameters.noise + JITTER) * np.eye(25)
    cross = covariance(parameters, others, groups)
    mean, spread = posterior.joint(others)
    np.testing.assert_allclose(mean, cross @ np.linalg.solve(kernel, targets), atol=1e-8)
    expected = covariance(parameters, others, others) - cross @ np.linalg.solve(kernel, cross.T)
    np.testing.assert_allclose(spread, expected, atol=1e-8)
    np.testing.assert_allclose(posterior.precision, np.linalg.inv(kernel), atol=1e-6)
    std = posterior.predict(others)[1]
    np.testing.assert_allclose(np.diag(spread) + parameters.noise + JITTER, std**2, atol=1e-7)


def test_a_believing_batch_equals_conditioning_on_each_believed_point() -> None:
    cells, values = labelled(20)
    inputs = encodings().groups(cells, "latent")[0]
    targets = rank_normal(values)
    posterior = GaussianProcess(fit_parameters([inputs], targets), [inputs], targets)
    grid = np.random.default_rng(4).uniform(inputs.min(0), inputs.max(0), size=(200, inputs.shape[1]))
    found = believing_batch(posterior, grid, float(targets.max()), 8)
    expected: list[int] = []
    for _ in range(8):
        mean, std = GaussianProcess(posterior.parameters, [inputs], targets).predict([grid])
        gain = log_expected_improvement(mean, std, float(targets.max()))
        gain[expected] = -np.inf
        best = int(gain.argmax())
        expected.append(best)
        inputs, targets = np.concatenate([inputs, grid[[best]]]), np.append(targets, mean[best])
    assert found == expected


def test_the_likelier_representation_is_used_and_all_are_reported() -> None:
    cells, values = labelled(60)
    fitter = SurrogateFitter(encodings(), encodings().representations)
    found = fitter.fit(cells, values)
    assert set(found.likelihoods) == {"structure", "latent", "both"}
    assert found.representation == max(found.likelihoods, key=lambda name: found.likelihoods[name])
    only = SurrogateFitter(encodings(), ["latent"]).fit(cells, values)
    assert only.representation == "latent"
    assert only.likelihoods["latent"] == pytest.approx(found.likelihoods["latent"])


def test_hyper_parameters_are_those_of_a_fixed_number_of_first_observations() -> None:
    assert [fitting_size(n) for n in (5, 29, 30, 34, 35, 40, 41)] == [5, 29, 30, 30, 35, 35, 41]
    cells, values = labelled(38)
    grown = SurrogateFitter(encodings(), ["structure"])
    for size in (30, 34, 35, 38):
        last = grown.fit(cells[:size], values[:size])
    anew = SurrogateFitter(encodings(), ["structure"]).fit(cells, values)
    np.testing.assert_array_equal(last.posterior.parameters.length, anew.posterior.parameters.length)
    other = grown.fit(cells[::-1], values[::-1])  # another history does not inherit them
    assert not np.array_equal(other.posterior.parameters.length, anew.posterior.parameters.length)


def test_predictions_come_back_in_the_goals_unit() -> None:
    cells, values = labelled(40)
    surrogate = SurrogateFitter(encodings(), ["structure"]).fit(cells, 70 + values)
    mean, std = surrogate.in_unit(surrogate.targets, np.full(40, 0.1))
    np.testing.assert_allclose(mean, 70 + values, atol=1e-9)
    assert (std > 0).all()
    assert surrogate.in_unit(np.array([9.0]), np.array([0.1]))[0][0] > (70 + values).max()


def test_chosen_cells_are_distinct_and_pending_ones_change_the_choice() -> None:
    cells, values = labelled(30)
    surrogate = SurrogateFitter(encodings(), ["structure"]).fit(cells, values)
    pool = domain().fresh(np.random.default_rng(2), 120, set(cells))
    first = choose(surrogate, [], pool, 4, seed=0)
    assert len(set(first)) == 4
    assert choose(surrogate, [], pool, 1, seed=0) == first[:1]
    rest = [cell for i, cell in enumerate(pool) if i != first[0]]
    after = choose(surrogate, [pool[first[0]]], rest, 1, seed=0)
    assert rest[after[0]] == pool[first[1]]


def test_scalarised_ranks_keep_the_pareto_order() -> None:
    """A dominating observation has the greater utility whatever the weights."""
    values = [(3.0, 1.0), (2.0, 2.0), (1.0, 3.0), (4.0, 0.5)]
    cells = domain().fresh(np.random.default_rng(0), 4, ())
    history = History(
        ("max", "min"), tuple(Observation(i, c, v) for i, (c, v) in enumerate(zip(cells, values, strict=True)))
    )
    for seed in range(20):
        found = history.scalar(np.random.default_rng(seed))
        assert found[3] > found[0] > found[1] > found[2]
    np.testing.assert_array_equal(history.utilities[:, 1], [-1.0, -2.0, -3.0, -0.5])


@pytest.mark.parametrize("name", ["nasbench101", "enas6"])
def test_encodings_of_other_spaces_are_finite_and_standardised(name: str) -> None:
    space = get_space(name)
    found = Encodings(Domain(space))
    rng = np.random.default_rng(0)
    cells = [space.canonical(space.random_cell(rng)) for _ in range(300)]
    groups = found.groups(cells, "structure")
    assert all(np.isfinite(group).all() for group in groups)
    assert found.representations == ("structure",)
    assert all(0.2 < (group**2).sum(axis=1).mean() < 5.0 for group in groups)
