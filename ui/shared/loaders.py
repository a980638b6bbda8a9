"""Cached openings: checkpoints, explorers, and what the map needs of them. Keyed by content, never by time."""

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from svge_core.atlas import FILE as ATLAS, LEAN_FROM, PlaneName, latents_file
from svge_core.checkpoints import (
    META,
    WEIGHTS,
    Checkpoint,
    find_checkpoints,
    load_checkpoint,
    load_meta,
    usual_checkpoint,
)
from svge_core.data import Scores, load_scores
from svge_core.drawing import ThemeName, operation_colours
from svge_core.errors import SvgeError
from svge_core.explorer import (
    FAMILY,
    PREDICTORS,
    ChartedCells,
    Column,
    Explorer,
    assemble_explorer,
    map_column,
    point_labels,
)
from svge_core.spaces import SPACES
from ui.latent_map.own import publish_own
from ui.latent_map.published import publish_array, publish_text, published_path
from ui.latent_map.values import CATEGORICAL, SEQUENTIAL, MapBackground, MapColour, MapPoints
from ui.paths import checkpoints_root
from ui.shared import reruns, session
from ui.shared.trained import own_latencies, own_trainings
from ui.shared.waiting import nothing_to_wait_for, waiting

#: predicted too low, right, predicted too high; the middle is visible on light and dark pages
DIVERGING = ("#2f7fd0", "#7ba7d4", "#a3a8b0", "#dd9b70", "#d2602a")
GREY_COLUMNS, GREY_ROWS = 160, 120
#: maps of more points have no lines of text for their points: a hundred megabytes that nobody reads
LABELLED = 100_000
#: name, size and time of files
Stamp = tuple[tuple[str, int, int], ...]


def checkpoint_folders() -> dict[tuple[str, str], Path]:
    """All checkpoints by space and name; those with a map first, and of these the usual one of the space."""
    found = find_checkpoints(checkpoints_root())
    usual = {usual_checkpoint(parent) for parent in {path.parent for path in found}}

    def place(path: Path) -> tuple[str, bool, bool]:
        return path.parent.name, not (path / ATLAS).is_file(), path not in usual

    folders = sorted(found, key=place)
    return {(path.parent.name, path.name): path for path in folders}


def explorer_for(folder: Path, device: str) -> Explorer:
    """The opened checkpoint, shared by all sessions until its files change.

    Raises:
        CheckpointError: as :func:`svge_core.explorer.open_explorer`.
    """
    return _open((*_opening(folder), device, _beside(folder)), checkpoint_for(folder, device))


def checkpoint_for(folder: Path, device: str) -> Checkpoint:
    """The checkpoint alone, which may have no atlas; the explorer of the same folder holds the same object.

    Raises:
        CheckpointError: as :func:`svge_core.checkpoints.load_checkpoint`.
    """
    return _checkpoint(*_opening(folder), device)


def _opening(folder: Path) -> tuple[str, str, Stamp]:
    """What a checkpoint is known by: the digest it names, and size and time of files that may be damaged since."""
    return str(folder), load_meta(folder)[1], _stamp(folder / META, folder / WEIGHTS)


def _beside(folder: Path) -> Stamp:
    """What else an explorer is made of."""
    return _stamp(folder / ATLAS, *sorted((folder / PREDICTORS).glob("*/*")))


