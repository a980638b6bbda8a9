"""Training, encoding and decoding throughput beside the authors' implementation, interleaved in one run on one thread.

Figures are graphs per CPU-second of this process: median over rounds. A ratio is the median of the rounds' ratios, so
a change in the machine's speed during the run cancels.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import torch

from bench.harness.reference_svge import Reference
from bench.harness.results import command, report, save_results
from svge_core.models import PUBLISHED, DecodeOptions, ModelConfig, SVGe
from svge_core.models.decoding import decode
from svge_core.spaces import get_space
from svge_core.tensors import CellBatch, to_batch
from svge_core.training import TrainConfig, Trainer

TimedCall = Callable[[], int]
Precision = Literal["float32", "bfloat16"]
COLUMNS = ["what", "implementation", "batch", "graphs_per_cpu_second", "ms_per_call", "ratio", "reference"]


def ours(model: SVGe, cells: CellBatch, batch_size: int, what: str, precision: Precision = "float32") -> TimedCall:
    """A step of our implementation."""
    if what == "train":
        trainer = Trainer(model, cells, TrainConfig(epochs=10_000, batch_size=batch_size, precision=precision))
        stream = trainer.steps()

        def train() -> int:
            model.train()
            next(stream)
            return batch_size

        return train
    model.eval()
    if what == "encode":
        batch = cells.select(slice(0, batch_size))

        def encode() -> int:
            with torch.inference_mode():
                model.encode(batch)
            return batch_size

        return encode
    z = torch.randn(batch_size, model.config.latent)
    weights = {}

    def sample() -> int:
        # products of weights alone are made once per loaded model, as the app does
        if not weights:
            with torch.inference_mode():
                weights["prepared"] = model.prepare()
        decode(model, z, DecodeOptions("forward"), weights=weights["prepared"])
        return batch_size

    return sample


def both(model: SVGe, batch_size: int) -> TimedCall:
    """Decoding as the authors do it, with both directions; the vote adds a third pass to theirs."""
    z = torch.randn(batch_size, model.config.latent)
    with torch.inference_mode():
        weights = model.prepare()

    def sample() -> int:
        decode(model, z, DecodeOptions("both"), weights=weights)
        return batch_size

    return sample


def clock(step: TimedCall, seconds: float) -> tuple[float, float]:
    """Graphs per CPU-second and milliseconds per call over about ``seconds`` of CPU time."""
    graphs = calls = 0
    started = time.process_time()
    while (elapsed := time.process_time() - started) < seconds or calls < 2:
        graphs += step()
        calls += 1
    elapsed = time.process_time() - started
    return graphs / elapsed, 1000 * elapsed / calls


def main(argv: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench throughput", description=__doc__)
    parser.add_argument(
        "--reference", type=Path, help="checkout of github.com/jovitalukasik/SVGe; without it, ours alone"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="CPU seconds per variant and round")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    space = get_space("nasbench201")
    everything = list(space.enumerate())[:4096]
    cells = to_batch(space, everything)
    reference = Reference(arguments.reference, space, everything[:1024]) if arguments.reference else None
    torch.manual_seed(1)
    shipped, published, low = SVGe(space, ModelConfig()), SVGe(space, PUBLISHED), SVGe(space, PUBLISHED)
    variants: list[tuple[str, str, int, TimedCall, str]] = []
    if reference is not None:
        variants += [
            ("train", "authors", 32, reference.trainer(32), ""),
            ("train", "authors", 128, reference.trainer(128), ""),
            ("encode", "authors", 128, reference.encoder(128), ""),
            ("decode", "authors", 1, reference.decoder(1), ""),
            ("decode", "authors", 128, reference.decoder(128), ""),
        ]
    variants += [
        ("train", "ours, published size", 256, ours(published, cells, 256, "train"), "authors 32"),
        ("train", "ours, published size, bfloat16", 256, ours(low, cells, 256, "train", "bfloat16"), "authors 32"),
        ("train", "ours, shipped size", 256, ours(shipped, cells, 256, "train"), "authors 32"),
        ("encode", "ours, published size", 512, ours(published, cells, 512, "encode"), "authors 128"),
        ("encode", "ours, shipped size", 512, ours(shipped, cells, 512, "encode"), "authors 128"),
        ("decode", "ours, published size, both directions", 1024, both(published, 1024), "authors 128"),
        ("decode", "ours, shipped size, both directions", 1, both(shipped, 1), "authors 1"),
        ("decode", "ours, shipped size, both directions", 1024, both(shipped, 1024), "authors 128"),
        ("decode", "ours, shipped size, one direction", 1, ours(shipped, cells, 1, "decode"), ""),
        ("decode", "ours, shipped size, one direction", 1024, ours(shipped, cells, 1024, "decode"), ""),
    ]
    figures: dict[int, list[tuple[float, float]]] = {i: [] for i in range(len(variants))}
    for step in (variant[3] for variant in variants):
        step()
    for number in range(arguments.rounds):
        for i, variant in enumerate(variants):
            figures[i].append(clock(variant[3], arguments.seconds))
        sys.stderr.write(f"round {number + 1} of {arguments.rounds}\n")
    place = {(what, f"{who} {batch}"): i for i, (what, who, batch, _, _) in enumerate(variants)}
    rows: list[dict[str, Any]] = []
    for i, (what, who, batch, _, against) in enumerate(variants):
        row: dict[str, Any] = {
            "what": what,
            "implementation": who,
            "batch": batch,
            "graphs_per_cpu_second": round(statistics.median(f[0] for f in figures[i])),
            "ms_per_call": round(statistics.median(f[1] for f in figures[i]), 2),
        }
        if against and reference is not None:
            base = figures[place[(what, against)]]
            row["reference"] = f"batch {against.split()[1]}"
            row["ratio"] = round(statistics.median(f[0] / b[0] for f, b in zip(figures[i], base, strict=True)), 1)
        rows.append(row)
    settings = {"space": "nasbench201", "threads": 1, "rounds": arguments.rounds, "seconds": arguments.seconds}
    if reference is not None:  # the stored comparison is never replaced by half of one
        save_results("throughput", rows, settings, command("throughput", argv))
    report(arguments, rows, COLUMNS if reference is not None else COLUMNS[:5])
    return 0


if __name__ == "__main__":
    sys.exit(main())
