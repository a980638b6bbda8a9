"""Regions of a map, and in words what sets the structure of their cells apart from all others."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from svge_core.atlas import PlaneName
from svge_core.cells import OUTPUT
from svge_core.drawing import operation_label
from svge_core.errors import DataError
from svge_core.evaluation import title
from svge_core.explorer.charted import ChartedCells

#: clusters of a map; those that nothing sets apart have no name
CLUSTERS = 12
#: points that the clusters are looked for in, drawn at random from a larger map
_SAMPLED = 20_000
#: a name is true of at least so many of the region's cells, and of so many fewer elsewhere
FEWEST_INSIDE, LEAST_APART = 0.7, 0.2
#: statements about one region that are joined to pairs, the best ones
_JOINED = 6
_PIECE = 16_384
#: the feature maps as drawings name them
_ENDS = ("in", "1", "2", "out")


@dataclass(frozen=True)
class Region:
    """A cluster of a map whose cells have something in common.

    Attributes:
        x, y: the place of the cell in its middle, in coordinates of the map.
        reach: median distance of its cells from there.
        cells: number of its cells.
        name: what most of them share, such as "no conv 3×3, skip on in → out".
        inside: share of its cells that the name is true of, 0 to 1.
        elsewhere: share of all other charted cells that it is true of.
    """

    x: float
    y: float
    reach: float
    cells: int
    name: str
    inside: float
    elsewhere: float


@dataclass(frozen=True)
class Statement:
    """Something that is true of some cells.

    Attributes:
        about: what it speaks of; one name says no two things about the same.
        words: as it stands in a name.
        holds: for every charted cell, whether it is true.
    """

    about: str
    words: str
    holds: Bool[np.ndarray, " cells"]


def map_regions(explorer: ChartedCells, plane: PlaneName) -> tuple[Region, ...]:
    """The named regions of a map, largest first.

    The map is cut into clusters (k-means of SciPy, started by k-means++ from a fixed seed). A region's name is the
    statement, or the two statements, whose share among its cells exceeds the share among all others most (Youden's
    index); regions that no statement sets apart are left out.

    Args:
        explorer: an open checkpoint.
        plane: name of the map.

    Raises:
        DataError: if the checkpoint has no such map.
    """
    return tuple(region for region, _ in named_clusters(explorer, plane))


def named_clusters(explorer: ChartedCells, plane: PlaneName) -> list[tuple[Region, Int[np.ndarray, " members"]]]:
    """The same with the rows of each region's cells."""
    if plane not in explorer.atlas.planes:
        raise DataError(f"This checkpoint has no {plane!r} map: it has {', '.join(explorer.plane_names)}.")
    xy = explorer.atlas.planes[plane].xy
    member = clusters(xy)
    said = list(statements(explorer))
    if not said:
        return []
    holds = np.stack([statement.holds for statement in said])
    found = []
    for number in range(int(member.max()) + 1):
        rows = np.flatnonzero(member == number)
        if 0 < len(rows) < len(xy) and (region := _named(xy, rows, said, holds)) is not None:
            found.append((region, rows))
    return sorted(found, key=lambda one: -one[0].cells)


def clusters(xy: Float[np.ndarray, "cells 2"], count: int = CLUSTERS, seed: int = 0) -> Int[np.ndarray, " cells"]:
    """The number of every point's cluster, the same for the same points.

    Args:
        xy: places on a map.
        count: of clusters, fewer where there are fewer points.
        seed: of the sample and of the first centres.
    """
    from scipy.cluster.vq import kmeans2, vq

    points, rng = np.asarray(xy, dtype=np.float64), np.random.default_rng(seed)
    sample = points if len(points) <= _SAMPLED else points[rng.choice(len(points), _SAMPLED, replace=False)]
    distinct = len(np.unique(sample, axis=0))
    centres, _ = kmeans2(sample, min(count, distinct), iter=30, minit="++", rng=rng)
    return vq(points, centres)[0].astype(np.int64)


def statements(explorer: ChartedCells) -> Iterator[Statement]:
    """What can be said of the structure of the charted cells."""
    counts = explorer.operation_counts
    for number, op in enumerate(explorer.space.operations):
        label, used = operation_label(op), counts[:, number]
        if label == "none":
            label = "empty edges"
        yield Statement(op, f"no {label}", used == 0)
        for times in (1, 2, 3):
            yield Statement(op, f"{times}+ {label}", used >= times)
    yield from _of_places(explorer)
    yield from _of_wiring(explorer)


