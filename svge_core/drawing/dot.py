"""Cell -> Graphviz DOT -> SVG, PNG or PDF.

Two kinds of views; a space says which it has. ``"maps"`` is how the field draws NAS-Bench-201: four feature maps in a
row and the six operations as coloured, labelled edges, at fixed positions, so that two cells can be compared at a
glance. ``"operations"`` draws any cell as a graph of operation boxes laid out by ``dot``. Box sizes come from the
number of letters, not from the fonts of the machine, so the same cell gives the same picture everywhere.
"""

import math
import re
import threading
from typing import Literal
from xml.etree import ElementTree

import pygraphviz

from svge_core.cells import Cell, Highlight, is_ordered
from svge_core.checks import one_of
from svge_core.drawing.palette import THEMES, Theme, ThemeName, blended, operation_colours, operation_label
from svge_core.errors import SvgeError
from svge_core.spaces import SPACES, AbstractSearchSpace, DrawingView

View = Literal["maps", "operations"]
Point = tuple[float, float]

FONT = "Helvetica,Arial,DejaVu Sans,sans-serif"
FONT_SIZE = 12
#: width of one average letter of the font in points, generous so that no label outgrows its box
LETTER_WIDTH = 6.4
#: cells with more nodes are drawn as small discs without text
MAX_LABELLED = 16
#: cells with more edges are drawn with fine lines and wide ranks
MAX_SPARSE = 90
#: cells with more nodes need a heavier chain to stay in one column
MAX_LIGHT = 8
MAX_LABEL_LETTERS = 24
MAP_RADIUS = 15.0
MAP_SPACING = 124.0
#: angle in degrees at which each operation's edge leaves its feature map; positive bends upwards
MAP_ANGLES = {(0, 1): 0, (1, 2): 0, (2, 3): 0, (0, 2): 48, (1, 3): -48, (0, 3): 66}
#: height of the edge's highest (lowest) point over the row of feature maps in points
MAP_HEIGHTS = {(0, 2): 46.0, (1, 3): -46.0, (0, 3): 92.0}
MAP_CORNERS = ((-MAP_RADIUS, -68.0), (3 * MAP_SPACING + MAP_RADIUS, 114.0))

# Graphviz keeps global state; sessions of a server draw from several threads
_graphviz_lock = threading.Lock()


def to_dot(
    cell: Cell,
    space: AbstractSearchSpace,
    *,
    view: View | None = None,
    theme: ThemeName = "light",
    highlight: Highlight | None = None,
) -> str:
    """Graphviz source of a cell's drawing; any Graphviz renders it.

    Args:
        cell: any graph with labels; it need not be a member of the space.
        space: gives the operations their colours.
        view: "maps" (members of spaces that have it) or "operations"; by default the space's first one where possible.
        theme: "light" or "dark", the page the drawing will lie on.
        highlight: nodes and edges to mark as changed, in positions of the cell.

    Raises:
        SvgeError: if the cell cannot be drawn in the view.
    """
    one_of("theme", theme, THEMES)
    mark = highlight or Highlight()
    chosen = _chosen_view(cell, space, view)
    draw = _maps_dot if chosen.name == "maps" else _operations_dot
    return draw(cell, space, chosen, theme, mark)


def to_svg(
    cell: Cell,
    space: AbstractSearchSpace,
    *,
    view: View | None = None,
    theme: ThemeName = "light",
    highlight: Highlight | None = None,
    title: str | None = None,
) -> str:
    """The drawing as one ``<svg>`` element for a page or a file: scales with its box, transparent, no scripts or links.

    Args are those of :func:`to_dot`; ``title`` is read by screen readers and shown on hover, by default the cell in the
    space's notation. Nodes and edges carry their own titles and ``data-node`` / ``data-edge`` positions.
    """
    dot = to_dot(cell, space, view=view, theme=theme, highlight=highlight)
    chosen = _chosen_view(cell, space, view)
    svg = _rendered(dot, "svg", chosen).decode("utf-8")
    # only Graphviz's own output is parsed; dropping the namespace keeps tag names plain
    root = ElementTree.fromstring(svg.replace(' xmlns="http://www.w3.org/2000/svg"', "", 1))
    name = printable(title if title is not None else _described(cell, space))
    _make_accessible(root, cell, chosen, name)
    return ElementTree.tostring(root, encoding="unicode")


