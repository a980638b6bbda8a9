"""The session's state as typed values. No other file spells its keys (query parameters are in ``ui/shared/links.py``).

Callbacks write one focus; panels read it. State lives in plain keys, because the values of widgets are dropped when a
person changes pages; widgets are seeded from here on every run.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from svge_core.atlas import PlaneName
from svge_core.data import Scores
from svge_core.explorer import CellFilter
from svge_core.interpolation import PathKind
from svge_core.spaces import SPACES

HISTORY = 100
BASKET_CAP = 200
#: the Model page reads this key too
CHECKPOINT_KEY = "checkpoint_folder"
_SPACE, _DEVICE, _PLANE, _COLOUR = "space_name", "device_name", "map_plane", "map_colour"
_FOCUS, _PAST, _FUTURE = "focus", "focus_past", "focus_future"
_LASSO, _FILTER, _BASKET, _SCORES = "map_lasso", "map_filter", "basket", "user_scores"
_LINK, _NOTICE, _MEMO, _REFRESH = "link_written", "one_line", "memo", "refresh_all"
_ENTERED, _WANTED = "entered_by_app", "wanted_page"
_PATH, _WALKED = "path_choice", "focus_walked"
#: what is chosen in each search space on its own, and where it waits while another space is shown
_OF_SPACE = (CHECKPOINT_KEY, _PLANE, _COLOUR, _FOCUS, _PAST, _FUTURE, _LASSO, _FILTER, _SCORES, _PATH)
_ASIDE = "other_spaces"


@dataclass(frozen=True)
class CellFocus:
    """A known cell, by official index."""

    index: int


@dataclass(frozen=True)
class PlaceFocus:
    """A position on one of the maps."""

    plane: PlaneName
    x: float
    y: float


Focus = CellFocus | PlaceFocus


@dataclass(frozen=True)
class Lasso:
    """An outline drawn on one of the maps."""

    plane: PlaneName
    polygon: tuple[tuple[float, float], ...]


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


def _get(key: str, default: Any) -> Any:
    return st.session_state.get(key, default)


def space_name() -> str:
    """The chosen search space."""
    return _get(_SPACE, next(iter(SPACES)))


def set_space(name: str) -> None:
    """Choose a search space. What was chosen in the old one is put aside, and is there again on coming back."""
    if name != space_name():
        aside: dict[str, dict[str, Any]] = st.session_state.setdefault(_ASIDE, {})
        aside[space_name()] = {key: st.session_state.pop(key) for key in _OF_SPACE if key in st.session_state}
        st.session_state[_SPACE] = name
        for key, value in aside.pop(name, {}).items():
            st.session_state[key] = value


def checkpoint() -> Path | None:
    """Folder of the chosen checkpoint; None until one is chosen."""
    chosen = _get(CHECKPOINT_KEY, None)
    return Path(chosen) if chosen else None


def set_checkpoint(folder: Path | None) -> None:
    """Choose a checkpoint. Positions on the old one's maps mean nothing on the new one's; cells stay cells."""
    old = checkpoint()
    if folder != old:
        st.session_state[CHECKPOINT_KEY] = None if folder is None else str(folder)
    if folder != old and old is not None:
        st.session_state[_LASSO] = None
        if isinstance(focus(), PlaceFocus):
            _set_focus(None)
        for key in (_PAST, _FUTURE):
            st.session_state[key] = tuple(old for old in _get(key, ()) if isinstance(old, CellFocus))


def device() -> str | None:
    """The chosen device; None for the best there is."""
    return _get(_DEVICE, None)


def set_device(name: str) -> None:
    """Choose a device."""
    st.session_state[_DEVICE] = name


def plane() -> PlaneName | None:
    """The chosen map; None for the first there is."""
    return _get(_PLANE, None)


def set_plane(name: PlaneName) -> None:
    """Choose a map."""
    st.session_state[_PLANE] = name


def colour() -> str:
    """Key of the column that colours the map; empty for the first there is."""
    return _get(_COLOUR, "")


def set_colour(key: str) -> None:
    """Choose the column that colours the map."""
    st.session_state[_COLOUR] = key


# ---- focus ------------------------------------------------------------------------------------------------------


def focus() -> Focus | None:
    """What the panels show."""
    return _get(_FOCUS, None)


def set_focus(new: Focus | None) -> None:
    """Show something else, keeping the way back."""
    old = focus()
    if new == old:
        return
    if old is not None:
        st.session_state[_PAST] = (*_get(_PAST, ()), old)[-HISTORY:]
    st.session_state[_FUTURE] = ()
    _set_focus(new)


def can_go_back() -> bool:
    """Whether there is an earlier focus."""
    return bool(_get(_PAST, ()))


def can_go_forward() -> bool:
    """Whether a step back can be undone."""
    return bool(_get(_FUTURE, ()))


def go_back() -> None:
    """The focus before this one."""
    _step(_PAST, _FUTURE)


def go_forward() -> None:
    """The focus that was left by going back."""
    _step(_FUTURE, _PAST)


def walk_focus(new: Focus) -> None:
    """Show the next place of a walk, such as along a path: a walk as a whole is one step of the way back."""
    if focus() is not None and focus() == _get(_WALKED, None):
        _set_focus(new)
    else:
        set_focus(new)
    st.session_state[_WALKED] = new


def _step(source: str, target: str) -> None:
    waiting = _get(source, ())
    if waiting:
        if (now := focus()) is not None:
            st.session_state[target] = (*_get(target, ()), now)
        st.session_state[source] = waiting[:-1]
        _set_focus(waiting[-1])


def _set_focus(new: Focus | None) -> None:
    st.session_state[_FOCUS] = new


# ---- selection, basket, own scores ------------------------------------------------------------------------------


def lasso() -> Lasso | None:
    """The outline of the selection."""
    return _get(_LASSO, None)


def set_lasso(outline: Lasso | None) -> None:
    """Select what an outline encloses."""
    st.session_state[_LASSO] = outline


def cell_filter() -> CellFilter:
    """Which cells stay in full colour."""
    return _get(_FILTER, CellFilter())


def set_cell_filter(conditions: CellFilter) -> None:
    """Change the filter."""
    st.session_state[_FILTER] = conditions


def path_choice() -> PathChoice:
    """The path between two architectures."""
    return _get(_PATH, PathChoice())


def set_path_choice(choice: PathChoice) -> None:
    """Change the path or the shown place on it."""
    st.session_state[_PATH] = choice


def basket() -> tuple[BasketEntry, ...]:
    """Architectures put aside in the chosen space, in order."""
    return tuple(entry for entry in _get(_BASKET, ()) if entry.space == space_name())


def set_basket(entries: tuple[BasketEntry, ...]) -> None:
    """Replace the chosen space's architectures; those of other spaces stay."""
    others = tuple(entry for entry in _get(_BASKET, ()) if entry.space != space_name())
    st.session_state[_BASKET] = others + entries[:BASKET_CAP]