def _stamp(*paths: Path) -> Stamp:
    """Name, size and time of files, which is enough to notice a change."""
    return tuple((path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in paths if path.is_file())


#: open at once: two of each listed space, as a second map may show another checkpoint
_OPEN = 2 * len(SPACES)


@st.cache_resource(max_entries=_OPEN, show_spinner="Reading the checkpoint …")
def _checkpoint(folder: str, digest: str, stamp: Stamp, device: str) -> Checkpoint:
    return load_checkpoint(Path(folder), device=device)


@st.cache_resource(max_entries=4, show_spinner="Reading the score tables …")
def known_scores(space: str) -> Scores:
    """Known scores of a listed space, the same object for explorers and for pages without one.

    Raises:
        DataError: as :func:`svge_core.data.load_scores`.
    """
    return load_scores(space)


def opening(folder: Path) -> contextlib.AbstractContextManager[object]:
    """What to say, and to count, while a checkpoint is opened; nothing once it is open."""
    try:
        meta, digest = load_meta(folder)
    except SvgeError:
        return nothing_to_wait_for()
    if digest in _opened or meta.space not in SPACES:
        return nothing_to_wait_for()
    space = SPACES[meta.space]
    words = f"Opening {space.title}: the checkpoint, its map and the scores …"
    if space.enumerated and (space.size or 0) > LEAN_FROM and not latents_file(space, digest[:16]).exists():
        words = (
            f"Opening {space.title} for the first time on this machine: its {space.size:,} cells are listed and "
            "encoded. From then on they come from the cache."
        )
    return waiting(words, space.title)


#: digests of weights that were opened since the server started
_opened: set[str] = set()


@st.cache_resource(max_entries=_OPEN, show_spinner=False)
def _open(identity: tuple[str, str, Stamp, str, Stamp], _checkpoint: Checkpoint) -> Explorer:
    explorer = assemble_explorer(_checkpoint, lambda space: known_scores(space.name))
    _opened.add(identity[1])
    # seconds of work that only the first click needs: done while the map loads; whoever comes early waits for a value
    # no daemon: a process that ends while such a thread is in PyTorch's code is aborted
    threading.Thread(target=_warm, args=(explorer,), name="first click").start()
    return explorer


def _charted_folder(name: str) -> Path | None:
    folder = checkpoint_folders().get((session.space_name(), name))
    return folder if folder is not None and (folder / ATLAS).is_file() else None


def has_map(name: str) -> bool:
    """Whether there is a checkpoint of that name in the chosen space, with a map."""
    return _charted_folder(name) is not None


def named_explorer(name: str) -> Explorer | None:
    """Another checkpoint of the chosen space, opened; None where there is none of that name that can be opened."""
    if (folder := _charted_folder(name)) is None:
        return None
    files = (*_stamp(folder / META, folder / WEIGHTS), *_beside(folder))
    if _refused.get(folder) == files:
        return None
    try:
        with opening(folder):
            return explorer_for(folder, session.device() or "cpu")
    except SvgeError:
        _refused[folder] = files
        return None


#: files of folders that could not be opened: not read again at every run, until one of them changes
_refused: dict[Path, Stamp] = {}


def with_own_scores(explorer: Explorer, name: str = "own explorer") -> Explorer:
    """The explorer of this session: with the user's own columns and what was trained and timed here, if any.

    Args:
        explorer: without them.
        name: that the last answer is remembered under.
    """
    own, space = session.user_columns(), explorer.space.name
    tables = [table for table in (own and own.scores, own_trainings(space), own_latencies(space)) if table is not None]
    if not tables:
        return explorer
    key = (explorer.digest, session.device(), *(scores.digest for scores in tables))
    joined = tables[0].with_columns(*tables[1:])
    return reruns.memo(name, key, lambda: explorer.with_scores(joined))


def joined_rows(explorer: ChartedCells, other: ChartedCells) -> np.ndarray | None:
    """For every row of a chart, the row of the same cell in another one, -1 where it is not there; None where both
    list the same cells in the same order."""
    return _joined((explorer.atlas.digest, other.atlas.digest), explorer, other)


@st.cache_resource(max_entries=8, show_spinner=False)
def _joined(identity: tuple[str, str], _explorer: ChartedCells, _other: ChartedCells) -> np.ndarray | None:
    rows = _explorer.atlas.rows_in(_other.atlas)
    same = len(rows) == len(_other.atlas) and bool((rows == np.arange(len(rows))).all())
    return None if same else rows


def _warm(explorer: Explorer) -> None:
    works: list[Callable[[], object]] = [
        lambda: explorer.stored_predictions,
        lambda: (explorer.operation_counts, explorer.label_indices, explorer.weights),
        *(lambda plane=plane: plane.spacing for plane in explorer.atlas.planes.values()),
    ]
    for work in works:
        if not threading.main_thread().is_alive():  # the server ends, and waits for this
            return
        with contextlib.suppress(SvgeError):  # a damaged predictor is reported by the click that needs it
            work()


@dataclass(frozen=True)
class ShownColumn:
    """A column and its published form."""

    column: Column
    colour: MapColour


def shown_column(explorer: Explorer, key: str, theme: ThemeName) -> ShownColumn:
    """A column ready for the map.

    Raises:
        DataError: if there is no such column.
    """
    identity = (explorer.digest, key, theme)
    found = _column(identity, explorer)
    if not published_path(found.colour.values_url).exists():  # somebody emptied the folder: publish again
        _column.clear(identity, explorer)
        found = _column(identity, explorer)
    return found


@st.cache_resource(max_entries=96, show_spinner="Working out the column …")
def _column(identity: tuple[str, str, ThemeName], _explorer: Explorer) -> ShownColumn:
    shown = map_column(_explorer, identity[1])
    palette, on_top = SEQUENTIAL, "low" if shown.direction == "min" else "high"
    if shown.name.kind == "error":
        palette, on_top = DIVERGING, "high"
    elif shown.name.key == "split":
        palette = (CATEGORICAL[9], CATEGORICAL[1])
    elif shown.name.key == FAMILY:
        palette = CATEGORICAL[: len(shown.categories)]
    elif shown.categories:
        palette = (*operation_colours(_explorer.space, identity[2]).values(), CATEGORICAL[4])
    own = shown.name.score != "" and _explorer.meaning(shown.name.score).origin == "user"
    url = publish_own(shown.values) if own else publish_array(shown.values, shown.name.key)
    colour = MapColour(
        url,
        shown.name.title,
        shown.unit,
        shown.low,
        shown.high,
        palette,
        shown.categories,
        "low" if on_top == "low" else "high",
    )
    return ShownColumn(shown, colour)


def map_points(explorer: Explorer, plane: PlaneName, first: Explorer | None = None) -> MapPoints:
    """The published layout of a map.

    Args:
        explorer: of the map.
        plane: its layout.
        first: of the map beside it, which numbers cells without an index; None for the map's own numbers.
    """
    rows = None if first is None or explorer.atlas.drawn is None else joined_rows(explorer, first)
    numbered = "" if rows is None or first is None else first.atlas.digest
    asked = (explorer.atlas.planes[plane].digest, plane, numbered, explorer, rows)
    found = _points(*asked)
    if not all(published_path(url).exists() for url in (found.xy_url, found.labels_url or found.xy_url)):
        _points.clear(*asked)
        found = _points(*asked)
    return found


@st.cache_resource(max_entries=16, show_spinner=False)
def _points(layout: str, plane: PlaneName, numbered: str, _explorer: Explorer, _rows: np.ndarray | None) -> MapPoints:
    xy, labels = _explorer.atlas.planes[plane].xy, None
    if len(xy) <= LABELLED:
        labels = publish_text(point_labels(_explorer, _rows), f"{_explorer.space.name}-labels")
    # the browser reads the lines anew when what it knows the points by is another
    known_by = f"{layout}{numbered[:12]}-{plane}"
    return MapPoints(known_by, publish_array(xy, f"{_explorer.space.name}-{plane}"), len(xy), labels)


@st.cache_resource(max_entries=16, show_spinner=False)
def map_background(layout: str, plane: PlaneName, _explorer: Explorer) -> MapBackground:
    """Greyness of the sparse zones of a map; ``layout`` is the plane's digest."""
    grey, extent = _explorer.atlas.planes[plane].sparseness(GREY_COLUMNS, GREY_ROWS)
    return MapBackground(GREY_COLUMNS, GREY_ROWS, extent, np.round(255 * grey).astype(np.uint8).tobytes())
