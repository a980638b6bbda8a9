"""`Cell` to and from `networkx.DiGraph` and `torch_geometric.data.Data`, and a whole space as a PyG dataset.

networkx, torch and torch_geometric are imported when a function needs them: the last takes seconds.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from svge_core.cells import Cell
from svge_core.data import Scores
from svge_core.errors import DataError, InvalidCellError
from svge_core.spaces import AbstractSearchSpace

if TYPE_CHECKING:
    import networkx
    import torch_geometric.data


def to_networkx(cell: Cell) -> "networkx.DiGraph":
    """Nodes 0, 1, ... in the cell's order, each with its label as attribute ``op``."""
    import networkx

    graph = networkx.DiGraph()
    graph.add_nodes_from((node, {"op": op}) for node, op in enumerate(cell.ops))
    graph.add_edges_from(cell.edges)
    return graph


def from_networkx(graph: "networkx.Graph") -> Cell:
    """The cell of a directed graph whose nodes carry their label as attribute ``op``.

    Nodes may have any names. Integers are taken in ascending order, others in the graph's order; where that order is
    not topological, the nodes are sorted topologically.

    Raises:
        InvalidCellError: if the graph is undirected, has a cycle or parallel edges, or a node has no text ``op``.
    """
    if not graph.is_directed():
        raise InvalidCellError("A cell is a directed graph; got an undirected one (networkx.DiGraph is expected).")
    nodes = list(graph.nodes)
    if all(type(node) is int for node in nodes):
        nodes.sort()
    ops: list[str] = []
    for node in nodes:
        op = graph.nodes[node].get("op")
        if not isinstance(op, str):
            raise InvalidCellError(f"Node {node!r} has no label: expected a text attribute 'op', got {op!r}.")
        ops.append(op)
    position = {node: place for place, node in enumerate(nodes)}
    return Cell.from_graph(ops, [(position[u], position[v]) for u, v in graph.edges()])


def to_data(cell: Cell, space: AbstractSearchSpace) -> "torch_geometric.data.Data":
    """One PyG graph.

    ``x``: float32 (nodes, types), one-hot over ``space.vocabulary``; ``node_type``: int64 (nodes,) ids into it;
    ``edge_index``: int64 (2, edges).

    Raises:
        InvalidCellError: if a label is not in the space's vocabulary.
    """
    import torch
    from torch_geometric.data import Data

    types = torch.tensor(_type_ids(cell, space))
    x = torch.nn.functional.one_hot(types, len(space.vocabulary)).float()
    edges = torch.tensor(cell.edges, dtype=torch.int64).reshape(-1, 2).t().contiguous()
    return Data(x=x, edge_index=edges, node_type=types)


def from_data(data: "torch_geometric.data.Data", space: AbstractSearchSpace) -> Cell:
    """The cell of a PyG graph: labels from ``node_type``, or else the largest entry of each row of ``x``.

    The order of edges does not matter; nodes that are not in a topological order are sorted into one.

    Raises:
        InvalidCellError: if labels are missing or out of range, or the graph has a cycle or parallel edges.
    """
    types = data.get("node_type")
    if types is None:
        x = data.get("x")
        if x is None or x.dim() != 2 or x.shape[1] != len(space.vocabulary):
            shape = None if x is None else tuple(x.shape)
            raise InvalidCellError(
                f"The graph has no labels: expected node_type, or x of shape (nodes, {len(space.vocabulary)}) over "
                f"{', '.join(space.vocabulary)}; got x of shape {shape}."
            )
        types = x.argmax(dim=1)
    ids = [int(i) for i in types.flatten()]
    outside = [i for i in ids if not 0 <= i < len(space.vocabulary)]
    if outside:
        raise InvalidCellError(f"Node type {outside[0]} is not one of 0 to {len(space.vocabulary) - 1}.")
    edge_index = data.get("edge_index")
    if edge_index is None or edge_index.dim() != 2 or edge_index.shape[0] != 2:
        raise InvalidCellError("The graph has no edge_index of shape (2, edges).")
    edges = [(int(u), int(v)) for u, v in edge_index.t().tolist()]
    return Cell.from_graph([space.vocabulary[i] for i in ids], edges)


def space_dataset(
    space: AbstractSearchSpace, scores: Scores | None = None, keys: Sequence[str] = ()
) -> "torch_geometric.data.InMemoryDataset":
    """All cells of an enumerated space as an in-memory PyG dataset, in official order.

    Every graph has the fields of :func:`to_data`, ``cell_id`` (official index; PyG would shift a field named
    "...index" when it batches) and, with scores, ``y``: float32 (1, keys), NaN where a value is missing.

    Args:
        space: a space with at most a million cells (15,625 take 0.5 s).
        scores: where targets come from.
        keys: the scores to offer as targets, in this order.

    Raises:
        DataError: if the space is not enumerated, or the scores are another space's or lack a key.
    """
    if space.size is None or not space.enumerated:
        raise DataError(f"{space.title} is not enumerated: convert single cells with to_data.")
    if keys and scores is None:
        raise DataError(f"Targets {', '.join(keys)} are asked for without scores.")
    if scores is not None:
        if scores.space != space.name or len(scores.frame) != space.size:
            raise DataError(f"Scores of {scores.space} cannot label the cells of {space.name}.")
        for key in keys:
            scores.meaning(key)  # names the known ones if it is not there

    import torch
    from torch_geometric.data import Data, InMemoryDataset

    types: list[int] = []
    edges: list[tuple[int, int]] = []
    node_counts, edge_counts = np.zeros(space.size, dtype=np.int64), np.zeros(space.size, dtype=np.int64)
    for index, cell in enumerate(space.enumerate()):
        types.extend(_type_ids(cell, space))
        edges.extend(cell.edges)
        node_counts[index], edge_counts[index] = cell.num_nodes, len(cell.edges)
    # the layout InMemoryDataset.collate would build from a list of graphs, without making 15,625 objects first
    node_type = torch.tensor(types)
    fields = {
        "x": torch.nn.functional.one_hot(node_type, len(space.vocabulary)).float(),
        "edge_index": torch.tensor(edges, dtype=torch.int64).reshape(-1, 2).t().contiguous(),
        "node_type": node_type,
        "cell_id": torch.arange(space.size),
    }
    slices = {
        "x": _offsets(node_counts),
        "edge_index": _offsets(edge_counts),
        "node_type": _offsets(node_counts),
        "cell_id": _offsets(np.ones(space.size, dtype=np.int64)),
    }
    if scores is not None and keys:
        fields["y"] = torch.tensor(scores.frame[list(keys)].to_numpy(dtype=np.float32))
        slices["y"] = slices["cell_id"]
    dataset = InMemoryDataset()
    dataset.data = Data(**fields)
    dataset.slices = {name: torch.from_numpy(offsets) for name, offsets in slices.items()}
    return dataset


def _type_ids(cell: Cell, space: AbstractSearchSpace) -> list[int]:
    ids = {label: i for i, label in enumerate(space.vocabulary)}
    unknown = [op for op in cell.ops if op not in ids]
    if unknown:
        raise InvalidCellError(
            f"Label {unknown[0]!r} is not in the vocabulary of {space.title}: expected one of {', '.join(ids)}."
        )
    return [ids[op] for op in cell.ops]


def _offsets(counts: np.ndarray) -> np.ndarray:
    """Start of every graph's part, and the end of the last."""
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])
