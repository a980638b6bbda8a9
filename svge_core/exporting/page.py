"""Cells and what is known about them as one HTML file that needs no other: to be attached to an issue or a mail.

Drawings are inline SVG, columns can be sorted, and nothing is loaded from anywhere: the file says so to the browser
itself (Content-Security-Policy). Every text is escaped.
"""

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from svge_core.data import PredictionRow, ScoreMeaning, score_name
from svge_core.errors import SvgeError
from svge_core.exporting.document import ExportItem, all_meanings
from svge_core.spaces import AbstractSearchSpace

#: most cells of a page: each has its drawing in it, some kilobytes
MAX_PAGE = 500
_STYLE = """
:root { color-scheme: light; font: 15px/1.45 system-ui, sans-serif; color: #1f2933; background: #fff }
body { margin: 1.5rem; max-width: 100rem }
h1 { font-size: 1.4rem; margin: 0 0 .3rem } h2 { font-size: 1.1rem; margin: 1.5rem 0 .3rem }
.table { overflow-x: auto } table { border-collapse: collapse }
th, td { border-bottom: 1px solid #c5cbd3; padding: .35rem .6rem; text-align: right; white-space: nowrap }
th { vertical-align: bottom; white-space: normal; font-weight: 600 }
td:nth-child(1), td:nth-child(2), th:nth-child(1), th:nth-child(2) { text-align: left; white-space: normal }
td svg { width: 15rem; height: auto; max-height: 12rem }
code { font-size: .8rem; overflow-wrap: anywhere; color: #5b6673 }
.predicted { font-style: italic; color: #6b3f9c } .label { font-weight: 600 }
button { all: unset; cursor: pointer; display: inline-block; padding: .3rem 0 }
button:focus-visible { outline: 2px solid #5b47c0 }
th[aria-sort=ascending] button::after { content: " \\2191" }
th[aria-sort=descending] button::after { content: " \\2193" }
"""
_SCRIPT = """
for (const head of document.querySelectorAll("th button")) head.addEventListener("click", () => {
  const th = head.closest("th"), body = document.querySelector("tbody"), at = th.cellIndex;
  const now = th.getAttribute("aria-sort"), up = now === null ? th.dataset.first === "up" : now === "descending";
  for (const other of document.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
  th.setAttribute("aria-sort", up ? "ascending" : "descending");
  const value = row => { const text = row.cells[at].dataset.value; return text === undefined ? null : Number(text) };
  const rows = [...body.rows].sort((a, b) => {
    const x = value(a), y = value(b);
    return x === null || y === null ? (x === null) - (y === null) : up ? x - y : y - x;  // unknown ones stay last
  });
  body.append(...rows);
});
"""


@dataclass(frozen=True)
class _Column:
    """One score, from one source."""

    meaning: ScoreMeaning
    predicted: bool


