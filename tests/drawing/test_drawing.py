"""Drawings: golden SVG, well-formed and safe, highlighting, colour-blind safety; differences by brute force."""

import colorsys
import os
import re
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations, permutations
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from svge_core.cells import Highlight, difference
from svge_core.cells.cell import Cell
from svge_core.drawing.dot import View, to_dot, to_png, to_svg
from svge_core.drawing.palette import THEMES, ThemeName, blended, operation_colours, operation_label
from svge_core.errors import InvalidCellError, SvgeError
from svge_core.spaces import DrawingView, NASBench201
from svge_core.spaces.registry import SPACES
from tests.support.colours import VISION, contrast, lab, linear
from tests.support.strategies import small_cells

SPACE = NASBench201()
CELL = SPACE.parse("|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_3x3~2|")
OTHER = SPACE.parse("|none~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_3x3~2|")
GOLDEN = Path(__file__).parent / "golden"
SVG = "{http://www.w3.org/2000/svg}"
THEME_NAMES: tuple[ThemeName, ...] = ("light", "dark")


class OtherSpace(NASBench201):
    """A space with other operations, drawn as boxes."""

    name = "other"
    title = "Other"
    operations = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3", "mystery_op")

    def views(self) -> tuple[DrawingView, ...]:
        return (DrawingView(),)


