"""Columns that say how far the map, the decoder and nearness in the latent space can be trusted at every cell."""

import numpy as np
from jaxtyping import Float, Int

from svge_core.atlas import PlaneName
from svge_core.data import score_name
from svge_core.errors import DataError
from svge_core.explorer.certainty import MOST_CERTAIN
from svge_core.explorer.charted import ChartedCells
from svge_core.explorer.columns import Column, ColumnName, column, column_names, robust_limits
from svge_core.explorer.facts import NEAR

KEPT, APART, ALIKE, CERTAIN = "kept-neighbours-", "neighbours-differ-", "near-in-function", "decode-certainty"
#: all pairs are compared, and every cell is decoded: of larger charts that takes minutes to hours
MOST_CHARTED = 30_000
_MAPS: dict[PlaneName, str] = {"umap": "UMAP", "pca": "PCA"}


def trust_names(explorer: ChartedCells) -> tuple[ColumnName, ...]:
    """What there is: for every map, how many of the nearest cells stay near; for every measured accuracy, how much it
    differs between near cells; how many of these also compute nearly the same; and how sure the decoder is. Nothing for
    charts of more than :data:`MOST_CHARTED` cells.
    """
    if not NEAR < len(explorer.atlas) <= MOST_CHARTED:
        return ()
    names = [
        ColumnName(KEPT + plane, f"Neighbours that the {_MAPS[plane]} map keeps", "trust")
        for plane in explorer.plane_names
    ]
    for key, meaning in explorer.scores.meanings.items():
        if meaning.role == "accuracy" and meaning.kind == "measured" and not meaning.detail:
            names.append(ColumnName(APART + key, f"{score_name(meaning)}: difference to nearest cells", "trust"))
    names.append(ColumnName(ALIKE, "Nearest cells that are also nearest in function", "trust"))
    names.append(ColumnName(CERTAIN, "Decode certainty (power of ten)", "trust"))
    return tuple(names)


def map_names(explorer: ChartedCells) -> tuple[ColumnName, ...]:
    """All columns that can colour the map."""
    return (*column_names(explorer), *trust_names(explorer))


def map_column(explorer: ChartedCells, key: str) -> Column:
    """The values of a column that can colour the map.

    Raises:
        DataError: if there is no such column.
    """
    name = next((name for name in trust_names(explorer) if name.key == key), None)
    if name is None:
        return column(explorer, key)
    for plane in explorer.plane_names:
        if key == KEPT + plane:
            words = (
                f"Of the {NEAR} cells that are nearest in the latent space, the share that are also among the {NEAR} "
                f"nearest on the {_MAPS[plane]} map: where it is low, neighbours on the map are not those of the model"
            )
            return Column(name, "%", "max", words, 100 * kept_neighbours(explorer, plane), 0.0, 100.0, "")
    if key == ALIKE:
        words = (
            f"Of the {NEAR} cells that are nearest in the latent space, the share that are also among the {NEAR} "
            "nearest by what they compute (structure features; equal distances count): where it is low, near cells are "
            "alike in notation, not in function"
        )
        return Column(name, "%", "max", words, 100 * explorer.near_in_function, 0.0, 100.0, "")
    if key == CERTAIN:
        values = explorer.decode_certainty
        low, high, limits = robust_limits(values, "max")
        words = (
            "How many random decodings of the cell's own latent it takes, on average, until one gives another graph, "
            f"as a power of ten: at 3, one in 1,000 does. {MOST_CERTAIN} stands for {MOST_CERTAIN} or more"
        )
        return Column(name, "", "max", words, values, low, high, limits, most=float(MOST_CERTAIN))
    score = key.removeprefix(APART)
    values = differences(explorer, score)
    low, high, limits = robust_limits(values, "min")
    words = (
        f"Mean difference, without its sign, to the {NEAR} cells that are nearest in the latent space: where it is "
        f"large, near cells do not perform alike. Of: {explorer.meaning(score).describe()}"
    )
    return Column(name, explorer.meaning(score).unit, "min", words, values, low, high, limits)


def kept_neighbours(explorer: ChartedCells, plane: PlaneName) -> Float[np.ndarray, " cells"]:
    """Of every charted cell's nearest ones in the latent space, the share that are among as many nearest on a map.

    Cells at one place are in the order of a seeded shuffle in the latent space, and of their rows on the map.

    Raises:
        DataError: if the checkpoint has no such map.
    """
    if plane not in explorer.atlas.planes:
        raise DataError(f"This checkpoint has no {plane!r} map: it has {', '.join(explorer.plane_names)}.")
    layout = explorer.atlas.planes[plane]
    rows = np.arange(len(explorer.atlas))
    found = np.asarray(layout.tree.query(layout.xy, NEAR + 1)[1])
    own = found == rows[:, None]
    own[~own.any(axis=1), -1] = True  # itself not among so many at one place: the last of them goes
    near: Int[np.ndarray, "cells near"] = found[~own].reshape(len(rows), NEAR)
    return (near[:, :, None] == explorer.near_rows[:, None, :]).any(axis=2).mean(axis=1)


def differences(explorer: ChartedCells, key: str) -> Float[np.ndarray, " cells"]:
    """Mean absolute difference of a score between every charted cell and the nearest ones in the latent space; NaN
    where the cell or all of these have no value.

    Raises:
        DataError: if there is no such score.
    """
    explorer.scores.meaning(key)
    values = explorer.scores.frame[key].to_numpy().astype(np.float64)
    apart = np.abs(values[explorer.near_rows] - values[:, None])
    known = np.isfinite(apart)
    count = known.sum(axis=1)
    total = np.where(known, apart, 0.0).sum(axis=1)
    return np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)