def to_png(
    cell: Cell,
    space: AbstractSearchSpace,
    *,
    view: View | None = None,
    theme: ThemeName = "light",
    highlight: Highlight | None = None,
    dpi: int = 192,
) -> bytes:
    """The drawing as a PNG file with a transparent background; 72 dpi is one pixel per point. Args as :func:`to_dot`.

    Raises:
        SvgeError: if the resolution is not between 24 and 1200 dpi, or the cell cannot be drawn in the view.
    """
    if not 24 <= dpi <= 1200:
        raise SvgeError(f"Expected a resolution from 24 to 1200 dpi; got {dpi}.")
    dot = to_dot(cell, space, view=view, theme=theme, highlight=highlight)
    return _rendered(dot.replace("{", f"{{\n  dpi={dpi};", 1), "png", _chosen_view(cell, space, view))


def to_pdf(
    cell: Cell,
    space: AbstractSearchSpace,
    *,
    view: View | None = None,
    theme: ThemeName = "light",
    highlight: Highlight | None = None,
) -> bytes:
    """The drawing as a PDF file of one page of its size, text as text; equal drawings are equal files.

    Args as :func:`to_dot`.

    Raises:
        SvgeError: if the cell cannot be drawn in the view.
    """
    dot = to_dot(cell, space, view=view, theme=theme, highlight=highlight)
    return _rendered(dot, "pdf", _chosen_view(cell, space, view))


def _chosen_view(cell: Cell, space: AbstractSearchSpace, name: View | None) -> DrawingView:
    views = {view.name: view for view in space.views()}
    if name is None:
        first = space.views()[0]
        return first if first.name == "operations" or space.is_valid(cell) else views["operations"]
    if name not in views:
        known = " and ".join(other.title for other in SPACES.values() if any(v.name == name for v in other.views()))
        if not known:
            raise SvgeError(f"Unknown view {str(name)[:40]!r} of {space.title}: expected {' or '.join(views)}.")
        raise SvgeError(f"The feature-map view is for {known} cells; use view='operations' for {space.title}.")
    if name == "maps":
        space.validate(cell)
    return views[name]


def positioned_json(
    cell: Cell,
    space: AbstractSearchSpace,
    *,
    theme: ThemeName,
    highlight: Highlight | None,
    form: Literal["json0", "json"] = "json0",
) -> bytes:
    """Every part of a cell's drawing with its place, as Graphviz writes it in JSON; ``"json"`` has all strokes, too.

    The other arguments are as those of :func:`to_dot`.
    """
    dot = to_dot(cell, space, theme=theme, highlight=highlight)
    return _rendered(dot, form, _chosen_view(cell, space, None))


def _rendered(dot: str, form: str, view: DrawingView) -> bytes:
    # nop2 keeps the positions written in the source
    return drawn_graph(dot, "nop2" if view.name == "maps" else "dot", form)


def drawn_graph(dot: str, program: Literal["dot", "nop2"], form: str) -> bytes:
    """What Graphviz makes of a source, by one thread at a time.

    Raises:
        SvgeError: if it makes nothing.
    """
    with _graphviz_lock:
        graph = pygraphviz.AGraph(string=dot)
        image = graph.draw(format=form, prog=program)
        graph.close()
    if image is None:
        raise SvgeError(f"Graphviz gave no {form} drawing.")
    if form != "pdf":
        return image
    # the clock of the machine says nothing about a drawing
    return re.sub(rb"/CreationDate \([^)]*\)", lambda found: b"/CreationDate ()".ljust(len(found[0])), image)


def _live_nodes(cell: Cell) -> set[int]:
    """Nodes on a path from the first to the last node that no "none" operation interrupts."""
    open_nodes = {node for node, op in enumerate(cell.ops) if operation_label(op) != "none"}
    forward, backward = {0}, {cell.num_nodes - 1}
    for u, v in cell.edges:  # sorted by source
        if u in forward and v in open_nodes:
            forward.add(v)
    for u, v in reversed(cell.edges):
        if v in backward and u in open_nodes:
            backward.add(u)
    return forward & backward