def _of_places(explorer: ChartedCells) -> Iterator[Statement]:
    """Operations on the edges between feature maps, where every cell has the same ones."""
    space = explorer.space
    edges = space.views()[0].map_edges
    if not edges or explorer.atlas.drawn is not None:
        return
    types, first = space.arrays(explorer.atlas.indices).types, len(space.vocabulary) - len(space.operations)
    for position, (source, target) in enumerate(edges, start=1):
        for number, op in enumerate(space.operations):
            label = operation_label(op)
            words = f"{'nothing' if label == 'none' else label} on {_ENDS[source]} → {_ENDS[target]}"
            yield Statement(f"edge {source} {target}", words, types[:, position] == first + number)


def _of_wiring(explorer: ChartedCells) -> Iterator[Statement]:
    """Numbers of edges and nodes, and a direct way from input to output, where cells differ in them."""
    drawn = explorer.atlas.drawn
    if drawn is not None:
        for number, family in enumerate(drawn.families):
            yield Statement("family", title(family), drawn.family == number)
        if "edges" in explorer.scores.meanings:
            yield from _few_and_many("edges", explorer.scores.frame["edges"].to_numpy())
        return
    if not explorer.space.varied_wiring:
        return
    space, total = explorer.space, len(explorer.atlas)
    edges, sizes = (np.empty(total, dtype=np.int64) for _ in range(2))
    # whether the input is read by each label of the vocabulary, and whether the output reads it
    starts, ends = (np.empty((len(space.vocabulary), total), dtype=bool) for _ in range(2))
    for start in range(0, total, _PIECE):
        piece = slice(start, start + _PIECE)
        arrays = space.arrays(explorer.atlas.indices[piece])
        last = arrays.adjacency[np.arange(len(arrays.sizes)), :, arrays.sizes - 1] != 0
        edges[piece], sizes[piece] = arrays.adjacency.sum(axis=(1, 2)), arrays.sizes
        for label in range(len(space.vocabulary)):
            starts[label, piece] = ((arrays.types == label) & (arrays.adjacency[:, 0] != 0)).any(axis=1)
            ends[label, piece] = ((arrays.types == label) & last).any(axis=1)
    yield from _few_and_many("edges", edges)
    yield from _few_and_many("nodes", sizes)
    for op in space.operations:
        label, words = space.vocabulary.index(op), operation_label(op)
        yield Statement(f"input to {op}", f"input → {words}", starts[label])
        yield Statement(f"input to {op}", f"no input → {words}", ~starts[label])
        yield Statement(f"{op} to output", f"{words} → output", ends[label])
        yield Statement(f"{op} to output", f"no {words} → output", ~ends[label])
    direct = starts[space.vocabulary.index(OUTPUT)]
    yield Statement("direct", "input → output", direct)
    yield Statement("direct", "no input → output", ~direct)


def _few_and_many(what: str, values: np.ndarray) -> Iterator[Statement]:
    """Whether there are as few as in a quarter of all cells, or as many."""
    few, many = np.percentile(values, (25, 75))
    yield Statement(what, f"up to {few:g} {what}", values <= few)
    yield Statement(what, f"{many:g}+ {what}", values >= many)


def _named(
    xy: np.ndarray, rows: np.ndarray, said: list[Statement], holds: Bool[np.ndarray, "statements cells"]
) -> Region | None:
    """The region of some rows; None where nothing sets them apart."""
    others = len(xy) - len(rows)
    within = holds[:, rows]
    inside = within.mean(axis=1)
    elsewhere = (holds.sum(axis=1) - within.sum(axis=1)) / others
    best, words, shares = LEAST_APART, "", (0.0, 0.0)
    order = np.argsort(elsewhere - inside, kind="stable")[:_JOINED].tolist()
    for place, first in enumerate(order):
        for second in (first, *order[:place]):
            if second != first and said[second].about == said[first].about:
                continue
            share = float((within[first] & within[second]).mean())
            total = int((holds[first] & holds[second]).sum())
            beyond = (total - share * len(rows)) / others
            if share >= FEWEST_INSIDE and share - beyond > best + 1e-9:
                names = dict.fromkeys(said[number].words for number in (second, first))
                best, words, shares = share - beyond, ", ".join(names), (share, beyond)
    if not words:
        return None
    middle = np.median(xy[rows], axis=0)
    apart = np.hypot(*(xy[rows] - middle).T)
    x, y = map(float, xy[rows[apart.argmin()]])
    return Region(x, y, float(np.median(apart)), len(rows), words, *shares)
