"""Statistics of untrained networks against hand-made networks: sums over paths, kernels, finite differences, NumPy."""

import copy
import math
from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from svge_core.errors import SvgeError
from svge_core.networks.build import build_network
from svge_core.networks.untrained import NO_FLOW, grad_norm, jacov, lowest_jacov, nwot, synflow
from svge_core.spaces.registry import get_space

FIRST = torch.tensor([[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]])
SECOND = torch.tensor([[2.0, -1.0], [0.5, 4.0]])


class TwoLayers(nn.Module):
    """Pixels -> two ReLUs -> two outputs, without biases unless they are given; images are (batch, 3, 1, 1)."""

    def __init__(self, first: Tensor = FIRST, second: Tensor = SECOND, called: str = "module") -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 2, bias=False), nn.Linear(2, 2, bias=False)
        self.first.weight.data, self.second.weight.data = first.clone(), second.clone()
        calls = {
            "module": nn.ReLU(),
            "in place": nn.ReLU(inplace=True),
            "functional": F.relu,
            "torch": torch.relu,
            "method": lambda x: x.relu(),
        }
        self.relu = calls[called]

    def forward(self, images: Tensor) -> Tensor:
        return self.second(self.relu(self.first(images.flatten(1))))


def images_of(*rows: list[float]) -> Tensor:
    return torch.tensor(rows)[:, :, None, None]


def small(
    cell: str = "|nor_conv_3x3~0|+|nor_conv_1x1~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|",
):
    torch.manual_seed(3)  # PyTorch initialises layers from its global generator
    space = get_space("nasbench201")
    return build_network(space, space.parse(cell), channels=3, cells_per_stage=1, num_classes=4)


# synflow


def test_synflow_sums_the_products_along_all_paths_once_per_layer() -> None:
    paths = sum(abs(FIRST[h, i] * SECOND[o, h]) for i, h, o in product(range(3), range(2), range(2)))
    assert synflow(TwoLayers(), (3, 1, 1)) == pytest.approx(math.log(2 * float(paths)), rel=1e-12)


def test_synflow_of_a_path_past_a_layer() -> None:
    class Skipping(TwoLayers):
        def forward(self, images: Tensor) -> Tensor:
            return super().forward(images) + images.flatten(1)[:, :2]

    paths = sum(abs(FIRST[h, i] * SECOND[o, h]) for i, h, o in product(range(3), range(2), range(2)))
    assert synflow(Skipping(), (3, 1, 1)) == pytest.approx(math.log(2 * float(paths)), rel=1e-12)  # it has no weight


def test_synflow_counts_paths_through_convolutions_and_ignores_what_batch_norms_have_seen() -> None:
    network = nn.Sequential(
        nn.Conv2d(1, 2, 1, bias=False), nn.BatchNorm2d(2), nn.ReLU(), nn.Conv2d(2, 1, 1, bias=False), nn.Flatten()
    )
    for layer, values in ((0, [2.0, -3.0]), (3, [5.0, 7.0])):
        convolution = network[layer]
        assert isinstance(convolution, nn.Conv2d)
        convolution.weight.data = torch.tensor(values).reshape(convolution.weight.shape)
    expected = math.log(2 * 4 * (2 * 5 + 3 * 7) / math.sqrt(1 + 1e-5))  # two layers, four pixels, PyTorch's epsilon
    assert synflow(network, (1, 2, 2)) == pytest.approx(expected, rel=1e-9)
    network(torch.randn(5, 1, 2, 2, generator=torch.Generator().manual_seed(0)) + 4)
    assert synflow(network, (1, 2, 2)) == pytest.approx(expected, rel=1e-9)


def test_synflow_of_what_lets_nothing_through_and_of_too_much() -> None:
    assert synflow(TwoLayers(second=torch.zeros(2, 2)), (3, 1, 1)) == NO_FLOW == math.log(2.0**-1022)
    assert synflow(TwoLayers(torch.full((2, 3), 1e-38), torch.full((2, 2), 1e-38)), (3, 1, 1)) > NO_FLOW
    network = nn.Sequential(*(nn.Conv2d(1, 1, 1, bias=False) for _ in range(10)))
    for parameter in network.parameters():
        parameter.data.fill_(1e38)
    with pytest.raises(SvgeError, match="beyond the range of doubles; take fewer channels"):
        synflow(network, (1, 1, 1))


# nwot


@pytest.mark.parametrize("called", ["module", "in place", "functional", "torch", "method"])
def test_nwot_of_patterns_written_out(called: str) -> None:
    identity = torch.eye(3)[:2]  # the ReLUs are the signs of the first two pixels
    network = TwoLayers(identity, called=called)
    images = images_of([1.0, 1.0, 0.0], [1.0, -1.0, 0.0])
    assert nwot(network, images) == pytest.approx(math.log(2 * 2 - 1 * 1))  # the kernel is ((2, 1), (1, 2))
    both = images_of([1.0, 1.0, 0.0], [-1.0, -1.0, 0.0])
    assert nwot(network, both) == pytest.approx(math.log(2 * 2 - 0))
    assert nwot(network, images_of([1.0, 1.0, 0.0], [2.0, 3.0, 9.0])) == 0.0  # images that are not told apart


def test_nwot_of_a_network_equals_the_kernel_of_hooked_relus(generator: torch.Generator) -> None:
    network, images = small(), torch.randn(6, 3, 8, 8, generator=generator)
    codes: list[np.ndarray] = []
    hooked = copy.deepcopy(network).train()
    for module in hooked.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(lambda _, given, __: codes.append((given[0] > 0).flatten(1).numpy()))
    with torch.no_grad():
        hooked(images)
    code = np.concatenate(codes, axis=1)
    kernel = [[sum(a == b for a, b in zip(one, other, strict=True)) for other in code] for one in code]
    assert len(codes) > 6
    assert nwot(network, images) == pytest.approx(np.linalg.slogdet(np.array(kernel, dtype=float))[1])


