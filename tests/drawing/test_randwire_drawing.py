"""Drawings of RandWire's 34-node cells: every part there, nothing on top of another, ends at top and bottom."""

from itertools import combinations
from typing import get_args
from xml.etree import ElementTree

import numpy as np
import pytest

from svge_core.cells import Highlight
from svge_core.cells.cell import Cell
from svge_core.drawing.dot import to_svg
from svge_core.drawing.palette import THEMES, ThemeName
from svge_core.spaces import RandWire
from svge_core.spaces.randwire import from_edges
from svge_core.spaces.randwire_generators import PAIRS, RANDWIRE_FAMILIES, RANDWIRE_NODES

SPACE = RandWire()
SVG = "{http://www.w3.org/2000/svg}"
RNG = np.random.default_rng(5)
CHAIN = [(node, node + 1) for node in range(RANDWIRE_NODES - 1)]
#: 34 ranks and the longest edges there can be: the hardest graph to lay out
LONG = from_edges([*CHAIN, *sorted(set(PAIRS) - set(CHAIN), key=lambda pair: pair[0] - pair[1])[:129]])
CELLS = [*(SPACE.canonical(SPACE.family_cell(family, RNG)) for family in RANDWIRE_FAMILIES), LONG]


def centres(root: ElementTree.Element) -> dict[int, tuple[float, float]]:
    """Position of every node; y grows downwards."""
    found = {}
    for group in root.iter(f"{SVG}g"):
        if (ellipse := group.find(f"{SVG}ellipse")) is not None:
            found[int(group.attrib["data-node"])] = (float(ellipse.attrib["cx"]), float(ellipse.attrib["cy"]))
    return found


@pytest.mark.parametrize("theme", get_args(ThemeName))
@pytest.mark.parametrize("cell", CELLS, ids=[*RANDWIRE_FAMILIES, "long"])
def test_every_part_is_drawn_and_nodes_lie_apart(cell: Cell, theme: ThemeName) -> None:
    text = to_svg(cell, SPACE, theme=theme)
    root = ElementTree.fromstring(text)
    places = centres(root)
    assert set(places) == set(range(34))
    assert {g.get("data-edge") for g in root.iter(f"{SVG}g") if g.get("class") == "edge"} == {
        f"{u}-{v}" for u, v in cell.edges
    }
    diameter = 0.19 * 72
    for (xa, ya), (xb, yb) in combinations(places.values(), 2):
        assert np.hypot(xa - xb, ya - yb) > diameter
    assert all(places[u][1] < places[v][1] for u, v in cell.edges), "ranks follow the edges, downwards"
    assert len(list(root.iter(f"{SVG}text"))) == 0
    assert text == to_svg(cell, SPACE, theme=theme), "the same picture every time"
    assert THEMES[theme].accent not in text


def test_titles_say_which_node_it_is() -> None:
    root = ElementTree.fromstring(to_svg(CELLS[0], SPACE))
    titles = {title.text for title in root.iter(f"{SVG}title")}
    assert {"0: input", "7: sep conv 3×3", "33: output"} <= titles


def test_changed_edges_of_a_dense_graph_are_marked() -> None:
    cell = CELLS[2]
    marked = to_svg(cell, SPACE, highlight=Highlight(edges=frozenset(cell.edges[5:7])))
    assert marked.count(f'stroke="{THEMES["light"].accent}"') >= 2
