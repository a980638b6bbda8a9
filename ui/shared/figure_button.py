"""The button "Figure": a chart or drawing for a paper, with the command and the Python call that make the same file."""

import shlex
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from svge_core.cells import Cell
from svge_core.explorer import Explorer
from svge_core.figures.paper import FORMS, WIDTHS, PaperFigure, PaperForm, PaperWidth
from ui.paths import ROOT, runs_folder
from ui.shared import session
from ui.shared.hiding import shown_checkpoint
from ui.shared.trained import known_here

_MIME: dict[PaperForm, str] = {"pdf": "application/pdf", "svg": "image/svg+xml", "png": "image/png"}
#: pixels of a long command, which then scrolls
_LONG, _HEIGHT = 260, 130
#: held while a figure is drawn: that of a large map takes a core for seconds, whoever asks, and the others wait
_DRAWING = threading.Lock()


@dataclass(frozen=True)
class FigureOffer:
    """One figure that can be made.

    Attributes:
        kind: word of the command line: map, path, race, front, compare or cell.
        name: of the file, without suffix.
        make: the figure of a ``width``; called only when a person downloads it, in a thread without a session.
        words: of the command after the kind, without the file and the width.
        call: the Python call, with ``{width}`` and ``{path}`` where these stand.
        note: what the command cannot know; empty for nothing.
    """

    kind: str
    name: str
    make: Callable[..., PaperFigure]
    words: Sequence[str]
    call: str
    note: str = ""


def figure_button(key: str, offer: Callable[[], FigureOffer], usual: PaperWidth = "single") -> None:
    """Show the button.

    Args:
        key: of its widgets, unlike all others of the page.
        offer: what is behind it.
        usual: width that is chosen at first.
    """
    with st.popover(
        "Figure", icon=":material/picture_as_pdf:", type="tertiary", key=f"figure-{key}", help="For a paper"
    ):
        shown, forms, widths = offer(), FORMS, tuple(WIDTHS)
        form: PaperForm = st.segmented_control(
            "Form", forms, default=forms[0], format_func=str.upper, key=f"figure-form-{key}", required=True
        )
        width: PaperWidth = st.segmented_control(
            "Width",
            widths,
            default=usual,
            format_func=lambda name: f"{name}, {WIDTHS[name][0]:g} in",
            key=f"figure-width-{key}",
            required=True,
            help="  \n".join(f"**{name}**: {words}" for name, (_, words) in WIDTHS.items()),
        )
        st.download_button(
            "Download",
            key=f"figure-download-{key}",
            icon=":material/download:",
            type="primary",
            mime=_MIME[form],
            on_click="ignore",
            data=lambda: _file(shown, width, form),
            file_name=f"{shown.name}.{form}",
        )
        file = f"{shown.name}.{form}"
        command = shlex.join(
            ["python", "-m", "svge_core", "figure", shown.kind, *shown.words, "--width", width, "--out", file]
        )
        st.caption("The same file without the app, and from Python:")
        for text, language in ((command, "bash"), (shown.call.format(width=repr(width), path=repr(file)), "python")):
            st.code(text, language=language, wrap_lines=True, height=_HEIGHT if len(text) > _LONG else "content")
        if shown.note:
            st.caption(shown.note)


def _file(shown: FigureOffer, width: PaperWidth, form: PaperForm) -> bytes:
    with _DRAWING:
        return shown.make(width=width).to_bytes(form)


def checkpoint_words(explorer: Explorer) -> list[str]:
    """The options that name the checkpoint, and what was trained and timed here, as seen from the folder of the app."""
    words = ["--checkpoint", checkpoint_name(explorer)]
    return [*words, "--runs", _runs()] if known_here(explorer.space.name) else words


def _runs() -> str:
    folder = runs_folder()
    return str(folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder)


def checkpoint_name(explorer: Explorer) -> str:
    """The folder of the checkpoint; visitors see its last names only."""
    folder = explorer.checkpoint.folder.resolve()
    return shown_checkpoint(str(folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder))


def opening(explorer: Explorer) -> str:
    """The Python lines that every call about a checkpoint begins with."""
    lines = ["import svge_core as svge", "", f"explorer = svge.open_explorer({checkpoint_name(explorer)!r})"]
    if known_here(explorer.space.name):
        lines.insert(1, "from svge_core.jobs import scores_from_here")
        lines.append(f"explorer = explorer.with_scores(scores_from_here(explorer.space, {_runs()!r}))")
    return _braces("\n".join([*lines, ""]))


def typed(explorer: Explorer, cell: Cell) -> str:
    """A cell on the command line: its index where it has one, else its notation."""
    space = explorer.space
    return space.format(cell) if space.size is None else f"#{space.index(cell)}"


def in_python(explorer: Explorer, cells: Sequence[Cell]) -> str:
    """The Python list of some cells."""
    space = explorer.space
    if space.size is not None:
        found = [f"explorer.space.from_index({space.index(cell)})" for cell in cells]
    else:
        found = [f"explorer.space.parse({space.format(cell)!r})" for cell in cells]
    return _braces(f"[{', '.join(found)}]")


def _braces(text: str) -> str:
    """A text that stands for itself in a format."""
    return text.replace("{", "{{").replace("}", "}}")


def own_note(explorer: Explorer) -> str:
    """That scores of one's own have to be given to the command."""
    if session.user_columns() is None:
        return ""
    return "Own scores: give the command your file with `--scores FILE.csv`."
