"""Cells per second and memory on a device, beside what its own matrix products reach."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from svge_core.devices import has_bfloat16
from svge_core.models import DEFAULTS, PUBLISHED, DecodeOptions, ModelConfig, SVGe
from svge_core.models.decoding import decode
from svge_core.spaces import get_space
from svge_core.tensors import to_batch
from svge_core.training import TrainConfig, Trainer

#: the sizes of the model that are measured
SIZES: dict[str, ModelConfig] = {"shipped size": DEFAULTS["svge"], "published size": PUBLISHED}


@dataclass(frozen=True)
class Speed:
    """One kind of work.

    Attributes:
        what: the work.
        precision: of its matrix products.
        cells_per_second: None for matrix products alone.
        tera_flops: floating-point operations of its matrix products per second, in 10^12.
        of_products: that rate as a share of what products of large matrices reach here in this precision.
        peak_bytes: most memory that was allocated on the device; None where the device does not say.
        memory_share: of all the device has.
    """

    what: str
    precision: str
    cells_per_second: float | None
    tera_flops: float
    of_products: float
    peak_bytes: int | None
    memory_share: float | None


def synchronise(device: torch.device) -> None:
    """Wait until a device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def seconds_of(work: Callable[[], object], device: torch.device, seconds: float) -> float:
    """Wall seconds of one call: the mean over about so many seconds of calls, after one that warms up."""
    work()
    synchronise(device)
    calls, began = 0, time.perf_counter()
    while (passed := time.perf_counter() - began) < seconds or not calls:
        work()
        synchronise(device)
        calls += 1
    return passed / calls if calls else time.perf_counter() - began


def product_rate(device: torch.device, kind: torch.dtype, side: int, seconds: float) -> float:
    """What products of square matrices reach, in 10^12 floating-point operations per second."""
    left, right = (torch.randn(side, side, device=device).to(kind) for _ in range(2))
    return 2 * side**3 / seconds_of(lambda: left @ right, device, seconds) / 1e12


def measure_speed(device: torch.device, *, batch: int, side: int, seconds: float) -> list[Speed]:
    """Products, then encoding, decoding and training of SVGe on NAS-Bench-201.

    Args:
        device: that computes.
        batch: cells at a time.
        side: of the matrices that the device's own limit is measured with.
        seconds: of measuring each kind of work.
    """
    kinds = {"float32": torch.float32} | ({"bfloat16": torch.bfloat16} if has_bfloat16(device) else {})
    limits = {name: product_rate(device, kind, side, seconds) for name, kind in kinds.items()}
    rows = [Speed(f"matrix products, side {side}", name, None, rate, 1.0, None, None) for name, rate in limits.items()]
    space, rng = get_space("nasbench201"), np.random.default_rng(0)
    cells = to_batch(space, [space.random_cell(rng) for _ in range(batch)]).to(device)
    for title, config in SIZES.items():
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model = SVGe(space, config).to(device)
        with torch.inference_mode():
            latents, prepared = model.encode(cells).mean, model.prepare()
        jobs: list[tuple[str, str, Callable[[], object]]] = [
            ("encode", "float32", torch.inference_mode()(lambda model=model: model.encode(cells))),
            (
                "decode",
                "float32",
                lambda model=model, z=latents, weights=prepared: decode(
                    model, z, DecodeOptions("forward"), chunk=batch, weights=weights
                ),
            ),
        ]
        for precision in kinds:
            settings = TrainConfig(epochs=10**9, batch_size=batch, precision=precision)  # type: ignore[arg-type]
            steps = Trainer(model, cells, settings).steps()
            jobs.append(("train", precision, lambda steps=steps: next(steps)))
        for what, precision, work in jobs:
            rows.append(_measured(f"{what}, {title}", precision, work, device, batch, limits[precision], seconds))
    return rows


def _measured(
    what: str,
    precision: str,
    work: Callable[[], object],
    device: torch.device,
    batch: int,
    limit: float,
    seconds: float,
) -> Speed:
    with FlopCounterMode(display=False) as counter:
        work()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    taken = seconds_of(work, device, seconds)
    peak = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None
    whole = torch.cuda.get_device_properties(device).total_memory if device.type == "cuda" else None
    rate = counter.get_total_flops() / taken / 1e12
    share = peak / whole if peak is not None and whole else None
    return Speed(what, precision, batch / taken, rate, rate / limit, peak, share)
