"""Networks of cells beside those of other people, beside their own code, and beside the published parameter counts.

``outputs``: random cells of each space with the same weights in two networks; the largest difference of the logits as a
share of the largest logit, norms with the statistics of the batch and with running ones. ``gradients``: forward and
backward of random cells. ``parameters``: of the modules, beside published tables and closed forms.
"""

import argparse
import csv
import gzip
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import nn

from bench.harness.network_oracles import (
    copy_to_nasbench_pytorch,
    copy_to_xautodl,
    nasbench_pytorch_network,
    xautodl_network,
)
from bench.harness.results import command, print_table, save_results
from svge_core.cells import Cell
from svge_core.exporting import ExportItem
from svge_core.network_export import import_code, relative_difference, renamed_weights, with_statistics
from svge_core.network_export.code import model_code
from svge_core.networks import build_network
from svge_core.spaces import AbstractSearchSpace, NASBench101, get_space
from svge_core.spaces.nasbench101 import params_by_order

COLUMNS = ["what", "space", "against", "cells", "equal", "largest_difference"]
SIDE = 16
#: modules are counted of every so many cells of a published table
EVERY = 25
#: small ones: what is compared does not depend on the size; three vertices of NAS-Bench-101 do not divide 10 channels
SIZES: dict[str, dict[str, int]] = {
    "nasbench201": {"channels": 8, "cells_per_stage": 1},
    "nasbench101": {"channels": 10, "cells_per_stage": 1},
    "enas6": {"channels": 4},
    "enas12": {"channels": 4},
    "randwire": {"channels": 8, "colours": 3},
}
ORACLES: dict[str, tuple[str, Any, Any]] = {
    "nasbench201": ("xautodl", xautodl_network, copy_to_xautodl),
    "nasbench101": ("nasbench-pytorch", nasbench_pytorch_network, copy_to_nasbench_pytorch),
}


def random_cells(space: AbstractSearchSpace, count: int, seed: int) -> list[Cell]:
    """Members in canonical form."""
    rng = np.random.default_rng(seed)
    return [space.canonical(space.random_cell(rng)) for _ in range(count)]


def difference(network: nn.Module, other: nn.Module, images: torch.Tensor) -> float:
    """The larger one of both modes; the running statistics are those of the first network."""
    found = []
    with torch.no_grad():
        for mode in (False, True):
            found.append(relative_difference(network.train(mode)(images), other.train(mode)(images)))
    return max(found)


def outputs(space: AbstractSearchSpace, cells: Sequence[Cell], images: torch.Tensor) -> Iterator[dict[str, Any]]:
    """Other people's network, and the code of ``model.py``."""
    sizes = SIZES[space.name]

    def compared(against: str, differences: list[float]) -> dict[str, Any]:
        equal = sum(value < 1e-4 for value in differences)
        return row("outputs", space, against, len(cells), equal) | {"largest_difference": max(differences)}

    if space.name in ORACLES:
        name, make, copy = ORACLES[space.name]
        found = []
        for cell in cells:
            network, oracle = with_statistics(build_network(space, cell, **sizes), (3, SIDE, SIDE)), make(cell, **sizes)
            copy(network, oracle)
            found.append(difference(network, oracle, images))
        yield compared(name, found)
    found = []
    for cell in cells:
        network = with_statistics(build_network(space, cell, **sizes), (3, SIDE, SIDE))
        built = import_code(model_code(space, ExportItem(cell), sizes)).build()
        built.load_state_dict(renamed_weights(network.state_dict(), built))
        found.append(difference(network, built, images))
    yield compared("model.py", found)


def gradients(space: AbstractSearchSpace, cells: Sequence[Cell], images: torch.Tensor) -> dict[str, Any]:
    """Cells whose logits are finite and all of whose parameters get a finite gradient."""
    good = 0
    for cell in cells:
        network = build_network(space, cell, **SIZES[space.name])
        logits = network.train()(images)
        nn.functional.cross_entropy(logits, torch.arange(len(images)) % logits.shape[1]).backward()
        found = [parameter.grad for parameter in network.parameters()]
        good += bool(logits.isfinite().all()) and all(g is not None and bool(g.isfinite().all()) for g in found)
    return row("forward and backward", space, "finite", len(cells), good)


