"""Colours for operations beyond the hand-made ones: as far from all others as can be, and readable on their page."""

import colorsys
from collections.abc import Sequence
from functools import cache
from itertools import product

import numpy as np
from jaxtyping import Float

#: least contrast with the page (WCAG 2.1, 1.4.11)
_CONTRAST = 3.0
_HUES, _LIGHTNESSES, _SATURATIONS = 36, (0.22, 0.34, 0.46, 0.58, 0.7, 0.82), (0.35, 0.65, 1.0)
#: CIE 1931 XYZ of linear sRGB (IEC 61966-2-1)
_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
#: dichromats' linear sRGB, severity 1: protanopia, deuteranopia, tritanopia (Machado, Oliveira and Fernandes 2009)
_VISION = np.array(
    [
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
        [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
        [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
    ]
)


def _linear(colours: Sequence[str]) -> Float[np.ndarray, "colours 3"]:
    channels = np.array([list(bytes.fromhex(colour[1:])) for colour in colours]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def _seen(colours: Sequence[str]) -> Float[np.ndarray, "colours visions 3"]:
    """CIE L*a*b* (D65) of colours as people with each kind of vision see them."""
    seen = np.clip(np.einsum("vij,cj->cvi", _VISION, _linear(colours)), 0, 1)
    ratio = np.cbrt(np.maximum(seen @ _XYZ.T / [0.9505, 1.0, 1.089], 1e-9))
    x, y, z = np.moveaxis(ratio, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


@cache
def _candidates(page: str) -> tuple[str, ...]:
    """A grid of colours with enough contrast on the page."""
    found = []
    for hue, lightness, saturation in product(range(_HUES), _LIGHTNESSES, _SATURATIONS):
        rgb = colorsys.hls_to_rgb(hue / _HUES, lightness, saturation)
        found.append("#" + bytes(round(255 * channel) for channel in rgb).hex())
    luminances = _linear([page, *found]) @ _XYZ[1]
    dark, light = np.minimum(luminances[0], luminances[1:]), np.maximum(luminances[0], luminances[1:])
    return tuple(c for c, enough in zip(found, (light + 0.05) / (dark + 0.05) >= _CONTRAST, strict=True) if enough)


@cache
def further_colours(taken: tuple[str, ...], count: int, page: str) -> tuple[str, ...]:
    """One colour after another, each the one whose nearest of the others, for whom it is nearest, is furthest.

    Args:
        taken: colours (``#rrggbb``) that are in use.
        count: how many more.
        page: what they are seen on.

    Returns:
        ``#rrggbb`` each; all differ from each other and from those taken, as long as the grid has enough.
    """
    candidates, chosen = _candidates(page), []
    seen = _seen(candidates)
    nearest = np.full(len(candidates), np.inf)
    for colour in taken:
        nearest = np.minimum(nearest, np.linalg.norm(seen - _seen([colour]), axis=2).min(1))
    for _ in range(count):
        best = int(nearest.argmax())
        chosen.append(candidates[best])
        nearest = np.minimum(nearest, np.linalg.norm(seen - seen[best], axis=2).min(1))
    return tuple(chosen)
