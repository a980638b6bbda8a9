"""How long the network of a cell takes on this machine: by PyTorch and by ONNX Runtime, for some numbers of images."""

import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from svge_core.cells import Cell
from svge_core.data import ScoreMeaning
from svge_core.errors import SvgeError
from svge_core.network_export.agreement import largest_difference, random_images, require_agreement
from svge_core.network_export.files import prepared
from svge_core.network_export.programs import onnx_program, read_onnx_program
from svge_core.spaces import AbstractSearchSpace, get_space

Engine = Literal["pytorch", "onnxruntime"]
ENGINES: tuple[Engine, ...] = get_args(Engine)
_NAMES: dict[Engine, str] = {"pytorch": "PyTorch", "onnxruntime": "ONNX Runtime"}


@dataclass(frozen=True)
class LatencyProtocol:
    """How latencies are taken; only those taken alike can be compared.

    Attributes:
        engines: what runs the network.
        batches: numbers of images at a time.
        threads: of the processor.
        runs: that are timed, of each engine and batch.
        warm_up: runs before, which are not timed.

    Raises:
        SvgeError: if one of them is out of range.
    """

    engines: tuple[Engine, ...] = ENGINES
    batches: tuple[int, ...] = (1, 32)
    threads: int = 1
    runs: int = 30
    warm_up: int = 5

    def __post_init__(self) -> None:
        if not self.engines or any(engine not in ENGINES for engine in self.engines):
            raise SvgeError(
                f"Expected engines among {', '.join(ENGINES)}; got {', '.join(self.engines)[:80] or 'none'}."
            )
        for name, values in (("batch", self.batches), ("threads", (self.threads,)), ("runs", (self.runs,))):
            if not values or not all(1 <= value <= 100_000 for value in values):
                raise SvgeError(f"Expected {name} to be from 1 to 100,000; got {str(list(values))[:60]}.")
        if not 0 <= self.warm_up <= 100_000:
            raise SvgeError(f"Expected warm_up to be from 0 to 100,000; got {self.warm_up}.")


@dataclass(frozen=True)
class Latency:
    """One engine's times for one number of images.

    Attributes:
        engine: what ran the network.
        batch: images at a time.
        median_ms: median of the runs in milliseconds.
        low_ms, high_ms: first and third quartile; what lies between is how much the machine wavers.
    """

    engine: Engine
    batch: int
    median_ms: float
    low_ms: float
    high_ms: float

    @property
    def key(self) -> str:
        """Name of the column."""
        return f"latency_{self.engine}_{self.batch}_ms"


def measure_latency(
    space: AbstractSearchSpace | str,
    cell: Cell,
    protocol: LatencyProtocol | None = None,
    *,
    side: int | None = None,
    **sizes: int,
) -> tuple[Latency, ...]:
    """Time forward passes of the network of a cell in eval mode, on the processor.

    The engines take turns run by run, so that what else the machine does meets both alike.

    Args:
        space: of the cell.
        cell: a member.
        protocol: how; by default :class:`LatencyProtocol`'s own values.
        side: pixels of a side of the images; by default those the network was made for.
        sizes: options of :func:`svge_core.networks.build_network`.

    Raises:
        InvalidCellError: if the cell is not a member.
        SvgeError: if an option is unknown, ONNX is not installed, or the ONNX program computes something else.
    """
    protocol = protocol or LatencyProtocol()
    network, shape = prepared(get_space(space), cell, side, sizes)
    before = torch.get_num_threads()
    torch.set_num_threads(protocol.threads)
    try:
        runs: dict[Engine, Callable[[Tensor], object]] = {
            engine: _runner(engine, network, shape, protocol.threads) for engine in protocol.engines
        }
        found = []
        for batch in protocol.batches:
            images = random_images(batch, shape)
            times: dict[Engine, list[float]] = {engine: [] for engine in runs}
            for turn in range(protocol.warm_up + protocol.runs):
                for engine, run in runs.items():
                    seconds = _timed(run, images)
                    if turn >= protocol.warm_up:
                        times[engine].append(1000 * seconds)
            found += [_summarised(engine, batch, np.array(values)) for engine, values in times.items()]
    finally:
        torch.set_num_threads(before)
    return tuple(sorted(found, key=lambda latency: (ENGINES.index(latency.engine), latency.batch)))


def latency_meaning(
    latency: Latency, protocol: LatencyProtocol, sizes: Mapping[str, int] | None = None
) -> ScoreMeaning:
    """What a column of such medians is; ``sizes`` are the options of the network that are not those of its authors."""
    options = ", ".join(f"{name} {value}" for name, value in sorted((sizes or {}).items()))
    threads = "1 thread" if protocol.threads == 1 else f"{protocol.threads} threads"
    version = torch.__version__ if latency.engine == "pytorch" else _onnxruntime_version()
    return ScoreMeaning(
        key=latency.key,
        title=f"Latency of {latency.batch} image{'s' if latency.batch > 1 else ''}, {_NAMES[latency.engine]}"
        + (f" ({options})" if options else ""),
        unit="ms",
        direction="min",
        data_set="",
        split="",
        epochs=None,
        seeds=f"median of {protocol.runs} runs",
        kind="measured",
        source=f"{_NAMES[latency.engine]} {version} on {_processor()}, {threads}, random weights",
        role="time",
        origin="user",
        single_run=False,
    )


def _runner(
    engine: Engine, network: nn.Module, shape: tuple[int, int, int], threads: int
) -> Callable[[Tensor], object]:
    if engine == "pytorch":
        return network
    program = read_onnx_program(onnx_program(network, random_images(2, shape)), threads)
    require_agreement("model.onnx", largest_difference(network, program, shape))
    return program


def _timed(run: Callable[[Tensor], object], images: Tensor) -> float:
    with torch.inference_mode():
        started = time.perf_counter()
        run(images)
        return time.perf_counter() - started


def _summarised(engine: Engine, batch: int, times: Float[np.ndarray, " runs"]) -> Latency:
    low, median, high = np.percentile(times, [25, 50, 75]).tolist()
    return Latency(engine, batch, median, low, high)


def _onnxruntime_version() -> str:
    from importlib.metadata import version

    return version("onnxruntime")


def _processor() -> str:
    """Its name; no host name."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