SMALL = Cell(
    ("input", "conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3", "output"),
    ((0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (0, 4)),
)


def normalised(svg: str) -> str:
    """Drawing without the last digits of coordinates, which may differ between builds of Graphviz."""
    return re.sub(r"-?\d+\.\d+", lambda number: f"{float(number[0]):.0f}".replace("-0", "0"), svg)


@pytest.mark.parametrize("theme", THEME_NAMES)
@pytest.mark.parametrize("view", ["maps", "operations"])
def test_drawings_equal_the_golden_files(theme: ThemeName, view: View) -> None:
    svg = to_svg(CELL, SPACE, view=view, theme=theme, highlight=Highlight(frozenset({2}), frozenset({(0, 2)})))
    path = GOLDEN / f"nasbench201_{view}_{theme}.svg"
    if "SVGE_UPDATE_GOLDEN" in os.environ:  # look at the new picture before committing it
        path.write_text(svg, encoding="utf-8")
    assert normalised(svg) == normalised(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("theme", THEME_NAMES)
def test_maps_view_has_four_maps_and_six_labelled_operations(theme: ThemeName) -> None:
    root = ElementTree.fromstring(to_svg(CELL, SPACE, theme=theme))
    groups = list(root.iter(f"{SVG}g"))
    edges = {g.get("data-node"): g for g in groups if g.get("class") == "edge"}
    assert set(edges) == {"1", "2", "3", "4", "5", "6"}
    assert sum(g.get("class") == "node" for g in groups) == 4
    colours = operation_colours(SPACE, theme)
    for node, group in edges.items():
        op = CELL.ops[int(node or 0)]
        path, text = group.find(f"{SVG}path"), group.find(f"{SVG}text")
        assert path is not None
        assert text is not None
        assert path.get("stroke") == colours[op]
        assert text.text == operation_label(op)
        assert ("stroke-dasharray" in path.attrib) == (op == "none")
    title = root.find(f"{SVG}title")
    assert title is not None
    assert title.text == f"NAS-Bench-201 cell {SPACE.format(CELL)}"


def test_the_image_scales_and_has_no_page_wide_names() -> None:
    svg = to_svg(CELL, SPACE, title="First cell")
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert root.get("aria-label") == "First cell"
    assert [float(n) for n in root.attrib["viewBox"].split()][2:] == [
        float(root.attrib["width"]),
        float(root.attrib["height"]),
    ]
    assert not any("id" in element.attrib for element in root.iter())
    assert "<?xml" not in svg
    assert "<!DOCTYPE" not in svg
    assert not any(element.get("class") == "graph" and element.find(f"{SVG}polygon") is not None for element in root)


def test_drawings_of_one_space_have_one_size() -> None:
    boxes = {
        ElementTree.fromstring(to_svg(cell, SPACE, highlight=mark)).get("viewBox")
        for cell in (CELL, OTHER, SPACE.from_genotype((0,) * 6), SPACE.from_genotype((4,) * 6))
        for mark in (None, Highlight(frozenset(range(1, 7))))
    }
    assert len(boxes) == 1


@pytest.mark.parametrize("view", ["maps", "operations"])
def test_highlighting_marks_what_changed(view: View) -> None:
    changed = difference(CELL, OTHER)
    assert changed.second == Highlight(frozenset({1}))
    assert changed.edits == 1
    accent = THEMES["light"].accent
    assert accent not in to_svg(OTHER, SPACE, view=view)
    marked = to_svg(OTHER, SPACE, view=view, highlight=changed.second)
    assert marked.count(accent) >= 1
    assert "changed" not in marked


def test_operations_view_draws_every_node_and_edge() -> None:
    for cell, space in ((CELL, SPACE), (SMALL, OtherSpace())):
        root = ElementTree.fromstring(to_svg(cell, space, view="operations"))
        nodes = {g.get("data-node") for g in root.iter(f"{SVG}g") if g.get("class") == "node"}
        edges = {g.get("data-edge") for g in root.iter(f"{SVG}g") if g.get("class") == "edge"}
        assert nodes == {str(node) for node in range(cell.num_nodes)}
        assert edges == {f"{u}-{v}" for u, v in cell.edges}


def test_large_cells_are_drawn_without_text() -> None:
    cell = Cell(("input", *["mystery_op"] * 32, "output"), tuple((node, node + 1) for node in range(33)))
    root = ElementTree.fromstring(to_svg(cell, OtherSpace()))
    assert not list(root.iter(f"{SVG}text"))
    assert sum(g.get("class") == "node" for g in root.iter(f"{SVG}g")) == 34


def test_png_is_transparent_and_follows_the_resolution() -> None:
    small, large = to_png(CELL, SPACE, dpi=72), to_png(CELL, SPACE, dpi=144)
    for image in (small, large):
        assert image.startswith(b"\x89PNG\r\n\x1a\n")
        assert image[25] == 6, "colour type with alpha"
    width, doubled = (int.from_bytes(image[16:20], "big") for image in (small, large))
    assert abs(doubled - 2 * width) <= 4
    with pytest.raises(SvgeError, match="Expected a resolution from 24 to 1200 dpi; got 5000"):
        to_png(CELL, SPACE, dpi=5000)


NASTY = [
    "<script>alert(1)</script>",
    '"; }; digraph evil { a',
    "</title><img src=x onerror=alert(1)>",
    "<<TABLE><TR><TD>x</TD></TR></TABLE>>",
    "<b>bold</b>",
    "\\N \\G \\E &amp; &lt;",
    "]]><!--",
    "nul\x00 bell\x07 line\nbreak \u202e\ud7ff",
    "' onload='x",
]


@pytest.mark.parametrize("text", NASTY)
def test_text_never_becomes_markup(text: str) -> None:
    cell = Cell(("input", text, "output"), ((0, 1), (1, 2)))
    svg = to_svg(cell, OtherSpace(), title=text)
    root = ElementTree.fromstring(svg)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg",
        "title",
        "g",
        "path",
        "polygon",
        "text",
        "ellipse",
        "polyline",
    }
    assert not any(name.startswith("on") or "href" in name for element in root.iter() for name in element.attrib)
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
    title = root.find(f"{SVG}title")
    assert title is not None
    assert title.text == shown
    label = "".join(letter if letter.isprintable() else "\ufffd" for letter in operation_label(text))
    label = label if len(label) <= 24 else label[:23] + "…"
    assert label in [element.text for element in root.iter(f"{SVG}text")]
    assert to_png(cell, OtherSpace()).startswith(b"\x89PNG")


@settings(max_examples=30)
@given(st.text(max_size=30))
def test_any_text_can_be_drawn(text: str) -> None:
    ElementTree.fromstring(to_svg(Cell(("input", text, "output"), ((0, 1), (1, 2))), OtherSpace(), title=text))


@settings(max_examples=30)
@given(small_cells(max_nodes=7))
def test_any_graph_can_be_drawn(cell: Cell) -> None:
    ElementTree.fromstring(to_svg(cell, SPACE))


def test_views_that_do_not_fit_are_refused() -> None:
    with pytest.raises(SvgeError, match="feature-map view is for NAS-Bench-201 cells; use view='operations' for Other"):
        to_dot(SMALL, OtherSpace(), view="maps")
    with pytest.raises(InvalidCellError, match="8 nodes"):
        to_dot(SMALL, SPACE, view="maps")
    assert "rankdir" in to_dot(SMALL, SPACE)


def test_several_threads_draw_at_once() -> None:
    cells = [SPACE.from_index(index) for index in range(24)]
    expected = [to_svg(cell, SPACE, view="operations") for cell in cells]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(lambda cell: to_svg(cell, SPACE, view="operations"), cells)) == expected


# names and colours


@pytest.mark.parametrize(
    ("op", "label"),
    [
        ("nor_conv_3x3", "conv 3×3"),
        ("conv1x1-bn-relu", "conv 1×1"),
        ("maxpool3x3", "max pool 3×3"),
        ("avg_pool_3x3", "avg pool 3×3"),
        ("sep_conv_5x5", "sep conv 5×5"),
        ("dil_conv_3x3", "dil conv 3×3"),
        ("skip_connect", "skip"),
        ("none", "none"),
        ("input", "input"),
        ("my__own_op", "my own op"),
    ],
)
def test_operation_labels(op: str, label: str) -> None:
    assert operation_label(op) == label


