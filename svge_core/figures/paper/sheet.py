"""`PaperFigure`: a drawing of the width of a column, with the line below it that says what its numbers are.

Light ground, text as text (TrueType in PDF, as IEEE and arXiv ask), fonts that matplotlib brings along, and no clock:
the same input gives the same bytes in the app, on the command line and in a notebook.
"""

import io
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from svge_core.checks import one_of
from svge_core.drawing import THEMES
from svge_core.errors import SvgeError
from svge_core.exporting import write_atomic
from svge_core.figures.paper.forms import FORMS, WIDTHS, PaperForm, PaperWidth

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

#: points; nothing in a figure is smaller than the last one
SIZE, SMALL, NOTE = 7.5, 6.5, 6.0
#: from line to line of the protocol, as a multiple of its letters
LEADING = 1.25
#: of what is rasterised inside a vector file, and of a whole PNG
DPI = 400
_LOOK = THEMES["light"]
_STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": SIZE,
    "axes.titlesize": SIZE,
    "axes.labelsize": SIZE,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "legend.handlelength": 2.2,
    "text.color": _LOOK.text,
    "axes.labelcolor": _LOOK.text,
    "axes.edgecolor": _LOOK.line,
    "xtick.color": _LOOK.line,
    "ytick.color": _LOOK.line,
    "xtick.labelcolor": _LOOK.text,
    "ytick.labelcolor": _LOOK.text,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "grid.color": _LOOK.faint,
    "grid.linewidth": 0.4,
    "lines.linewidth": 1.1,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "text.parse_math": False,  # a user's title may have a dollar in it
    "axes.formatter.use_mathtext": False,
    "axes.unicode_minus": True,
    "axes.formatter.useoffset": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "svge",
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "pdf.compression": 6,
}
#: no clock and no version: equal figures are equal files
_METADATA: dict[PaperForm, dict[str, None]] = {
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
}
# settings of matplotlib are those of the whole process; sessions of a server draw from several threads
_lock = threading.Lock()


@dataclass(frozen=True)
class Sheet:
    """The empty ground of a figure; lengths are in inches.

    Attributes:
        figure: of matplotlib; what is added to it as a subplot is laid out around its titles.
        wide: the whole width.
        tall: the height above the protocol.
        below: the height of the protocol.
    """

    figure: "Figure"
    wide: float
    tall: float
    below: float

    def place(self, left: float, top: float, wide: float, tall: float) -> "Axes":
        """Empty axes at a place of their own, counted from the upper left."""
        whole = self.tall + self.below
        axes = self.figure.add_axes((left / self.wide, 1 - (top + tall) / whole, wide / self.wide, tall / whole))
        axes.set_axis_off()
        return axes

    def keep_free(self, above: float) -> None:
        """Leave so much free above the subplots."""
        engine: Any = self.figure.get_layout_engine()
        whole, tall = self.tall + self.below, self.tall - above
        engine.set(w_pad=0.03, h_pad=0.03, rect=(0, self.below / whole, 1, tall / whole))


@dataclass(frozen=True)
class PaperFigure:
    """A figure that is drawn when it is asked for: it shows itself in a notebook, and :meth:`save` writes it.

    Attributes:
        name: short, for the name of a file.
        title: what is shown, for screen readers.
        height: inches of the drawing at a width in inches, the lines below it not counted.
        draw: puts the drawing on an empty sheet of that size.
        protocol: what the numbers are: data set, split, epochs, seeds, measured or predicted; a line each.
        width: of a column.
    """

    name: str
    title: str
    height: Callable[[float], float]
    draw: Callable[[Sheet], None]
    protocol: tuple[str, ...] = ()
    width: PaperWidth = "single"

    def __post_init__(self) -> None:
        one_of("width", self.width, WIDTHS)

    def as_wide_as(self, width: PaperWidth) -> "PaperFigure":
        """The same figure for another width.

        Raises:
            SvgeError: if there is no such width.
        """
        return replace(self, width=width)

    def to_bytes(self, form: PaperForm) -> bytes:
        """The content of a file.

        Args:
            form: pdf, svg or png (400 dpi).

        Raises:
            SvgeError: if there is no such form.
        """
        one_of("form", form, FORMS)
        import matplotlib as mpl
        from matplotlib.figure import Figure

        settings: Any = {**mpl.rcParamsDefault, "backend": "agg", **_STYLE}
        with _lock, mpl.rc_context(settings):
            wide = WIDTHS[self.width][0]
            figure = Figure(figsize=(wide, self.height(wide)), dpi=DPI, layout="constrained")
            lines = [line for text in self.protocol for line in wrapped(text, wide - 0.06)]
            below = len(lines) * NOTE * LEADING / 72 + (0.06 if lines else 0.0)
            sheet = Sheet(figure, wide, self.height(wide), below)
            figure.set_size_inches(wide, sheet.tall + below)
            sheet.keep_free(0.0)
            self.draw(sheet)
            if all(axes.get_subplotspec() is None for axes in figure.axes):
                figure.set_layout_engine("none")
            for number, line in enumerate(reversed(lines)):
                at = (0.03 / wide, (0.025 + number * NOTE * LEADING / 72) / (sheet.tall + below))
                figure.text(*at, line, fontsize=NOTE, color=_LOOK.muted, va="baseline")
            content = io.BytesIO()
            figure.savefig(content, format=form, dpi=DPI, metadata=_METADATA[form])
        return content.getvalue()

    def save(self, path: str | Path) -> None:
        """Write a file in the form that its suffix names: .pdf, .svg or .png.

        Raises:
            SvgeError: if the suffix is unknown, or the file cannot be written.
        """
        path = Path(path)
        form: PaperForm | None = next((form for form in FORMS if path.suffix.lower() == f".{form}"), None)
        if form is None:
            raise SvgeError(f"Cannot draw to {path.name!r}: expected {', '.join(f'.{form}' for form in FORMS)}.")
        write_atomic(path, self.to_bytes(form))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """For Jupyter."""
        return self.mime_bundle()

    def mime_bundle(self) -> dict[str, str]:
        """The figure as notebooks take it: a picture, and what it shows in words."""
        return {"image/svg+xml": self.to_bytes("svg").decode(), "text/plain": f"<figure: {self.title}>"}


def wrapped(text: str, wide: float) -> list[str]:
    """A text in lines that are at most so many inches wide in the letters of the protocol.

    A word that is wider than a line, such as a notation, is broken.
    """
    space, lines, ends = note_inches(" "), list[str](), list[float]()
    for word in text.split():
        parts = list(word) if note_inches(word) > wide else [word]
        for number, part in enumerate(parts):
            gap = 0.0 if number else space
            if lines and ends[-1] + gap + note_inches(part) <= wide:
                lines[-1] += (" " if gap else "") + part
                ends[-1] += gap + note_inches(part)
            else:
                lines.append(part)
                ends.append(note_inches(part))
    return lines


@lru_cache(maxsize=4_096)
def note_inches(word: str) -> float:
    """How wide a text is in the letters of the protocol, or a little less: letters that move together are not known."""
    from matplotlib.textpath import text_to_path

    return text_to_path.get_text_width_height_descent(word, _note_font(), ismath=False)[0] / 72


@cache
def _note_font() -> "FontProperties":
    from matplotlib.font_manager import FontProperties

    return FontProperties(family="DejaVu Sans", size=NOTE)
