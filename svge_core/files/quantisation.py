"""Numbers as 16-bit steps between a lowest and a highest value: half the size of float32, at a stated resolution."""

import numpy as np
from jaxtyping import Float, UInt16

from svge_core.errors import SvgeError

STEPS = 65_535


def quantised(values: Float[np.ndarray, " rows"]) -> tuple[UInt16[np.ndarray, " rows"], tuple[float, float]]:
    """The nearest of 65,536 evenly spaced values from the lowest to the highest, and these two.

    Raises:
        SvgeError: if a value is not finite.
    """
    data = np.asarray(values, dtype=np.float64)
    if not np.isfinite(data).all():
        raise SvgeError(f"{int((~np.isfinite(data)).sum()):,} of {len(data):,} values are not finite.")
    low, high = (float(data.min()), float(data.max())) if len(data) else (0.0, 0.0)
    scale = STEPS / (high - low) if high > low else 0.0
    return np.round((data - low) * scale).astype(np.uint16), (low, high)


def restored(steps: UInt16[np.ndarray, " rows"], bounds: tuple[float, float]) -> Float[np.ndarray, " rows"]:
    """The values of steps as float32, off by at most half a step."""
    low, high = bounds
    return (low + steps * ((high - low) / STEPS)).astype(np.float32)