def add_to_basket(entries: tuple[BasketEntry, ...]) -> tuple[int, int]:
    """Add architectures that are not there yet; returns how many were added and how many found no room."""
    present = {entry.notation for entry in basket()}
    new = tuple({e.notation: e for e in entries if e.notation not in present and e.space == space_name()}.values())
    room = max(0, BASKET_CAP - len(present))
    set_basket(basket() + new[:room])
    return min(len(new), room), max(0, len(new) - room)


def user_columns() -> UserColumns | None:
    """A user's own scores of the chosen space."""
    own: UserColumns | None = _get(_SCORES, None)
    return own if own is not None and own.scores.space == space_name() else None


def set_user_columns(columns: UserColumns | None) -> None:
    """Take or drop a user's own scores. A filter or colour by a dropped column goes with it."""
    st.session_state[_SCORES] = columns


def say(place: str, text: str, kind: Literal["error", "success"] = "error") -> None:
    """Leave one line for a place of the page; it is shown in the next run."""
    st.session_state[_NOTICE] = Notice(place, text, kind)


def said(place: str) -> Notice | None:
    """Take the line left for a place."""
    notice: Notice | None = _get(_NOTICE, None)
    if notice is None or notice.place != place:
        return None
    st.session_state[_NOTICE] = None
    return notice


def refresh_all() -> None:
    """From a callback inside a fragment: what it changed is also shown outside, so the whole page has to run."""
    st.session_state[_REFRESH] = True


def refresh_asked() -> bool:
    """Whether the whole page has to run; asks once."""
    asked = bool(_get(_REFRESH, False))
    st.session_state[_REFRESH] = False
    return asked


def memo(name: str, key: object, make: Any) -> Any:
    """The last value made under a name, made anew when the key changes; spares a rerun what it already knows."""
    kept: dict[str, tuple[object, Any]] = st.session_state.setdefault(_MEMO, {})
    if name not in kept or kept[name][0] != key:
        kept[name] = (key, make())
    return kept[name][1]


def link_written() -> dict[str, str] | None:
    """The parameters that the address had when it was last read or written here."""
    return _get(_LINK, None)


def set_link_written(parameters: dict[str, str]) -> None:
    """Remember what the address says."""
    st.session_state[_LINK] = parameters


def entered(page: str | None = None) -> str | None:
    """Note that app.py runs (no argument), or ask from a page whether it ever did.

    Streamlit runs a file of ``pages/`` alone when its address is the first that a fresh server is asked for. The page
    then notes its name and goes to app.py, which goes back to it.

    Returns:
        for app.py, the page that was asked for, once; for a page, its own name where app.py has not run yet.
    """
    if page is None:
        st.session_state[_ENTERED] = True
        return st.session_state.pop(_WANTED, None)
    if st.session_state.get(_ENTERED):
        return None
    st.session_state[_WANTED] = page
    return page
