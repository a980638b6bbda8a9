"""Maps made up for tests."""

import numpy as np

from svge_core.atlas.projection import Projection


def free_plane(xy: np.ndarray, latent: int = 5) -> Projection:
    """A map without a linear inverse, as UMAP makes them."""
    return Projection(
        "umap", xy.astype(np.float32), "made up", np.zeros((0, latent), np.float32), *[np.zeros(0, np.float32)] * 2
    )