def to_html(items: Sequence[ExportItem], space: AbstractSearchSpace) -> str:
    """The page: a row a cell with its drawing, names and scores; below, what the scores mean.

    Args:
        items: cells in order, 500 at most.
        space: of the cells.

    Raises:
        SvgeError: if there are none or too many, their meanings clash, or one cannot be drawn.
    """
    if not items:
        raise SvgeError("There is no architecture to export.")
    if len(items) > MAX_PAGE:
        raise SvgeError(f"A page holds at most {MAX_PAGE} architectures; got {len(items):,}. Use .csv or .parquet.")
    meanings = all_meanings(items)
    guessed = {prediction.score for item in items for prediction in item.predicted}
    columns = [
        _Column(meaning, predicted)
        for key, meaning in meanings.items()
        if not meaning.detail
        for predicted in (False, True)
        if (key in guessed if predicted else any(key in item.measured for item in items))
    ]
    title = f"{len(items):,} architecture{'' if len(items) == 1 else 's'} of {space.title}"
    heads = "".join(_head(column) for column in columns)
    rows = "\n".join(_row(item, place, columns, space) for place, item in enumerate(items, start=1))
    # drawings bring a style of their own as an attribute
    allowed = (
        f"default-src 'none'; style-src {_hash(_STYLE)}; style-src-attr 'unsafe-inline'; "
        f"script-src {_hash(_SCRIPT)}; base-uri 'none'; form-action 'none'"
    )
    first = (
        '<th scope="col" data-first="up"><button type="button">Architecture</button></th><th scope="col">Drawing</th>'
    )
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(allowed)}">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>",
            "<p>Made by SVGe Explorer. A click on a title sorts by that column. "
            '<span class="predicted">≈</span> marks what a model predicts.</p>',
            f'<div class="table"><table>\n<thead><tr>{first}{heads}</tr></thead>',
            f"<tbody>\n{rows}\n</tbody>\n</table></div>",
            "<h2>What the scores mean</h2>\n<ul>",
            *(f"<li>{escape(line)}</li>" for line in _notes(items, columns)),
            f"</ul>\n<script>{_SCRIPT}</script>\n</body>\n</html>\n",
        ]
    )


def _hash(text: str) -> str:
    """What lets the browser take this very text and no other."""
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _head(column: _Column) -> str:
    meaning = column.meaning
    unit = f" ({meaning.unit})" if meaning.unit else ""
    words = f"{score_name(meaning)}, {'predicted' if column.predicted else meaning.kind}{unit}"
    first = ' data-first="up"' if meaning.direction == "min" else ""
    look = ' class="predicted"' if column.predicted else ""
    return f'<th scope="col"{first}{look}><button type="button">{escape(words)}</button></th>'


def _row(item: ExportItem, place: int, columns: Sequence[_Column], space: AbstractSearchSpace) -> str:
    from svge_core import drawing  # Graphviz is loaded only where something is drawn

    name = f"No. {place}" if space.size is None else f"#{space.index(item.cell)}"
    label = f'<div class="label">{escape(item.label)}</div>' if item.label else ""
    svg = drawing.to_svg(item.cell, space, theme="light")
    order = place if space.size is None else space.index(item.cell)
    cells = "".join(_value(item, column) for column in columns)
    named = f"{label}<div>{name}</div><code>{escape(space.format(item.cell))}</code>"
    return f'<tr><td data-value="{order}">{named}</td><td>{svg}</td>{cells}</tr>'


def _value(item: ExportItem, column: _Column) -> str:
    """One number; nothing where it is not known."""
    key = column.meaning.key
    if not column.predicted:
        value = item.measured.get(key)
        return "<td></td>" if value is None else f'<td data-value="{value!r}">{_digits(value)}</td>'
    found: PredictionRow | None = next((one for one in item.predicted if one.score == key), None)
    if found is None:
        return "<td></td>"
    words = f"≈ {_digits(found.mean)} ({_digits(found.low)} to {_digits(found.high)})"
    return f'<td class="predicted" data-value="{found.mean!r}">{words}</td>'


def _digits(value: float) -> str:
    """As people write it: two decimals, more below 2, none from 1,000 on."""
    size = abs(value)
    return f"{value:,.{4 if size < 2 else 2 if size < 1_000 else 0}f}"


def _notes(items: Sequence[ExportItem], columns: Sequence[_Column]) -> list[str]:
    """What every column is, and who predicts; of what is only predicted, what the predictions stand for."""
    known = {column.meaning for column in columns if not column.predicted}
    lines = [
        f"{score_name(meaning)}: {'' if meaning in known else 'only predicted. Stands for: '}{meaning.describe()}."
        for meaning in dict.fromkeys(column.meaning for column in columns)
    ]
    models = dict.fromkeys((one.model, one.level) for item in items for one in item.predicted)
    return [*lines, *(f"Predicted by: {model}, with a {100 * level:.0f} % interval." for model, level in models)]
