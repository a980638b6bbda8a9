"""How the map is drawn, in the address of a page: what differs from the usual way."""

import math
from collections.abc import Mapping
from typing import Any

from ui.shared.choices import MapDisplay, SecondMap

DISPLAY_PARAMETERS = ("scale", "limits", "layers", "regions", "second", "second_colour", "second_checkpoint")
_LAYERS = ("contours", "surface")
#: the layout of a second map that is none in particular: the one that the first does not show
_OTHER = "other"
_LONGEST = 200


def parse_display(parameters: Mapping[str, str]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Read ``?scale=&limits=&layers=&regions=`` with ``&colour=``, and ``&second=&second_colour=&second_checkpoint=``:
    fields of a display, and what made no sense."""
    found: dict[str, Any] = {}
    problems: list[str] = []
    if (scale := parameters.get("scale")) in ("ranks", "values"):
        found["scale"] = scale
    elif scale is not None:
        problems.append(f"The link colours by {scale[:40]!r}: expected ranks or values.")
    if (text := parameters.get("limits")) is not None:
        ends = tuple(map(_number, text.split(",")))
        if len(ends) == 2 and None not in ends and ends[0] < ends[1] and parameters.get("colour"):  # type: ignore[operator]
            found |= {"limits": ends, "limits_of": parameters["colour"]}
        else:
            problems.append(f"The link's limits {text[:40]!r} are not two numbers, the lower first, of a named colour.")
    if (text := parameters.get("layers")) is not None:
        named = [word for word in text.split(",") if word]
        found |= {layer: layer in named for layer in _LAYERS}
        problems += [f"The link names an unknown layer {word[:40]!r}." for word in named if word not in _LAYERS]
    if (named := parameters.get("regions")) in ("0", "1"):
        found["regions"] = named == "1"
    elif named is not None:
        problems.append(f"The link's regions {named[:40]!r} are neither 0 nor 1.")
    if (layout := parameters.get("second")) in ("umap", "pca", _OTHER):
        plane = None if layout == _OTHER else layout
        colour, checkpoint = (parameters.get(f"second_{name}", "")[:_LONGEST] for name in ("colour", "checkpoint"))
        found["second"] = SecondMap(True, plane, colour, checkpoint)  # type: ignore[arg-type]
    elif layout is not None:
        problems.append(f"The link's second map {layout[:40]!r} is unknown: expected umap, pca or {_OTHER}.")
    return found, tuple(problems)


def display_parameters(display: MapDisplay, colour: str) -> dict[str, str]:
    """What the address says of it.

    Args:
        display: how the map is drawn.
        colour: key of the column that is shown.
    """
    found: dict[str, str] = {}
    if display.scale != "ranks":
        found["scale"] = display.scale
    if display.limits is not None and display.limits_of == colour:
        found["limits"] = ",".join(repr(end) for end in display.limits)
    if layers := [layer for layer in _LAYERS if getattr(display, layer)]:
        found["layers"] = ",".join(layers)
    if not display.regions:
        found["regions"] = "0"
    if (second := display.second).shown:
        found["second"] = second.plane or _OTHER
        found |= {"second_colour": second.colour} if second.colour else {}
        found |= {"second_checkpoint": second.checkpoint} if second.checkpoint else {}
    return found


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
