"""Parameters and multiply-accumulates of NAS-Bench-101's network, for many cells at once.

The authors' network (Ying et al. 2019): a 3x3 stem of 128 channels, three stacks of three cells on 32, 16 and 8 pixels
a side with 128, 256 and 512 channels, global average pooling, a classifier. A vertex takes the sum of its sources; the
input and the output of a cell are adapted by 1x1 projections; the output concatenates its sources. Every convolution
is without bias and followed by batch norm with scale and shift.

**The order of the vertices counts.** Where three vertices feed the output, its channels do not divide, and the first of
them, in the order in which the file writes the vertices, take one more. So isomorphic cells have networks of different
sizes. The published count is that of the official file's order, which a key does not tell; cells here are counted in
their canonical order, and :func:`params_by_order` gives the counts of all orders. (One, two and four divide 128, 256
and 512, and nine edges do not allow five.) ``python -m bench.nasbench101_sizes`` measures how often it matters.
"""

from itertools import permutations

import numpy as np
from jaxtyping import Float, Int

from svge_core.spaces.nasbench101.codes import CellGraphs

STEM, STACKS, CELLS, SIDE, CLASSES = 128, 3, 3, 32, 10
NETWORK = "NAS-Bench-101 network: 128 stem channels, 3 stacks of 3 cells, 32x32 input, 10 classes"
#: weights per pair of channels of each operation digit: conv3x3, conv1x1, maxpool3x3
KERNEL_AREA = np.array([9, 1, 0])


def channels_of_vertices(
    adjacency: Int[np.ndarray, "cells vertices vertices"], vertices: Int[np.ndarray, " cells"], channels: int
) -> Int[np.ndarray, "cells vertices"]:
    """Output channels of every inner vertex of a cell with so many output channels (``compute_vertex_channels``).

    Inner vertices that feed the output share its channels, the first ones taking one more where they do not divide; any
    other vertex has as many as the widest vertex it feeds.

    Args:
        adjacency: 1 where an edge goes from the second axis to the third, vertices in a topological order, padded.
        vertices: how many each cell has, input and output included.
        channels: of the output.

    Returns:
        channels by vertex; 0 at the ends of a cell and behind it.
    """
    adjacency, count = adjacency.astype(np.int64), vertices
    width = adjacency.shape[1]
    rows = np.arange(len(adjacency))
    to_output = adjacency[rows, :, count - 1]  # (cells, vertices)
    to_output[:, 0] = 0  # the input's projection is added, not concatenated
    degree = np.maximum(to_output.sum(1), 1)
    share, rest = channels // degree, channels % degree
    rank = to_output.cumsum(1)
    result = to_output * (share[:, None] + (rank <= rest[:, None]))
    for vertex in range(width - 2, 0, -1):
        fed = (adjacency[:, vertex] * result).max(1)
        inner = (vertex < count - 1) & (to_output[:, vertex] == 0)
        result[:, vertex] = np.where(inner, fed, result[:, vertex])
    return result


def _cell(graphs: CellGraphs, inputs: int, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Parameters of one cell, and multiply-accumulates per pixel."""
    widths = channels_of_vertices(graphs.adjacency, graphs.vertices, channels)
    rows = np.arange(len(widths))
    from_input = graphs.adjacency[:, 0].astype(np.int64)
    to_output = from_input[rows, graphs.vertices - 1]
    projected = from_input * widths  # projections of the input to inner vertices; widths are 0 at the output
    macs = inputs * projected.sum(1) + inputs * channels * to_output
    norms = 2 * projected.sum(1) + 2 * channels * to_output
    inner = widths[:, 1:-1]
    area = KERNEL_AREA[graphs.operations]
    macs = macs + (area * inner * inner).sum(1)
    norms = norms + (2 * (area > 0) * inner).sum(1)
    return macs + norms, macs


def sizes(graphs: CellGraphs) -> tuple[Float[np.ndarray, " cells"], Float[np.ndarray, " cells"]]:
    """Parameters and multiply-accumulates in millions; batch norms and pooling are not counted as the latter."""
    count = len(graphs.vertices)
    params = np.full(count, 27 * STEM + 2 * STEM, dtype=np.int64)
    macs = np.full(count, 27 * STEM * SIDE * SIDE, dtype=np.int64)
    inputs = channels = STEM
    for stack in range(STACKS):
        channels, side = STEM * 2**stack, SIDE // 2**stack
        for _ in range(CELLS):
            cell_params, cell_macs = _cell(graphs, inputs, channels)
            params += cell_params
            macs += cell_macs * side * side
            inputs = channels
    params += channels * CLASSES + CLASSES
    macs += channels * CLASSES
    return params / 1e6, macs / 1e6


def params_by_order(graph: CellGraphs) -> Float[np.ndarray, " counts"]:
    """The distinct numbers of parameters that one cell has in all orders of its vertices, in millions, ascending.

    Args:
        graph: a single cell, in any topological order.
    """
    adjacency, count = graph.adjacency[0].astype(np.int64), int(graph.vertices[0])
    width, inner = adjacency.shape[0], range(1, count - 1)
    feeding = int(adjacency[1 : count - 1, count - 1].sum())
    if all(STEM * 2**stack % max(feeding, 1) == 0 for stack in range(STACKS)):
        return sizes(graph)[0]
    orders = np.array([(0, *order, *range(count - 1, width)) for order in permutations(inner)])
    written = adjacency[orders[:, :, None], orders[:, None, :]]
    topological = ~np.tril(written).any((1, 2))
    orders, written = orders[topological], written[topological]
    operations = graph.operations[0][orders[:, 1:-1] - 1]
    return np.unique(sizes(CellGraphs(np.full(len(orders), count), operations, written))[0])
