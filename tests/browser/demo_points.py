"""The points of the demo map, apart so that tests can know them without running the app."""

import numpy as np


def demo_xy(n: int) -> np.ndarray:
    """Clusters like those of a projected latent space, and one lonely point at the end for exact tests."""
    rng = np.random.default_rng(7)
    centres = rng.normal(size=(24, 2)) * (5.0, 3.4)
    which = rng.integers(0, len(centres), n)
    spread = rng.uniform(0.25, 1.0, size=(len(centres), 1))
    turn = rng.uniform(0, 2 * np.pi, n)
    ring = np.stack([np.cos(turn), np.sin(turn)], axis=1) * (0.55 + 0.3 * rng.random((n, 1)))
    xy = centres[which] + spread[which] * np.where(which[:, None] % 3 == 0, ring * 1.6, rng.normal(size=(n, 2)))
    xy[-1] = (14.0, 9.0)
    return xy.astype(np.float32)


def demo_accuracy(n: int) -> np.ndarray:
    """A score that rises to the right, unknown at one point in fifty."""
    xy, rng = demo_xy(n), np.random.default_rng(1)
    accuracy = 88 + 6 / (1 + np.exp(-(xy[:, 0] * 0.35 + np.sin(xy[:, 1])) + rng.normal(size=n) * 0.6))
    accuracy[rng.random(n) < 0.02] = np.nan
    return accuracy.astype(np.float32)
