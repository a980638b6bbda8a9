"""The session's state as typed values. No other file spells its keys (query parameters are in ``ui/shared/links.py``).

Callbacks write one focus; panels read it. State lives in plain keys, because the values of widgets are dropped when a
person changes pages; widgets are seeded from here on every run.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import streamlit as st

from svge_core.atlas import PlaneName
from svge_core.explorer import CellFilter
from svge_core.spaces import SPACES
from ui.shared.choices import (
    BASKET_CAP,
    BasketEntry,
    CompareChoice,
    Focus,
    Lasso,
    MapDisplay,
    PathChoice,
    SpaceState,
    UserColumns,
    View,
    adopted,
    named,
)
from ui.shared.notices import said as said, say as say
from ui.shared.reruns import refresh_all

HISTORY = 100
#: other files read these keys too
CHECKPOINT_KEY, TABLE_KEY, SAVED_KEY = "checkpoint_folder", "table_choice", "saved_selections"
_SPACE, _DEVICE, _PLANE, _COLOUR = "space_name", "device_name", "map_plane", "map_colour"
_FOCUS, _PAST, _FUTURE = "focus", "views_past", "views_future"
_LASSO, _FILTER, _BASKET, _SCORES = "map_lasso", "map_filter", "basket", "user_scores"
_PATH, _COMPARE, _WALKED, _DISPLAY = "path_choice", "compare_choice", "focus_walked", "map_display"
#: what is chosen in each search space on its own, and where it waits while another space is shown
_OF_SPACE = (CHECKPOINT_KEY, _PLANE, _COLOUR, _DISPLAY, _FOCUS, _PAST, _FUTURE)
_OF_SPACE += (_LASSO, _FILTER, _SCORES, _PATH, _COMPARE, TABLE_KEY, SAVED_KEY)
_ASIDE = "other_spaces"
#: called after each change of what is worth keeping
_LISTENER, _IN_STEP = "change_listener", "in_one_step"


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
        changed()


def checkpoint() -> Path | None:
    """Folder of the chosen checkpoint; None until one is chosen."""
    chosen = _get(CHECKPOINT_KEY, None)
    return Path(chosen) if chosen else None


def set_checkpoint(folder: Path | None) -> None:
    """Choose a checkpoint. Positions on the old one's maps mean nothing on the new one's; cells stay cells."""
    old = checkpoint()
    if folder != old:
        st.session_state[CHECKPOINT_KEY] = None if folder is None else str(folder)
        if old is None:
            changed()
        else:
            change_views(View.without_places)


def change_views(change: Callable[[View], View]) -> None:
    """Change what is shown and every step in the same way: that is no step to undo."""
    _set_view(change(view()))
    for key in (_PAST, _FUTURE):
        st.session_state[key] = tuple(map(change, _get(key, ())))
    changed()


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
    changed()


def colour() -> str:
    """Key of the column that colours the map; empty for the first there is."""
    return _get(_COLOUR, "")


def set_colour(key: str) -> None:
    """Choose the column that colours the map."""
    st.session_state[_COLOUR] = key
    changed()


def display() -> MapDisplay:
    """How maps draw their points."""
    return _get(_DISPLAY, MapDisplay())


def set_display(new: MapDisplay) -> None:
    """Draw the points of maps in another way."""
    st.session_state[_DISPLAY] = new
    changed()


# ---- steps that can be undone --------------------------------------------------------------------------------------


@contextlib.contextmanager
def one_step() -> Iterator[None]:
    """Whatever the block changes of the view is undone together, and told to who keeps the session once."""
    if _get(_IN_STEP, False):
        yield
        return
    before = view()
    st.session_state[_IN_STEP] = True
    try:
        yield
    finally:
        st.session_state[_IN_STEP] = False
    if view() != before:
        st.session_state[_PAST] = (*_get(_PAST, ()), before)[-HISTORY:]
        st.session_state[_FUTURE] = ()
        changed()


def view() -> View:
    """What undo and redo step through, as it is now."""
    return View(focus(), lasso(), cell_filter(), basket(), user_columns())


def can_undo() -> bool:
    """Whether there is an earlier view."""
    return bool(_get(_PAST, ()))


def can_redo() -> bool:
    """Whether a step can be made again."""
    return bool(_get(_FUTURE, ()))


def undo() -> None:
    """The view before the last step."""
    _travel(_PAST, _FUTURE)


def redo() -> None:
    """The view that was left by undoing."""
    _travel(_FUTURE, _PAST)


def _travel(source: str, target: str) -> None:
    waiting: tuple[View, ...] = _get(source, ())
    if not waiting:
        return
    now, new = view(), waiting[-1]
    st.session_state[target] = (*_get(target, ()), now)[-HISTORY:]
    st.session_state[source] = waiting[:-1]
    _set_view(new)
    if (now.basket, now.own) != (new.basket, new.own):
        refresh_all()  # the sidebar shows them
    changed()


def _set_view(new: View) -> None:
    st.session_state[_FOCUS], st.session_state[_LASSO] = new.focus, new.lasso
    st.session_state[_FILTER], st.session_state[_SCORES] = new.filter, new.own
    _put_basket(new.basket)


def on_change(listener: Callable[[], None]) -> None:
    """Have a function called after each change of what is worth keeping."""
    st.session_state[_LISTENER] = listener


def changed() -> None:
    """Tell who keeps the session that it is another one now."""
    if (listener := _get(_LISTENER, None)) is not None and not _get(_IN_STEP, False):
        listener()


# ---- focus ------------------------------------------------------------------------------------------------------


def focus() -> Focus | None:
    """What the panels show."""
    return _get(_FOCUS, None)


def set_focus(new: Focus | None) -> None:
    """Show something else."""
    with one_step():
        st.session_state[_FOCUS] = new


def arrive_at(new: Focus) -> None:
    """Show what a link names; where nothing was shown before, that is no step to undo."""
    if focus() is None:
        st.session_state[_FOCUS] = new
        changed()
    else:
        set_focus(new)


def walk_focus(new: Focus) -> None:
    """Show the next place of a walk, such as along a path: a walk as a whole is one step to undo."""
    if focus() is not None and focus() == _get(_WALKED, None):
        st.session_state[_FOCUS] = new
        changed()
    else:
        set_focus(new)
    st.session_state[_WALKED] = new


# ---- selection, basket, own scores ------------------------------------------------------------------------------


def lasso() -> Lasso | None:
    """The outline of the selection."""
    return _get(_LASSO, None)


def set_lasso(outline: Lasso | None) -> None:
    """Select what an outline encloses."""
    with one_step():
        st.session_state[_LASSO] = outline


def cell_filter() -> CellFilter:
    """Which cells stay in full colour."""
    return _get(_FILTER, CellFilter())


def set_cell_filter(conditions: CellFilter) -> None:
    """Change the filter."""
    with one_step():
        st.session_state[_FILTER] = conditions


def path_choice() -> PathChoice:
    """The path between two architectures."""
    return _get(_PATH, PathChoice())


def set_path_choice(choice: PathChoice) -> None:
    """Change the path or the shown place on it."""
    st.session_state[_PATH] = choice
    changed()


def compare_choice() -> CompareChoice:
    """The architectures that stand side by side."""
    return _get(_COMPARE, CompareChoice())


def set_compare_choice(choice: CompareChoice) -> None:
    """Put others side by side."""
    st.session_state[_COMPARE] = choice
    changed()


def basket() -> tuple[BasketEntry, ...]:
    """Architectures put aside in the chosen space, in order."""
    return tuple(entry for entry in _get(_BASKET, ()) if entry.space == space_name())


def set_basket(entries: tuple[BasketEntry, ...]) -> None:
    """Replace the chosen space's architectures; those of other spaces stay."""
    with one_step():
        _put_basket(entries)


