"""The authors' GraphPNAS, imported from a checkout of github.com/DSL-Lab/GraphPNAS, its mathematics unchanged.

Nothing of it is in this repository. Two modules that the checkout lacks or that want the data of a benchmark are
replaced by empty ones before the import; neither is used by a refit.
"""

import contextlib
import io
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from svge_core.errors import SvgeError
from svge_core.graphpnas import FLAGS, Generator, Graphs, lay_out, layout, targets, weighted_loss

#: of config/nb201_cifar10.yaml, as far as generator and data set read it
GENERATOR = {
    "device": "cpu",
    "search_space": "NB201",
    "hidden_dim": 24,
    "block_size": 1,
    "sample_stride": 1,
    "num_GNN_prop": 1,
    "num_GNN_layers": 7,
    "edge_weight": 1.0,
    "dimension_reduce": True,
    "has_attention": True,
    "num_canonical_order": 1,
    "num_mix_component": 10,
}


class ReferenceRefit:
    """Their refit of a pool of NAS-Bench-201 cells.

    Args:
        checkout: folder of their repository.
        graphs: the pool, worst first.

    Raises:
        SvgeError: if the folder is no checkout.
    """

    def __init__(self, checkout: Path, graphs: Graphs) -> None:
        if not (checkout / "model" / "generators" / "gran.py").is_file():
            raise SvgeError(f"{checkout} is no checkout of GraphPNAS: expected model/generators/gran.py there.")
        self.generator_class, data_class = _imported(checkout)
        self.config = types.SimpleNamespace(
            generator=types.SimpleNamespace(**GENERATOR),
            nas=types.SimpleNamespace(baseline=False, ewma_alpha=0.5, reward="cdf", keep_top=len(graphs)),
            experimental=types.SimpleNamespace(use_temperature="none", temperature=1),
            seed=1,
        )
        self.graphs, self.data = graphs, data_class(self.config)
        pool = [
            ((edges.t().float(), torch.zeros(len(edges))), float(place)) for place, edges in enumerate(graphs.edges)
        ]
        with contextlib.redirect_stdout(io.StringIO()):
            self.data.append(pool)

    def loss_difference(self, generator: Generator) -> float:
        """Their loss of the whole pool minus ours, under the same weights: theirs are copied into the generator."""
        theirs = self.generator_class(self.config)
        with torch.no_grad():
            _copy(theirs.state_dict(), generator)
            pool = len(self.graphs)
            other = float(theirs(self.data.collate_fn([self.data[number] for number in range(pool)])))
            wanted = targets(generator.view, self.graphs, torch.arange(1, pool + 1) / pool)
            logits = generator(lay_out(generator.view, self.graphs))
            return other - float(weighted_loss(logits, wanted, layout(generator.view).row_sum))

    def refit(self, epochs: int, batch: int) -> Callable[[], Any]:
        """A function that fits a generator from fresh weights and returns it."""

        def run() -> Any:
            generator = self.generator_class(self.config)
            optimiser = torch.optim.Adam(generator.parameters(), lr=1e-3)
            loader = torch.utils.data.DataLoader(
                self.data, batch_size=batch, shuffle=True, collate_fn=self.data.collate_fn
            )
            for _ in range(epochs):
                for found in loader:
                    optimiser.zero_grad()
                    loss = generator(found)
                    loss.backward()
                    optimiser.step()
            return generator

        return run


def _copy(theirs: dict[str, Tensor], generator: Generator) -> None:
    parts, hidden, nodes = generator.parts(generator.flat), generator.hidden, generator.view.nodes
    labels = len(generator.view.edge_labels)
    parts["input"].copy_(torch.cat([theirs["decoder_input.0.weight"].T, theirs["decoder_input.0.bias"][None]]))
    for layer in range(generator.options.layers):
        first, bias = (
            torch.cat([theirs[f"decoder.{mlp}.{layer}.0.{kind}"] for mlp in ("msg_func", "att_head")])
            for kind in ("weight", "bias")
        )
        # differences, flags; at the end labels and node ids, between them columns that are always 0
        flags, ids = first.T[: hidden + FLAGS], first.T[-nodes:]
        parts["first"][layer].copy_(torch.cat([flags, ids, bias[None], first.T[-nodes - labels : -nodes]]))
        for name, mlp in (("message", "msg_func"), ("gate", "att_head")):
            parts[name][layer].copy_(theirs[f"decoder.{mlp}.{layer}.2.weight"].T)
            parts[f"{name}_bias"][layer].copy_(theirs[f"decoder.{mlp}.{layer}.2.bias"])
        for name, kind in (("read", "ih"), ("held", "hh")):
            parts[name][layer].copy_(theirs[f"decoder.update_func.{layer}.weight_{kind}"].T)
            parts[f"{name}_bias"][layer].copy_(theirs[f"decoder.update_func.{layer}.bias_{kind}"])
    for head, output in enumerate(("theta", "alpha", "psi")):
        for place, name in ((0, "first"), (2, "middle"), (4, "last")):
            weight = theirs[f"output_{output}.{place}.weight"].T
            parts[f"head_{name}"][head, :, : weight.shape[1]] = weight
            parts[f"head_{name}_bias"][head, 0, : weight.shape[1]] = theirs[f"output_{output}.{place}.bias"]


def _imported(checkout: Path) -> tuple[Any, Any]:
    genotypes = types.ModuleType("utils.darts.genotypes")
    for name in ("Genotype", "darts_ops", "darts_ops_inv"):
        setattr(genotypes, name, None)
    tables = types.ModuleType("model.evaluators.nas_bench")
    tables.nasbench201_is_valid = lambda graph: True  # type: ignore[attr-defined]
    sys.modules["utils.darts"] = types.ModuleType("utils.darts")
    sys.modules["utils.darts.genotypes"] = genotypes
    sys.modules["model.evaluators.nas_bench"] = tables
    sys.path.insert(0, str(checkout))
    try:
        from dataset.nas_data import NASData  # type: ignore[import-not-found]
        from model.generators.gran import GRAN  # type: ignore[import-not-found]
    finally:
        sys.path.remove(str(checkout))
    return GRAN, NASData