def _maps_dot(cell: Cell, space: AbstractSearchSpace, view: DrawingView, theme: ThemeName, mark: Highlight) -> str:
    look, colours, live = THEMES[theme], operation_colours(space, theme), _live_nodes(cell)
    lines = _preamble(look)
    lines.append(f"  node [shape=circle, width={2 * MAP_RADIUS / 72:.3f}, style=filled, penwidth=1.4];")
    lines += [
        f'  map{i} [label="{name}", pos="{i * MAP_SPACING:g},0"];' for i, name in enumerate(("in", "1", "2", "out"))
    ]
    # invisible corners: every drawing has the same size, so a row of cells does not jump
    lines += [
        f'  corner{i} [style=invis, shape=point, width=0.01, pos="{x:g},{y:g}"];'
        for i, (x, y) in enumerate(MAP_CORNERS)
    ]
    for node, (source, target) in enumerate(view.map_edges, start=1):
        op = cell.ops[node]
        label = operation_label(op)
        dead, changed = node not in live, node in mark.nodes
        faded = dead and not changed and label != "none"
        colour = blended(colours[op], look.page, 0.42) if faded else colours[op]
        width, text = {"none": (1.3, look.muted), "skip": (1.8, look.text)}.get(label, (2.6, look.text))
        curve, tip, label_pos = _map_edge(source, target, label_gap=13.5 if changed else 9.5)
        ends = f"  map{source} -> map{target}"
        if changed:
            halo = blended(look.accent, look.page, 0.3)
            lines.append(f'{ends} [class=halo, dir=none, pos="{curve}", color="{halo}", penwidth=10];')
        style = "dashed" if label == "none" else "solid"
        font = look.accent if changed else look.muted if dead else text
        lines.append(
            f'{ends} [class=op{node}, label={_quoted(label)}, pos="e,{tip} {curve}", lp="{label_pos}", '
            f'color="{colour}", fontcolor="{font}", penwidth={width}, style={style}];'
        )
    return "\n".join([*lines, "}", ""])


def _map_edge(source: int, target: int, label_gap: float) -> tuple[str, str, str]:
    """One operation's edge as Graphviz writes it: curve (start, two controls, end), arrow tip, label position."""
    angle = math.radians(MAP_ANGLES[source, target])
    height = MAP_HEIGHTS.get((source, target), 0.0)
    across, up = math.cos(angle), math.sin(angle)
    left, right = source * MAP_SPACING, target * MAP_SPACING
    gap, head = MAP_RADIUS + 1.0, 6.5
    start = (left + gap * across, gap * up)
    tip = (right - gap * across, gap * up)
    end = (tip[0] - head * across, tip[1] + head * up)
    # a cubic's middle is (start + 3 first + 3 second + end) / 8: choose the reach that lifts it to the height
    reach = (height - (start[1] + end[1]) / 2) / 0.75 / up if up else 0.3 * (end[0] - start[0])
    first = (start[0] + reach * across, start[1] + reach * up)
    second = (end[0] - reach * across, end[1] + reach * up)
    points = " ".join(_point(p) for p in (start, first, second, end))
    label = ((left + right) / 2, height + math.copysign(label_gap, height))
    return points, _point(tip), _point(label)


def _point(point: Point) -> str:
    return f"{point[0]:.1f},{point[1]:.1f}"


def _operations_dot(
    cell: Cell, space: AbstractSearchSpace, view: DrawingView, theme: ThemeName, mark: Highlight
) -> str:
    look, colours, live = THEMES[theme], operation_colours(space, theme), _live_nodes(cell)
    large = cell.num_nodes > MAX_LABELLED
    lines = _preamble(look)
    deep = cell.num_nodes > MAX_LIGHT
    spacing = f"nodesep={0.12 if large else 0.1 if deep else 0.16}, ranksep={0.2 if large else 0.26}"
    lines.append(f"  graph [rankdir={'LR' if view.sideways else 'TB'}, {spacing}, splines=true];")
    lines.append(f'  edge [color="{look.line}", penwidth={0.9 if large else 1.3}];')
    if len(cell.edges) > MAX_SPARSE:
        lines += _dense_settings(cell, look)
    for node, op in enumerate(cell.ops):
        label = operation_label(op)
        if op in colours:
            line, fill = colours[op], blended(colours[op], look.page, 0.85 if large else 0.16)
        else:
            line, fill = look.line, look.surface
        text, style, pen = look.text, "filled", 1.5
        if node not in live:
            line, fill, text = blended(line, look.page, 0.5), look.page, look.muted
            style += ",dashed"
        if node in mark.nodes:
            line, pen = look.accent, 2.8
        if large:
            shape = 'shape=circle, width=0.19, label=""'
        else:
            width = max(3, min(len(label), MAX_LABEL_LETTERS)) * LETTER_WIDTH + 18
            style += ",rounded"
            shape = f"shape=box, width={width / 72:.3f}, height=0.333, label={_quoted(label)}"
        lines.append(
            f'  {node} [{shape}, style="{style}", color="{line}", fillcolor="{fill}", '
            f'fontcolor="{text}", penwidth={pen}];'
        )
    ordered = is_ordered(cell)
    for u, v in cell.edges:
        settings = []
        if ordered and v == u + 1:
            # a path through all nodes becomes a straight column, also against the pull of many skip edges
            settings.append(f"weight={1000 if deep else 20}")
        if (u, v) in mark.edges:
            settings.append(f'color="{look.accent}", penwidth=2.6')
        elif u not in live or v not in live:
            settings.append(f'color="{look.faint}", style=dashed')
        lines.append(f"  {u} -> {v} [{', '.join(settings)}];" if settings else f"  {u} -> {v};")
    return "\n".join([*lines, "}", ""])