def _put_basket(entries: tuple[BasketEntry, ...]) -> None:
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
    """Take or drop a user's own scores. A filter by a dropped column goes with it."""
    with one_step():
        now, old = cell_filter(), user_columns()
        kept = () if columns is None else columns.scores.meanings
        if old is not None and now.score_key in old.scores.meanings and now.score_key not in kept:
            set_cell_filter(replace(now, score=None, score_key=""))
        st.session_state[_SCORES] = columns


# ---- what is kept -----------------------------------------------------------------------------------------------


def states() -> dict[str, SpaceState]:
    """What was chosen and made, by search space."""
    aside: dict[str, dict[str, Any]] = {**_get(_ASIDE, {})}
    aside[space_name()] = {key: st.session_state[key] for key in _OF_SPACE if key in st.session_state}
    entries: tuple[BasketEntry, ...] = _get(_BASKET, ())
    found: dict[str, SpaceState] = {}
    for name in dict.fromkeys([*aside, *(entry.space for entry in entries)]):
        values = aside.get(name, {})
        own: UserColumns | None = values.get(_SCORES)
        folder, basket_of = values.get(CHECKPOINT_KEY), tuple(entry for entry in entries if entry.space == name)
        found[name] = SpaceState(
            *(Path(folder).name if folder else None, values.get(_PLANE), values.get(_COLOUR, "")),
            values.get(_PATH, PathChoice()),
            values.get(_COMPARE, CompareChoice()),
            View(values.get(_FOCUS), values.get(_LASSO), values.get(_FILTER, CellFilter()), basket_of, own),
            *(values.get(_DISPLAY, MapDisplay()), values.get(SAVED_KEY, ())),
        )
    return found