@pytest.mark.parametrize("theme", THEME_NAMES)
def test_operations_stay_apart_for_colour_blind_readers(theme: ThemeName) -> None:
    few = [space for space in SPACES.values() if len(space.operations) <= 7]
    for space in [*few, OtherSpace()]:
        colours = operation_colours(space, theme)
        assert tuple(colours) == space.operations
        for (first, a), (second, b) in combinations(colours.items(), 2):
            for vision, matrix in VISION.items():
                distance = np.linalg.norm(lab(a, matrix) - lab(b, matrix))
                assert distance > 14, f"{first} and {second} look alike in {theme} with {vision}: {distance:.1f}"


@pytest.mark.parametrize("count", [8, 19, 40])
@pytest.mark.parametrize("theme", THEME_NAMES)
def test_many_operations_have_a_colour_each(theme: ThemeName, count: int) -> None:
    class Many(OtherSpace):
        operations = ("conv3x3-bn-relu", *(f"op_{number}" for number in range(count - 1)))

    colours = operation_colours(Many(), theme)
    assert tuple(colours) == Many.operations
    assert list(operation_colours(OtherSpace(), theme).values())[-1] in colours.values(), "the hand-made ones first"
    assert all(contrast(colour, THEMES[theme].page) >= 3 for colour in colours.values())
    apart = [
        np.linalg.norm(lab(a, VISION["normal"]) - lab(b, VISION["normal"]))
        for a, b in combinations(colours.values(), 2)
    ]
    assert min(apart) > (14 if count < 20 else 5)


@pytest.mark.parametrize("theme", THEME_NAMES)
def test_text_and_lines_can_be_read(theme: ThemeName) -> None:
    look = THEMES[theme]
    assert contrast(look.text, look.page) >= 7
    assert contrast(look.text, look.surface) >= 7
    assert contrast(look.muted, look.page) >= 4.5
    assert contrast(look.accent, look.page) >= 4.5
    for op, colour in operation_colours(SPACE, theme).items():
        assert contrast(colour, look.page) >= 3 or op == "none"
        assert contrast(look.text, blended(colour, look.page, 0.16)) >= 7
    assert colorsys.rgb_to_hsv(*(linear(look.text)))[1] < 0.6


# differences


def test_equal_cells_do_not_differ() -> None:
    same = difference(SMALL, SMALL)
    assert same.edits == 0
    assert same.first == same.second == Highlight()


def test_difference_literal_cases() -> None:
    fewer = Cell(("input", "conv3x3-bn-relu", "maxpool3x3", "output"), ((0, 1), (1, 2), (2, 3), (0, 3)))
    change = difference(SMALL, fewer)
    assert change.first == Highlight(frozenset({2}), frozenset({(0, 2), (2, 3)}))
    assert change.second == Highlight()
    assert change.edits == 3
    back = difference(fewer, SMALL)
    assert back.second == change.first
    assert back.edits == 3
    # written in another order, nothing changes
    assert difference(SMALL, SMALL.relabelled([0, 2, 1, 3, 4])).edits == 0


def test_difference_of_large_cells_pairs_nodes_in_order() -> None:
    ops = ("input", *(["a", "b", "c"] * 4), "output")
    chain = Cell(ops, tuple((node, node + 1) for node in range(13)))
    shorter = Cell((*ops[:5], *ops[6:]), tuple((node, node + 1) for node in range(12)))
    change = difference(chain, shorter)
    assert change.first.nodes == frozenset({5})
    assert change.edits == 4


@settings(max_examples=60)
@given(small_cells(max_nodes=5), small_cells(max_nodes=5))
def test_difference_is_symmetric_and_smallest(first: Cell, second: Cell) -> None:
    edits = difference(first, second).edits
    assert edits == difference(second, first).edits
    assert (edits == 0) >= (first == second)
    if first.num_nodes == second.num_nodes and first.edges != second.edges:
        inner = range(1, first.num_nodes - 1)
        orders = [(0, *order, first.num_nodes - 1)[: first.num_nodes] for order in permutations(inner)]
        ordered = {(n, n + 1) for n in range(first.num_nodes - 1)}
        if not (ordered <= set(first.edges) and ordered <= set(second.edges)):
            costs = [
                sum(first.ops[a] != second.ops[b] for a, b in enumerate(order))
                + len({(order[u], order[v]) for u, v in first.edges} ^ set(second.edges))
                for order in orders
            ]
            assert edits == min(costs)
