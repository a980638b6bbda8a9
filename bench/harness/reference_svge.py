"""The authors' SVGe, imported from a checkout of github.com/jovitalukasik/SVGe and run with its mathematics unchanged.

Nothing of it is in this repository. Only names that moved since torch-geometric 1.5 are supplied before the import.
"""

import contextlib
import importlib.util
import sys
import types
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from svge_core.cells import Cell
from svge_core.errors import SvgeError
from svge_core.spaces import AbstractSearchSpace

#: defaults of the checkout's configs/model_configs/svge_configspace.json
MODEL_CONFIG = {
    "node_embedding_dim": 250,
    "graph_embedding_dim": 56,
    "gnn_iteration_layers": 2,
    "beta": 0.005,
    "node_dropout": 0.0,
}
#: their ids: 0 output, 1 input, then conv 1x1, conv 3x3, pooling, skip, none
TYPE_IDS = {
    "output": 0,
    "input": 1,
    "nor_conv_1x1": 2,
    "nor_conv_3x3": 3,
    "avg_pool_3x3": 4,
    "skip_connect": 5,
    "none": 6,
}


class Reference:
    """The authors' model with their data preparation and loader."""

    def __init__(self, checkout: Path, space: AbstractSearchSpace, cells: list[Cell]) -> None:
        if not (checkout / "models" / "SVGe.py").is_file():
            raise SvgeError(f"{checkout} is no checkout of SVGe: expected a file models/SVGe.py there.")
        from torch_geometric.data import Data

        code = _module("reference_svge_model", checkout / "models" / "SVGe.py")
        preparation = _module("reference_svge_data", checkout / "datasets" / "utils_data.py")
        torch.manual_seed(1)
        data_config = {"num_node_atts": len(TYPE_IDS), "max_num_nodes": space.max_nodes}
        self.model = code.SVGE(MODEL_CONFIG, data_config)
        graphs = [
            Data(
                edge_index=torch.tensor(cell.edges).t().contiguous(),
                node_atts=torch.tensor([TYPE_IDS[op] for op in cell.ops]),
                num_nodes=cell.num_nodes,
                acc=torch.zeros(1),
            )
            for cell in cells
        ]
        self.samples = preparation.prep_data(graphs, max_num_nodes=space.max_nodes)
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=1e-4)

    def trainer(self, batch_size: int) -> Callable[[], int]:
        """One published training step per call, data loader included; returns the graphs it used."""
        from torch_geometric.loader import DataLoader

        def batches() -> Any:
            while True:
                yield from DataLoader(self.samples, batch_size=batch_size, shuffle=True, drop_last=True)

        stream = batches()
        self.model.train()

        def step() -> int:
            self.model.train()
            self.optimiser.zero_grad()
            loss, _, _ = self.model(next(stream))
            loss.backward()
            self.optimiser.step()
            return batch_size

        return step

    def encoder(self, batch_size: int) -> Callable[[], int]:
        """Posterior mean of one prepared batch per call."""
        from torch_geometric.data import Batch

        batch: Any = Batch.from_data_list([sample[0] for sample in self.samples[:batch_size]])

        def step() -> int:
            self.model.eval()
            with torch.no_grad():
                self.model.Encoder(batch.edge_index, batch.node_atts, batch.batch)
            return batch_size

        return step

    def decoder(self, batch_size: int) -> Callable[[], int]:
        """Their stochastic two-sided decoding of one batch of latents per call.

        Their graph reader fails with an IndexError when a backward run draws the output type early; their own
        evaluation swallows that and counts the decodings as invalid, after the same work. So does this.
        """
        z = torch.randn(batch_size, MODEL_CONFIG["graph_embedding_dim"])  # type: ignore[arg-type]

        def step() -> int:
            self.model.eval()
            with torch.no_grad(), contextlib.suppress(IndexError):
                self.model.inference(z)
            return batch_size

        return step


def _module(name: str, path: Path) -> ModuleType:
    """Import one file of the checkout, with the moved names in place."""
    import torch_geometric.utils as utils
    from torch_geometric.utils import scatter

    def scatter_(reduce: str, source: Tensor, index: Tensor) -> Tensor:
        return scatter(source, index, reduce="sum" if reduce == "add" else reduce)

    if not hasattr(utils, "scatter_"):
        utils.scatter_ = scatter_  # type: ignore[attr-defined]
    sys.modules.setdefault("igraph", types.ModuleType("igraph"))  # imported there, never used by the model
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
