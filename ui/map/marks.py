"""What is marked on a map: the focus, its nearest known cells, the basket, a trip; on a second map, the same cells."""

from svge_core.atlas import PlaneName
from svge_core.explorer import Explorer, cell_named, charted_name, short_name
from svge_core.interpolation import LatentPath
from ui.latent_map.values import MapLine, MapMark
from ui.map import travel
from ui.player.paths import path_places
from ui.shared import loaders, reruns, session
from ui.shared.basket import cells_of
from ui.shared.cell_panel import inspect_focus
from ui.shared.choices import CellFocus

#: where the stops of a trip lie on a map; None for those that do not
Places = tuple[tuple[float, float] | None, ...]


def marks(explorer: Explorer, plane: PlaneName) -> list[MapMark]:
    """The focus, its nearest known cells, and the basket.

    Args:
        explorer: of the checkpoint that is asked about the focus, and whose map it is.
        plane: the map.
    """
    found, focus = basket_marks(explorer, plane), session.focus()
    if focus is None:
        return found
    xy, seen = explorer.atlas.planes[plane].xy, inspect_focus(explorer, focus)
    for rank, near in enumerate(seen.neighbours, start=1):
        found.append(MapMark(float(xy[near.row, 0]), float(xy[near.row, 1]), "neighbour", number=rank))
    if isinstance(focus, CellFocus):
        charted = seen.row is not None
        x, y = map(float, xy[seen.row]) if charted else explorer.locate(plane, seen.place.latent)
        return [*found, MapMark(x, y, "focus" if charted else "decoded", short_name(seen.index, seen.row))]
    x, y = (focus.x, focus.y) if focus.plane == plane else explorer.locate(plane, seen.place.latent)
    return [*found, MapMark(x, y, "decoded")]


def marks_of_another(explorer: Explorer, chart: Explorer, plane: PlaneName) -> list[MapMark]:
    """The same cells on the map of another checkpoint: each at its own point there, joined by what it is.

    Args:
        explorer: of the checkpoint that is asked about the focus.
        chart: of the checkpoint whose map it is.
        plane: the map.
    """
    found, focus = basket_marks(chart, plane), session.focus()
    if focus is None:
        return found
    xy, seen = chart.atlas.planes[plane].xy, inspect_focus(explorer, focus)
    there = loaders.joined_rows(explorer, chart)
    for rank, near in enumerate(seen.neighbours, start=1):
        if (row := near.row if there is None else int(there[near.row])) >= 0:
            found.append(MapMark(float(xy[row, 0]), float(xy[row, 1]), "neighbour", number=rank))
    row = None if seen.cell is None else chart.row_of(seen.cell)
    if row is None:
        return found
    kind = "focus" if isinstance(focus, CellFocus) else "decoded"
    # by its name on the first map, as in the panel: a cell without an index has another number here
    name = "" if seen.index is None and seen.row is None else short_name(seen.index, seen.row)
    return [*found, MapMark(float(xy[row, 0]), float(xy[row, 1]), kind, name)]


def basket_marks(chart: Explorer, plane: PlaneName) -> list[MapMark]:
    """The basket's cells that are on a map."""
    xy, found = chart.atlas.planes[plane].xy, []
    for number, cell in enumerate(cells_of(session.basket(), chart.space), start=1):
        if (row := chart.row_of(cell)) is not None:
            found.append(MapMark(float(xy[row, 0]), float(xy[row, 1]), "basket", number=number))
    return found


def opened_mark(explorer: Explorer, chart: Explorer, plane: PlaneName, opened_at: CellFocus | None) -> list[MapMark]:
    """The cell that the page opens with; its neighbours would have to be looked up before the map can be seen.

    Args:
        explorer: of the first map, which names the cell.
        chart: of the map that it is marked on.
        plane: its layout.
        opened_at: the cell.
    """
    if opened_at is None:
        return []
    cell = cell_named(chart.space, opened_at.name)
    row, named = chart.row_of(cell), explorer.row_of(cell)
    if row is None:
        return []
    x, y = map(float, chart.atlas.planes[plane].xy[row])
    return [MapMark(x, y, "focus", "" if named is None else charted_name(explorer, named))]


# ---- a trip on the second map -------------------------------------------------------------------------------------


def trip_places(chart: Explorer, plane: PlaneName, way: travel.Way | None, *, same_model: bool) -> Places:
    """Where the stops of a trip lie on a second map.

    Args:
        chart: of the checkpoint whose map it is.
        plane: the map.
        way: the trip on the first map.
        same_model: whether it leads through the latent space of this checkpoint; else its cells lie at their own
            points.
    """
    if way is None:
        return ()

    def ask() -> Places:
        return tuple(path_places(chart, plane, way.path)) if same_model else _cells_of(chart, plane, way.path)

    key = (chart.atlas.digest, way.trip, plane, same_model)
    return reruns.memo("travel places beside", key, ask)


def _cells_of(chart: Explorer, plane: PlaneName, path: LatentPath) -> Places:
    xy, found = chart.atlas.planes[plane].xy, []
    for stop in path.stops:
        row = None if stop.index is None else chart.atlas.row(stop.index)
        found.append(None if row is None else (float(xy[row, 0]), float(xy[row, 1])))
    return tuple(found)


def trip_line(places: Places) -> list[MapLine]:
    """The way from stop to stop."""
    known = tuple(place for place in places if place is not None)
    return [MapLine(known, "path")] if len(known) > 1 else []


def trip_ends(places: Places) -> list[MapMark]:
    """A and B."""
    ends = [(places[0], "start"), (places[-1], "end")] if places else []
    return [MapMark(*place, kind) for place, kind in ends if place is not None]  # type: ignore[arg-type]