def closed_form(space: AbstractSearchSpace, cells: Sequence[Cell]) -> dict[str, Any]:
    """Modules beside the closed form of the space."""
    equal = sum(count(space, cell) == round(space.cost(cell).params_m * 1e6) for cell in cells)
    return row("parameters, module", space, "closed form", len(cells), equal)


def count(space: AbstractSearchSpace, cell: Cell) -> int:
    """Parameters of the network in its authors' size; nothing is computed, initial weights neither."""
    with ExitStack() as stack:
        for kind in (nn.Conv2d, nn.BatchNorm2d, nn.Linear):
            stack.enter_context(mock.patch.object(kind, "reset_parameters", lambda module: None))
        stack.enter_context(torch.device("meta"))
        return sum(parameter.numel() for parameter in build_network(space, cell).parameters())


def published(space: AbstractSearchSpace, path: Path, column: str, unit: float, every: int) -> Iterator[dict[str, Any]]:
    """The closed form of all cells of a published table, and the modules of some of them."""
    with gzip.open(path, "rt", newline="") as file:
        table = [(int(line["index"]), round(float(line[column]) * unit)) for line in csv.DictReader(file)]
    indices, known = np.array(table, dtype=np.int64).T
    formula = np.rint(space.costs()[indices, 0] * 1e6)
    different = np.flatnonzero(formula != known)
    yield row("parameters, closed form", space, "published table", len(table), len(table) - len(different))
    if isinstance(space, NASBench101):
        orders = [params_by_order(space.graphs(indices[place : place + 1])) for place in different]
        other = sum(known[place] in np.rint(counts * 1e6) for place, counts in zip(different, orders, strict=True))
        yield row("parameters, closed form", space, "the others, in another order", len(different), int(other))
    chosen = range(0, len(table), every)
    equal = sum(count(space, space.from_index(int(indices[place]))) == formula[place] for place in chosen)
    yield row("parameters, module", space, "closed form", len(chosen), equal)


def row(what: str, space: AbstractSearchSpace, against: str, cells: int, equal: int) -> dict[str, Any]:
    """One line of the table."""
    return {"what": what, "space": space.name, "against": against, "cells": cells, "equal": int(equal)}


def main(argv: list[str] | None = None) -> int:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(prog="python -m bench.networks", description=__doc__)
    parser.add_argument("--cells", type=int, default=200, help="random cells per space (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="(default: %(default)s)")
    parser.add_argument("--tables", type=Path, help="folder of nasbench201.csv.gz and nasbench101_sample20k.csv.gz")
    arguments = parser.parse_args(argv)
    torch.manual_seed(arguments.seed)
    images = torch.randn(4, 3, SIDE, SIDE)
    rows: list[dict[str, Any]] = []
    for name in SIZES:
        space = get_space(name)
        cells = random_cells(space, arguments.cells, arguments.seed)
        rows += [*outputs(space, cells, images), gradients(space, cells, images), closed_form(space, cells)]
        sys.stderr.write(f"{space.name} done\n")
    if arguments.tables is not None:
        rows += published(get_space("nasbench201"), arguments.tables / "nasbench201.csv.gz", "params_m", 1e6, EVERY)
        rows += published(
            get_space("nasbench101"), arguments.tables / "nasbench101_sample20k.csv.gz", "params", 1, EVERY
        )
    print_table(rows, COLUMNS)
    settings = {
        "cells": arguments.cells,
        "seed": arguments.seed,
        "side": SIDE,
        "images": len(images),
        "sizes": SIZES,
        "every": EVERY,
    }
    save_results("networks", rows, settings, command("networks", argv))
    return 0


if __name__ == "__main__":
    sys.exit(main())
