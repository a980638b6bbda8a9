"""What a person chooses and makes in the app, as values: focus, outline, path, comparison, basket, own scores."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

from svge_core.atlas import PlaneName
from svge_core.data import Scores
from svge_core.explorer import CellFilter, CellName
from svge_core.interpolation import PathKind

BASKET_CAP = 200
#: most selections that are kept for a space, and letters of a name
SAVED_CAP, NAME_LENGTH = 50, 60
#: most outlines that are added to a lasso or removed from it
LASSO_PARTS = 50
#: most of a coordinate of a place: no map is larger by far, and distances stay finite
FURTHEST = 1e9


@dataclass(frozen=True)
class CellFocus:
    """A known cell, by official index, or by notation where cells have none."""

    name: CellName


@dataclass(frozen=True)
class PlaceFocus:
    """A position on one of the maps."""

    plane: PlaneName
    x: float
    y: float


ColourScale = Literal["ranks", "values"]
Focus = CellFocus | PlaceFocus


@dataclass(frozen=True)
class Lasso:
    """An outline drawn on one of the maps.

    Attributes:
        polygon: its corners.
        parts: outlines that were drawn after it, in order: their cells are added or removed.
        checkpoint: name of the one on whose map it was drawn, if that is not the chosen one: on a second map.
    """

    plane: PlaneName
    polygon: tuple[tuple[float, float], ...]
    parts: tuple[tuple[Literal["add", "remove"], tuple[tuple[float, float], ...]], ...] = ()
    checkpoint: str = ""


@dataclass(frozen=True)
class PathChoice:
    """A path between two architectures, and the place on it that is shown.

    Attributes:
        start, end: official indices of A and B; None until chosen.
        kind: how the path is laid.
        stops: how many it has, where that can be chosen.
        share: the shown place, 0 at A and 1 at B; a share, because kinds of path differ in their number of stops.
        constrained: keep the decoder inside the space.
        score: key of the score that is followed; empty for the first there is.
    """

    start: int | None = None
    end: int | None = None
    kind: PathKind = "linear"
    stops: int = 25
    share: float = 0.0
    constrained: bool = False
    score: str = ""


@dataclass(frozen=True)
class CompareChoice:
    """Architectures that stand side by side.

    Attributes:
        cells: their names in order, each once.
        reference: position of the one that the others' differences are marked from.
    """

    cells: tuple[CellName, ...] = ()
    reference: int = 0


@dataclass(frozen=True)
class SecondMap:
    """A second map beside the first of the Map page.

    Attributes:
        shown: whether it is there.
        plane: its layout; None for the one that the first map does not show, if there are two.
        colour: key of the column that colours it; empty for that of the first.
        checkpoint: name of the checkpoint whose map it is; empty for that of the first.
    """

    shown: bool = False
    plane: PlaneName | None = None
    colour: str = ""
    checkpoint: str = ""


@dataclass(frozen=True)
class MapDisplay:
    """How maps draw their points, besides the column.

    Attributes:
        scale: colours by rank or by value.
        limits_of: key of the column that the limits are of; empty for none.
        limits: ends of its colours, chosen by hand; None for the usual ones.
        contours: density contours are drawn.
        surface: the surface between the cells is drawn.
        regions: regions have their names on them.
        second: the second map.
    """

    scale: ColourScale = "ranks"
    limits_of: str = ""
    limits: tuple[float, float] | None = None
    contours: bool = False
    surface: bool = False
    regions: bool = True
    second: SecondMap = SecondMap()


@dataclass(frozen=True)
class TableChoice:
    """How the table of a space is shown.

    Attributes:
        sort: key of the column that it is sorted by; empty for the one that the question or the map is about.
        turned: the other way round than the column's best first.
        columns: keys of the shown columns; empty for the usual ones.
        start: place of the first row that is shown.
        chosen: rows that were ticked.
        atlas: digest of the atlas that they are rows of.
    """

    sort: str = ""
    turned: bool = False
    columns: tuple[str, ...] = ()
    start: int = 0
    chosen: tuple[int, ...] = ()
    atlas: str = ""


@dataclass(frozen=True)
class SavedSelection:
    """A selection under a name: what filters, and an outline with the checkpoint on whose map it was drawn."""

    name: str
    filter: CellFilter = CellFilter()
    lasso: Lasso | None = None
    checkpoint: str = ""


@dataclass(frozen=True)
class BasketEntry:
    """An architecture that was put aside: its space, its notation there and a user's name for it."""

    space: str
    notation: str
    label: str = ""


@dataclass(frozen=True)
class UserColumns:
    """A user's own scores with the line that says what was read, and the remarks on it: lines that were not, with
    reasons, and how columns were understood."""

    name: str
    scores: Scores
    summary: str
    remarks: tuple[str, ...] = ()
    all_used: bool = True

    def with_less_is_better(self, keys: Collection[str]) -> "UserColumns":
        """The same columns, of which less is better in these and more in the others."""
        meanings = {
            key: replace(meaning, direction="min" if key in keys else "max")
            for key, meaning in self.scores.meanings.items()
        }
        return replace(self, scores=replace(self.scores, meanings=meanings))


@dataclass(frozen=True)
class Notice:
    """One line for a person, shown once: where it belongs and what kind it is."""

    place: str
    text: str
    kind: Literal["error", "success"] = "error"


@dataclass(frozen=True)
class View:
    """What undo and redo step through: the focus, what is selected, and what was made, of one search space."""

    focus: Focus | None = None
    lasso: Lasso | None = None
    filter: CellFilter = CellFilter()
    basket: tuple[BasketEntry, ...] = ()
    own: UserColumns | None = None

    def without_places(self) -> "View":
        """The same without positions on maps; cells stay cells."""
        return replace(self, lasso=None, focus=None if isinstance(self.focus, PlaceFocus) else self.focus)

    def without_lasso(self, checkpoint: str) -> "View":
        """The same without an outline on the map of that checkpoint beside the chosen one."""
        return replace(self, lasso=None) if self.lasso is not None and self.lasso.checkpoint == checkpoint else self


@dataclass(frozen=True)
class SpaceState:
    """All that is worth keeping of one search space.

    Attributes:
        checkpoint: its name; None until one is chosen.
    """

    checkpoint: str | None = None
    plane: PlaneName | None = None
    colour: str = ""
    path: PathChoice = PathChoice()
    compare: CompareChoice = CompareChoice()
    view: View = View()
    display: MapDisplay = MapDisplay()
    saved: tuple[SavedSelection, ...] = ()


def named(entry: BasketEntry) -> tuple[str, str]:
    """What tells entries apart, whatever a person calls them."""
    return entry.space, entry.notation


def adopted(old: View, space: str, gone: set[tuple[str, str]], come: list[BasketEntry]) -> View:
    """A view of a space whose basket lacks what is gone and has what came."""
    stay = tuple(entry for entry in old.basket if named(entry) not in gone)
    there = {named(entry) for entry in stay}
    new = tuple(entry for entry in come if entry.space == space and named(entry) not in there)
    return replace(old, basket=(stay + new)[:BASKET_CAP])
