"""Densities that latents are drawn from, against moments and against SciPy's."""

import math

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import norm

from svge_core.errors import SvgeError
from svge_core.evaluation import densities
from svge_core.evaluation.densities import KernelDensity, left_out, prior_latents, standard_latents


def of(means: torch.Tensor, stds: torch.Tensor, width: float = 1.0) -> KernelDensity:
    return KernelDensity(lambda rows: (means[rows], stds[rows]), len(means), width)


def test_prior_latents_have_the_moments_of_the_encoded_cells(generator: torch.Generator) -> None:
    means = torch.randn(500, 3, generator=generator) * torch.tensor([0.1, 1.0, 5.0]) + torch.tensor([2.0, 0.0, -7.0])
    draws = prior_latents(means, 40_000, generator)
    spread = means.std(0)
    assert ((draws.mean(0) - means.mean(0)).abs() < 5 * spread / 200).all()
    assert ((draws.std(0) - spread).abs() < 5 * spread / 280).all()
    again = (prior_latents(means, 5, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(*again)


def test_standard_latents_are_not_scaled(generator: torch.Generator) -> None:
    draws = standard_latents(torch.full((4, 3), 7.0), 40_000, generator)
    assert draws.shape == (40_000, 3)
    assert (draws.mean(0).abs() < 5 / 200).all()
    assert ((draws.std(0) - 1).abs() < 5 / 280).all()


@pytest.mark.parametrize("width", [1.0, 1.5])
def test_draws_are_a_mixture_of_the_kernels(width: float, generator: torch.Generator) -> None:
    """Two far kernels: each gets half of the draws, with its own mean and standard deviations."""
    means, stds = torch.tensor([[0.0, 50.0], [100.0, -50.0]]), torch.tensor([[1.0, 2.0], [0.1, 3.0]])
    draws = of(means, stds, width).draw(40_000, generator)
    second = draws[:, 0] > 50
    assert abs(float(second.float().mean()) - 0.5) < 5 * 0.5 / 200
    for row, own in enumerate((draws[~second], draws[second])):
        assert ((own.mean(0) - means[row]).abs() < 5 * width * stds[row] / 141).all()
        assert ((own.std(0) - width * stds[row]).abs() < 5 * width * stds[row] / 200).all()


def test_densities_without_the_own_kernel_are_those_of_scipy(
    generator: torch.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(densities, "CHUNK", 7)  # several products
    means = torch.randn(20, 3, generator=generator) * 2
    stds = torch.rand(20, 3, generator=generator) + 0.2
    own = torch.tensor([4, 19, 0, 11])
    draws = torch.randn(4, 3, generator=generator)
    found = left_out((means, stds), draws, own, (0.5, 1.0, 2.0))
    for row, width in enumerate((0.5, 1.0, 2.0)):
        for query in range(4):
            z = draws[query].numpy()
            parts = [
                norm.logpdf(z, means[kernel].numpy(), width * stds[kernel].numpy()).sum()
                for kernel in range(20)
                if kernel != int(own[query])
            ]
            expected = float(np.logaddexp.reduce(parts)) - math.log(19)
            assert float(found[row, query]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("scale", [0.003, 0.15])
def test_the_likeliest_width_is_the_one_that_leaving_one_out_finds(scale: float, generator: torch.Generator) -> None:
    """However far from 1 it is: the oracle leaves every cell out once, in SciPy, and its queries have no noise."""
    means = torch.randn(300, 2, generator=generator)
    widths = [2.0 ** (step / 8) for step in range(81)]
    gaps = (means[:, None] - means).double().numpy()
    others = ~np.eye(300, dtype=bool)
    logs = [norm.logpdf(gaps, scale=scale * width).sum(2) for width in widths]
    scores = [float(np.mean(logsumexp(log, axis=1, b=others))) for log in logs]
    found = of(means, torch.full_like(means, scale)).likeliest()
    assert abs(math.log2(found.width / widths[int(np.argmax(scores))])) <= 1.5 / 8
    assert found.cells == 300


def test_kernels_in_one_place_keep_their_width() -> None:
    """Draws of equal posteriors have just the width of these."""
    found = of(torch.zeros(300, 2), torch.full((300, 2), 40.0)).likeliest()
    assert abs(math.log2(found.width)) <= 1 / 8


def test_of_many_cells_a_part_is_asked_for_the_width(
    generator: torch.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(densities, "MAX_KERNELS", 50)
    asked: list[int] = []

    def encoded(rows: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        asked.append(len(rows))
        assert len(set(rows.tolist())) == len(rows)
        return means[rows], torch.ones(len(rows), 2)

    means = torch.randn(300, 2, generator=generator) * 9
    wider = KernelDensity(encoded, 300).likeliest()
    assert asked == [50]
    wider.draw(7, generator)
    assert asked == [50, 7], "draws come from all of them"


def test_a_width_cannot_be_chosen_for_one_cell() -> None:
    with pytest.raises(SvgeError, match="expected two or more, got 1"):
        of(torch.zeros(1, 2), torch.ones(1, 2)).likeliest()
