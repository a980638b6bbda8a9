"""How many of the latent's dimensions are used."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

#: a dimension whose posterior means vary less than this is unused (Burda et al. 2016)
ACTIVE = 0.01
LEVELS = (0.8, 0.9, 0.95, 0.99)


@dataclass(frozen=True)
class Dimension:
    """Principal components of codes.

    Attributes:
        width: dimensions there are.
        active: dimensions whose variance over cells is above :data:`ACTIVE`.
        cumulative: share of the variance in the first 1, 2, ... components; empty where nothing varies.
        needed: components that hold each of :data:`LEVELS` of the variance.
        effective: participation ratio, (sum of variances)^2 / sum of their squares: d for d equal ones; 0 for none.
        cells: codes looked at.
    """

    width: int
    active: int
    cumulative: tuple[float, ...]
    needed: tuple[int, ...]
    effective: float
    cells: int


def dimension(codes: Float[np.ndarray, "cells features"]) -> Dimension:
    """Measure codes, one row per cell."""
    data = codes.astype(np.float64)
    active = int((data.var(axis=0) > ACTIVE).sum())
    centred = data - data.mean(axis=0)
    values = np.clip(np.linalg.eigvalsh(centred.T @ centred / max(len(data) - 1, 1))[::-1], 0.0, None)
    if values.sum() <= 1e-12:  # all codes are equal but for rounding
        return Dimension(data.shape[1], active, (), (), 0.0, len(data))
    cumulative = np.minimum(np.cumsum(values) / values.sum(), 1.0)
    needed = tuple(int(np.searchsorted(cumulative, level - 1e-12)) + 1 for level in LEVELS)
    effective = float(values.sum() ** 2 / np.square(values).sum())
    return Dimension(data.shape[1], active, tuple(cumulative.tolist()), needed, effective, len(data))
