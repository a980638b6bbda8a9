"""Written networks run where nothing else is installed: the largest difference of their outputs, seconds of an export.

``model.py`` and ``.pt2`` run in an environment that holds torch and what it requires, ``.onnx`` in one of onnxruntime
and NumPy. Each process gets the files, images and the weights alone, and its logits are compared with those of the
network here. Make the environments first:

    python -m venv A && A/bin/pip install torch==VERSION        (for --torch-python A/bin/python)
    python -m venv B && B/bin/pip install onnxruntime numpy     (for --onnx-python B/bin/python)
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.harness.results import command, print_table, save_results
from bench.networks import random_cells
from svge_core.cells import Cell
from svge_core.network_export import export_network, relative_difference, renamed_weights, with_statistics
from svge_core.networks import build_network
from svge_core.spaces import AbstractSearchSpace, get_space

COLUMNS = ["space", "file", "cells", "largest_difference", "median_seconds", "median_kib"]
SPACES = ("nasbench201", "nasbench101", "enas6", "randwire")
FILES = ("model.py", "model.pt2", "model.onnx")
BATCHES = (1, 2, 7)
#: read with what PyTorch itself has; a list of numbers is all that goes in and out
_TORCH = """
import importlib.metadata, importlib.util, json, sys, torch
absent = [name for name in ("svge_core", "numpy", "onnx", "safetensors") if importlib.util.find_spec(name)]
assert not absent, absent
sys.path.insert(0, ".")
import model
network = model.Network()
network.load_state_dict(torch.load("weights.pt", weights_only=True))
network.eval()
program = torch.export.load("model.pt2").module()
with torch.no_grad():
    answer = {"model.py": [], "model.pt2": []}
    for images in torch.load("images.pt", weights_only=True):
        answer["model.py"].append(network(images).tolist())
        answer["model.pt2"].append(program(images).tolist())
json.dump(answer, open("torch.json", "w"))
"""
_ONNX = """
import importlib.util, json, numpy, onnxruntime
absent = [name for name in ("svge_core", "torch", "onnx") if importlib.util.find_spec(name)]
assert not absent, absent
session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
answer = []
for images in json.load(open("images.json")):
    (logits,) = session.run(["logits"], {"images": numpy.array(images, dtype=numpy.float32)})
    answer.append(logits.tolist())
json.dump({"model.onnx": answer}, open("onnx.json", "w"))
"""


def measured(
    space: AbstractSearchSpace, cell: Cell, sizes: dict[str, Any], torch_python: str, onnx_python: str, side: int
) -> Iterator[dict[str, Any]]:
    """One cell: export, run elsewhere, compare."""
    network = build_network(space, cell, **sizes)
    colours = next(m.in_channels for m in network.modules() if isinstance(m, torch.nn.Conv2d))
    with_statistics(network, (colours, side, side))
    batches = [torch.randn(count, colours, side, side) for count in BATCHES]
    with torch.no_grad():
        expected = [network(images) for images in batches]
    with tempfile.TemporaryDirectory() as name:
        folder, seconds = Path(name), {}
        for file in FILES:
            started = time.perf_counter()
            export_network(space, cell, folder / file, weights=network.state_dict(), side=side, **sizes)
            seconds[file] = time.perf_counter() - started
        built = _model(folder / "model.py")
        torch.save(renamed_weights(network.state_dict(), built), folder / "weights.pt")
        torch.save(batches, folder / "images.pt")
        (folder / "images.json").write_text(json.dumps([images.tolist() for images in batches]))
        # -I: neither this folder's packages nor the environment's variables
        for python, script in ((torch_python, _TORCH), (onnx_python, _ONNX)):
            subprocess.run([python, "-I", "-c", script], cwd=folder, check=True)
        answers = {**json.loads((folder / "torch.json").read_text()), **json.loads((folder / "onnx.json").read_text())}
        for file in FILES:
            apart = [relative_difference(e, torch.tensor(a)) for e, a in zip(expected, answers[file], strict=True)]
            size = (folder / file).stat().st_size / 1024
            yield {"file": file, "difference": max(apart), "seconds": seconds[file], "kib": size}


def _model(path: Path) -> torch.nn.Module:
    from svge_core.network_export import import_code

    return import_code(path.read_text("utf-8")).build()


def main(argv: list[str] | None = None) -> int:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(prog="python -m bench.network_files", description=__doc__)
    parser.add_argument("--torch-python", required=True, help="of the environment with torch alone")
    parser.add_argument("--onnx-python", required=True, help="of the environment with onnxruntime and NumPy alone")
    parser.add_argument("--cells", type=int, default=20, help="per space (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="(default: %(default)s)")
    parser.add_argument("--channels", type=int, default=16, help="of the first stage (default: %(default)s)")
    parser.add_argument("--cells-per-stage", type=int, default=1, help="where there are stages (default: %(default)s)")
    parser.add_argument("--side", type=int, default=32, help="pixels of a side (default: %(default)s)")
    arguments = parser.parse_args(argv)
    torch.manual_seed(arguments.seed)
    rows = []
    for name in SPACES:
        space = get_space(name)
        sizes = {"channels": arguments.channels}
        if name.startswith("nasbench"):
            sizes["cells_per_stage"] = arguments.cells_per_stage
        found: list[dict[str, Any]] = []
        for number, cell in enumerate(random_cells(space, arguments.cells, arguments.seed), start=1):
            pythons = arguments.torch_python, arguments.onnx_python
            found += measured(space, cell, sizes, *pythons, arguments.side)
            sys.stderr.write(f"\r{name}: {number} of {arguments.cells} cells ")
        for file in FILES:
            these = [row for row in found if row["file"] == file]
            rows.append(
                {
                    "space": name,
                    "file": file,
                    "cells": len(these),
                    "largest_difference": max(row["difference"] for row in these),
                    "median_seconds": float(np.median([row["seconds"] for row in these])),
                    "median_kib": float(np.median([row["kib"] for row in these])),
                }
            )
    print_table(rows, COLUMNS)
    settings = {name: getattr(arguments, name) for name in ("cells", "seed", "channels", "cells_per_stage", "side")} | {
        "batches": BATCHES,
        "threads": torch.get_num_threads(),
    }
    save_results("network_files", rows, settings, command("network_files", argv))
    return 0


if __name__ == "__main__":
    sys.exit(main())
