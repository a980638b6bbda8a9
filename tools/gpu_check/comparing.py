"""The same weights and inputs on two devices: how far apart are the results?

Differences are relative: the largest absolute difference of a tensor over the largest absolute value of the reference,
or over 1 where that is smaller. Fast approximations of float32 products (TF32) are off while devices are compared, so
that only the order of sums differs; tolerances follow from that and are stated with every row.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from svge_core.models import DEFAULTS, DecodeOptions, GraphVAE, ModelConfig, build_model
from svge_core.models.decoding import decode
from svge_core.networks import build_network, network_options
from svge_core.spaces import SPACES, AbstractSearchSpace, get_space
from svge_core.tensors import CellBatch, to_batch, to_cells
from svge_core.training import TrainConfig, Trainer

Precision = Literal["float64", "float32"]
TYPES: dict[Precision, torch.dtype] = {"float64": torch.float64, "float32": torch.float32}
#: largest relative difference; of a training, where every step adds to it, a hundred times as much
TOLERANCE: dict[Precision, float] = {"float64": 1e-9, "float32": 1e-4}
#: steps of the short training
STEPS = 10
#: share of latents that may be decoded to another cell: float32 scores that are nearly equal change places
DECODED_OTHERWISE = 0.01
#: sizes of the networks that are compared, where their builders know the option
_SIZES = {"channels": 8, "cells_per_stage": 1, "num_classes": 10, "colours": 3}
_IMAGES, _SIDE = 4, 16
#: the space whose cells a kind of model is given; the row code is for wirings of equal nodes
MODELS: dict[str, str] = {kind: "randwire" if kind == "rows" else "nasbench201" for kind in DEFAULTS}


@dataclass(frozen=True)
class Comparison:
    """One quantity on both devices.

    Attributes:
        what: the quantity.
        of: the model or the space.
        precision: of the numbers.
        difference: as the module says; NaN where a result is not finite on one device only.
        tolerance: largest difference that is no fault.
    """

    what: str
    of: str
    precision: Precision
    difference: float
    tolerance: float

    @property
    def agrees(self) -> bool:
        """Whether the difference is one of rounding; NaN is none."""
        return self.difference <= self.tolerance


def relative(found: Iterable[Tensor], reference: Iterable[Tensor]) -> float:
    """The largest relative difference over pairs of tensors; NaN where one side alone is not finite."""
    worst = 0.0
    for own, other in zip(found, reference, strict=True):
        here, there = own.detach().cpu().double(), other.detach().cpu().double()
        if here.shape != there.shape or not torch.equal(here.isfinite(), there.isfinite()):
            return math.nan
        finite = there.isfinite()
        if finite.any():
            scale = max(1.0, float(there[finite].abs().max()))
            worst = max(worst, float((here - there)[finite].abs().max()) / scale)
    return worst


def moved(module: nn.Module, device: torch.device, precision: Precision) -> nn.Module:
    """A copy on a device."""
    return deepcopy(module).to(device, TYPES[precision])


def batch_on(cells: CellBatch, device: torch.device, precision: Precision) -> CellBatch:
    """The cells for a model of that precision, on a device."""
    return CellBatch(cells.types, cells.adjacency.to(TYPES[precision]), cells.sizes).to(device)


@contextmanager
def exact_products() -> Iterator[None]:
    """Products in the precision of their numbers, without TF32."""
    places: tuple[Any, ...] = (torch.backends.cuda.matmul, torch.backends.cudnn)
    before = [place.allow_tf32 for place in places]
    try:
        for place in places:
            place.allow_tf32 = False
        yield
    finally:
        for place, value in zip(places, before, strict=True):
            place.allow_tf32 = value


def compare_model(
    kind: str, space: AbstractSearchSpace, device: torch.device, precision: Precision, count: int = 256
) -> list[Comparison]:
    """Latents, likelihoods, gradients, decoded cells and a short training of one kind of model.

    Args:
        kind: of the model, with its default settings.
        space: whose random cells are encoded.
        device: that is compared with the CPU.
        precision: of both.
        count: cells.
    """
    rng = np.random.default_rng(0)
    cells = to_batch(space, [space.random_cell(rng) for _ in range(count)])
    # training draws from each device's own generator: without noise the runs are the same
    config = ModelConfig(**{**DEFAULTS[kind].to_dict(), "posterior_noise": 0.0, "function": 0})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = build_model(kind, space, config)
    places = (device, torch.device("cpu"))
    limit = TOLERANCE[precision]
    encoded, likely, gradients, trained = [], [], [], []
    for place in places:
        own, batch = moved(model, place, precision), batch_on(cells, place, precision)
        assert isinstance(own, GraphVAE)
        posterior = own.encode(batch)
        elbo = own.elbo_from(batch, posterior, posterior.mean)
        elbo.loss.mean().backward()
        encoded.append((posterior.mean, posterior.log_var))
        likely.append((elbo.types, elbo.edges, elbo.kl))
        gradients.append([parameter.grad for parameter in own.parameters() if parameter.grad is not None])
        trained.append(_trained(moved(model, place, precision), batch))
    rows = [
        ("encode", relative(*encoded), limit),
        ("likelihood", relative(*likely), limit),
        ("gradient", _of_all(*gradients), limit),
        ("training", relative(*trained), 100 * limit),
    ]
    if precision == "float32":  # decoding is of this precision alone
        rows.append(("decode", _decoded_otherwise(model, cells, places), DECODED_OTHERWISE))
    return [Comparison(what, f"{kind}, {space.name}", precision, value, bound) for what, value, bound in rows]


def _of_all(found: Sequence[Tensor], reference: Sequence[Tensor]) -> float:
    """As :func:`relative`, of all tensors as one: a gradient is one vector, whose small parts round like its large."""
    vectors = [torch.cat([part.detach().cpu().double().flatten() for part in parts]) for parts in (found, reference)]
    scale = float(vectors[1].abs().max())
    return relative([vectors[0] / scale], [vectors[1] / scale])


def _trained(model: nn.Module, batch: CellBatch) -> list[Tensor]:
    """The weights after a short training."""
    assert isinstance(model, GraphVAE)
    size = max(1, len(batch) // STEPS)
    trainer = Trainer(model, batch, TrainConfig(epochs=1, batch_size=size, learning_rate=1e-3, warmup_steps=0))
    for progress in trainer.steps():
        if progress.step == STEPS:
            break
    return [parameter.detach() for parameter in model.parameters()]


def _decoded_otherwise(model: GraphVAE, cells: CellBatch, places: Sequence[torch.device]) -> float:
    """Share of latents that are decoded to another cell, where both devices are given the same latents."""
    with torch.inference_mode():
        latents = deepcopy(model).encode(cells).mean
    options = DecodeOptions("forward", constrained=True, argmax=True)
    found = []
    for place in places:
        own = moved(model, place, "float32")
        assert isinstance(own, GraphVAE)
        found.append(to_cells(model.space, decode(own, latents, options).to("cpu")))
    return sum(a != b for a, b in zip(*found, strict=True)) / len(latents)


def compare_network(
    space: AbstractSearchSpace, device: torch.device, precision: Precision, count: int = 4
) -> list[Comparison]:
    """Outputs and gradients of the networks of random cells, small, in training and in evaluation mode."""
    rng, options = np.random.default_rng(1), network_options(space)
    sizes = {name: value for name, value in _SIZES.items() if name in options}
    images = torch.randn(_IMAGES, 3, _SIDE, _SIDE, generator=torch.Generator().manual_seed(0), dtype=TYPES[precision])
    outputs, gradients = [0.0], [0.0]
    for _ in range(count):
        cell = space.canonical(space.random_cell(rng))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = build_network(space, cell, **sizes)
        found, slopes = [], []
        for place in (device, torch.device("cpu")):
            own, seen = moved(network, place, precision).train(), images.to(place)
            logits = own(seen)
            logits.square().mean().backward()
            slopes.append([parameter.grad for parameter in own.parameters() if parameter.grad is not None])
            with torch.no_grad():
                found.append((logits, own.eval()(seen)))
        outputs.append(relative(*found))
        gradients.append(_of_all(*slopes) if slopes[1] else 0.0)
    limit = 10 * TOLERANCE[precision]  # a dozen layers, each normed by the statistics of few images
    pairs = (("network outputs", outputs), ("network gradients", gradients))
    return [Comparison(what, space.name, precision, _worst(values), limit) for what, values in pairs]


def _worst(values: Sequence[float]) -> float:
    """The largest; NaN where any is."""
    return math.nan if any(map(math.isnan, values)) else max(values)


def compare_all(
    device: torch.device,
    *,
    models: Mapping[str, str] = MODELS,
    networks: Sequence[str] | None = None,
    precisions: Sequence[Precision] = ("float64", "float32"),
    cells: int = 256,
    told: Callable[[Comparison], object] = lambda row: None,
) -> list[Comparison]:
    """Everything that computes, on a device and on the CPU.

    Args:
        device: that is compared.
        models: space of the cells by kind of model.
        networks: names of spaces whose networks are compared; None for all that have some.
        precisions: float64 is left out where the device has none.
        cells: for each model.
        told: every row as soon as it is known.
    """
    names = [name for name, space in SPACES.items() if space.network() is not None] if networks is None else networks
    rows: list[Comparison] = []

    def add(found: list[Comparison]) -> None:
        rows.extend(found)
        for row in found:
            told(row)

    with exact_products():
        for precision in precisions:
            if precision == "float64" and device.type == "mps":
                continue
            for kind, space in models.items():
                add(compare_model(kind, get_space(space), device, precision, cells))
            for name in names:
                add(compare_network(get_space(name), device, precision))
    return rows