def _dense_settings(cell: Cell, look: Theme) -> list[str]:
    """For graphs with many edges: fine fainter lines, more room between the ranks, the ends on ranks of their own.

    The limits stop Graphviz's network simplex and its search for fewer crossings early: the time stays bounded.
    """
    return [
        "  graph [ranksep=0.42, nodesep=0.06, nslimit=4, nslimit1=4];",
        f'  edge [color="{blended(look.line, look.page, 0.65)}", penwidth=0.8, arrowsize=0.45];',
        f"  {{rank=source; 0}} {{rank=sink; {cell.num_nodes - 1}}}",
    ]


def _preamble(look: Theme) -> list[str]:
    font = f'fontname="{FONT}", fontsize={FONT_SIZE}, fontcolor="{look.text}"'
    return [
        "digraph cell {",
        '  graph [bgcolor="transparent", pad=0.06, outputorder=edgesfirst];',
        f'  node [{font}, fixedsize=true, color="{look.line}", fillcolor="{look.surface}"];',
        f"  edge [{font}, arrowsize=0.65];",
    ]


def printable(text: str) -> str:
    """A text without characters that XML cannot carry."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _quoted(text: str) -> str:
    """A DOT string that shows exactly this text (shortened): no entities, no escapes, no HTML-like label."""
    shown = printable(text)
    if len(shown) > MAX_LABEL_LETTERS:
        shown = shown[: MAX_LABEL_LETTERS - 1] + "…"
    for plain, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\\", "\\\\"), ('"', '\\"')):
        shown = shown.replace(plain, escaped)
    return f'"{shown}"'


def _described(cell: Cell, space: AbstractSearchSpace) -> str:
    if space.is_valid(cell):
        return f"{space.title} cell {space.format(cell)}"
    return f"Graph of {cell.num_nodes} nodes and {len(cell.edges)} edges, not a {space.title} cell"


def _make_accessible(root: ElementTree.Element, cell: Cell, view: DrawingView, title: str) -> None:
    """Size, role and title of the drawing; titles and positions of its parts instead of Graphviz's page-wide ids."""
    width, height = (f"{float(root.attrib[side].removesuffix('pt')):g}" for side in ("width", "height"))
    root.attrib |= {"xmlns": "http://www.w3.org/2000/svg", "width": width, "height": height, "role": "img"}
    root.attrib |= {"aria-label": title, "style": "max-width:100%;height:auto"}
    heading = ElementTree.Element("title")
    heading.text = title
    root.insert(0, heading)
    for group in root.iter("g"):
        group.attrib.pop("id", None)
        caption = group.find("title")
        if caption is None:
            continue
        kind, _, extra = group.attrib.get("class", "").partition(" ")
        name = caption.text or ""
        if kind == "graph" or extra == "halo":
            group.remove(caption)
        elif extra.startswith("op"):  # an operation drawn as an edge between feature maps
            node = int(extra.removeprefix("op"))
            source, target = view.map_edges[node - 1]
            group.attrib |= {"class": kind, "data-node": str(node)}
            caption.text = f"{operation_label(cell.ops[node])}, feature map {source} to {target}"
        elif name.startswith("map"):
            caption.text = f"feature map {name.removeprefix('map')}"
        elif kind == "node":
            group.attrib["data-node"] = name
            caption.text = f"{name}: {printable(operation_label(cell.ops[int(name)]))}"
        else:
            group.attrib["data-edge"] = name.replace("->", "-")
            caption.text = name.replace("->", " → ")
