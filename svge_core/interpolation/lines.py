"""Lines between two latents: the straight one, the arc about the origin, and how long a way is. NumPy only."""

import numpy as np
from jaxtyping import Float

#: directions closer than this (radians) to equal or opposite have no arc of their own
_NO_ARC = 1e-4


def linear(
    start: Float[np.ndarray, " latent"], end: Float[np.ndarray, " latent"], stops: int
) -> Float[np.ndarray, "stops latent"]:
    """Evenly spaced points of the straight line, both ends included and exact."""
    share = np.linspace(0.0, 1.0, stops)[:, None]
    points = (1 - share) * start.astype(np.float64) + share * end.astype(np.float64)
    points[0], points[-1] = start, end
    return points.astype(np.float32)


def spherical(
    start: Float[np.ndarray, " latent"], end: Float[np.ndarray, " latent"], stops: int
) -> tuple[Float[np.ndarray, "stops latent"], str]:
    """Points of an arc about the origin: direction turned at constant speed (slerp, Shoemake 1985), length mixed.

    The origin, and not the mean of the data, because the prior N(0, I) keeps almost all of its mass on a shell about it
    (White 2016); the straight line between two such points dips below the shell, the arc does not.

    Returns:
        the points, both ends exact, and why they are those of the straight line instead (empty where they are not).
    """
    a, b = start.astype(np.float64), end.astype(np.float64)
    lengths = np.linalg.norm(a), np.linalg.norm(b)
    if min(lengths) < 1e-9:
        return linear(start, end, stops), "an end lies at the origin, which has no direction"
    u, v = a / lengths[0], b / lengths[1]
    # of the half chords: exact also for small angles and angles near pi, where arccos is not
    angle = 2 * np.arctan2(np.linalg.norm(u - v), np.linalg.norm(u + v))
    if angle < _NO_ARC:
        return linear(start, end, stops), "both ends lie in the same direction, so there is nothing to turn"
    if np.pi - angle < _NO_ARC:
        return linear(start, end, stops), "the ends lie opposite each other, so no arc is shorter than the others"
    share = np.linspace(0.0, 1.0, stops)[:, None]
    turned = (np.sin((1 - share) * angle) * u + np.sin(share * angle) * v) / np.sin(angle)
    points = ((1 - share) * lengths[0] + share * lengths[1]) * turned
    points[0], points[-1] = a, b
    return points.astype(np.float32), ""


def path_length(latents: Float[np.ndarray, "stops latent"]) -> Float[np.ndarray, " stops"]:
    """Euclidean length of the way from the first stop to every stop."""
    steps = np.linalg.norm(np.diff(latents.astype(np.float64), axis=0), axis=1)
    return np.concatenate([[0.0], np.cumsum(steps)])