def test_nwot_needs_relus() -> None:
    with pytest.raises(SvgeError, match="Expected a network with ReLUs"):
        nwot(nn.Flatten(), torch.zeros(2, 3, 1, 1))


# jacov


def score(rows: np.ndarray) -> float:
    """The score of Jacobians, from the definition of a correlation on."""
    count = len(rows)
    centred = rows - rows.mean(1, keepdims=True)
    correlations = np.empty((count, count))
    for i, j in product(range(count), repeat=2):
        correlations[i, j] = centred[i] @ centred[j] / math.sqrt(centred[i] @ centred[i] * (centred[j] @ centred[j]))
    values = np.real(np.linalg.eig(correlations)[0])
    return -sum(math.log(max(v, 0.0) + 1e-5) + 1 / (max(v, 0.0) + 1e-5) for v in values)


def test_jacov_of_jacobians_written_out() -> None:
    images = images_of([1.0, 0.1, 0.0], [0.0, 2.0, 1.0], [3.0, 1.0, -2.0])
    rows = []
    for image in images.flatten(1).numpy():
        on = FIRST.numpy() @ image > 0
        rows.append(np.ones(2) @ SECOND.numpy() @ (on[:, None] * FIRST.numpy()))
    assert sum(tuple(row) == tuple(rows[0]) for row in rows) == 1
    assert jacov(TwoLayers(), images) == pytest.approx(score(np.array(rows)), rel=1e-4)


def test_jacov_is_of_every_image_alone_under_the_norms_of_the_batch(generator: torch.Generator) -> None:
    network, images = small(), torch.randn(4, 3, 8, 8, generator=generator)
    seen: dict[str, tuple[Tensor, Tensor]] = {}
    probe = copy.deepcopy(network).train()
    for name, module in probe.named_modules():
        if isinstance(module, nn.BatchNorm2d):

            def keep(_: nn.Module, given: tuple[Tensor, ...], __: Tensor, name: str = name) -> None:
                seen[name] = given[0].mean((0, 2, 3)), given[0].var((0, 2, 3))

            module.register_forward_hook(keep)
    with torch.no_grad():
        probe(images)
    fixed = copy.deepcopy(network).eval()
    for name, module in fixed.named_modules():
        if name in seen:
            module.running_mean, module.running_var = seen[name]
    rows = [torch.func.jacrev(fixed)(image[None]).sum(1).flatten().detach().double().numpy() for image in images]
    assert jacov(network, images) == pytest.approx(score(np.array(rows)), rel=1e-3)


def test_the_lowest_jacov() -> None:
    images = images_of([1.0, 2.0, 3.0], [0.0, 2.0, 1.0], [3.0, 1.0, 2.0])
    positive = TwoLayers(FIRST.abs(), SECOND.abs())  # linear where all is positive: one Jacobian for all images
    by_hand = -(math.log(3 + 1e-5) + 1 / (3 + 1e-5) + 2 * (math.log(1e-5) + 1e5))
    assert lowest_jacov(3) == pytest.approx(by_hand, rel=1e-12)
    assert jacov(positive, images) == pytest.approx(lowest_jacov(3), rel=1e-6)
    assert jacov(TwoLayers(second=torch.zeros(2, 2)), images) == lowest_jacov(3)
    assert jacov(TwoLayers(), torch.zeros(3, 3, 1, 1)) == lowest_jacov(3)


# grad_norm


def test_grad_norm_equals_finite_differences(generator: torch.Generator) -> None:
    network = TwoLayers().double()
    images = torch.randn(5, 3, 1, 1, generator=generator, dtype=torch.float64)
    classes, step, expected = torch.tensor([0, 1, 1, 0, 1]), 1e-6, 0.0
    for weight in network.parameters():
        squares = 0.0
        for place in np.ndindex(*weight.shape):
            losses = []
            for moved in (step, -step):
                with torch.no_grad():
                    weight[place] += moved
                    logits = network(images).numpy()
                    weight[place] -= moved
                rows = logits - np.log(np.exp(logits).sum(1, keepdims=True))
                losses.append(-rows[np.arange(5), classes.numpy()].mean())
            squares += ((losses[0] - losses[1]) / (2 * step)) ** 2
        expected += math.sqrt(squares)
    assert grad_norm(network, images, classes) == pytest.approx(expected, rel=1e-6)


def test_grad_norm_is_of_weights_alone_and_zero_without_a_path(generator: torch.Generator) -> None:
    images, classes = torch.randn(4, 3, 8, 8, generator=generator), torch.tensor([0, 1, 2, 3])
    dead = small("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")
    assert grad_norm(dead, images, classes) == 0.0  # its classifier's bias has a gradient
    assert synflow(dead, (3, 8, 8)) == NO_FLOW
    assert jacov(dead, images) == lowest_jacov(4)
    assert nwot(dead, images) == 0.0
    assert grad_norm(small(), images, classes) > 0


def test_networks_are_left_as_they_were(generator: torch.Generator) -> None:
    network, images = small().eval(), torch.randn(4, 3, 8, 8, generator=generator)
    before = copy.deepcopy(network.state_dict())
    first = [synflow(network, (3, 8, 8)), nwot(network, images), jacov(network, images)]
    first.append(grad_norm(network, images, torch.tensor([0, 1, 2, 3])))
    again = [synflow(network, (3, 8, 8)), nwot(network, images), jacov(network, images)]
    assert first[:3] == again and not network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