def set_states(chosen: str, found: Mapping[str, SpaceState], checkpoints: Mapping[tuple[str, str], Path]) -> None:
    """Replace all that was chosen and made; nothing of before can be undone.

    Args:
        chosen: the space that is shown.
        found: as :func:`states` gave it.
        checkpoints: the folders there are, by space and name. Positions on the maps of one that is not there any more
            mean nothing.
    """
    aside: dict[str, dict[str, Any]] = {}
    for name, state in found.items():
        folder = checkpoints.get((name, state.checkpoint or ""))
        kept = state.view if folder is not None else state.view.without_places()
        aside[name] = {CHECKPOINT_KEY: None if folder is None else str(folder), _PLANE: state.plane}
        aside[name] |= {_COLOUR: state.colour, _DISPLAY: state.display, _PATH: state.path, _COMPARE: state.compare}
        aside[name] |= {_FOCUS: kept.focus, _LASSO: kept.lasso, _FILTER: kept.filter, _SCORES: kept.own}
        aside[name][SAVED_KEY] = state.saved
    for key in _OF_SPACE:
        st.session_state.pop(key, None)
    st.session_state[_SPACE] = chosen
    for key, value in aside.pop(chosen, {}).items():
        st.session_state[key] = value
    st.session_state[_ASIDE] = aside
    set_all_baskets(tuple(entry for state in found.values() for entry in state.view.basket))


def adopt_baskets(entries: tuple[BasketEntry, ...]) -> None:
    """Take over the architectures of all spaces as another tab left them: what came or went there did so in every
    step too, so that undo and redo neither drop nor bring back what was never changed here."""
    old: tuple[BasketEntry, ...] = _get(_BASKET, ())
    gone = {named(entry) for entry in old} - {named(entry) for entry in entries}
    come = [entry for entry in entries if named(entry) not in {named(each) for each in old}]
    set_all_baskets(entries)
    histories: list[tuple[str, Any]] = [(space_name(), st.session_state), *_get(_ASIDE, {}).items()]
    for name, values in histories:
        for key in (_PAST, _FUTURE):
            if key in values:
                values[key] = tuple(adopted(old_view, name, gone, come) for old_view in values[key])


def set_all_baskets(entries: tuple[BasketEntry, ...]) -> None:
    """Replace the architectures of all spaces; no step to undo."""
    st.session_state[_BASKET] = entries
