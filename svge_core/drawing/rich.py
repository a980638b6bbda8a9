"""HTML by which values show themselves in a notebook: every text is escaped, nothing is loaded from elsewhere.

Texts take the colours of the notebook. Drawings stand on a light ground, as a notebook does not say whether it is dark.
"""

from collections.abc import Sequence
from html import escape

from svge_core.drawing.page import PageText

#: CSS of the ground of a drawing, and of what stands below it there
_GROUND = "background:#ffffff;color:#1f2937;border-radius:4px;padding:6px;margin:0 8px 8px 0"
_BELOW = "font-size:85%;overflow-wrap:anywhere"


def rich_drawing(svg: str, below: Sequence[str] = (), *, width: int = 22) -> str:
    """A drawing on a light ground.

    Args:
        svg: from :func:`svge_core.drawing.to_svg`.
        below: lines of text.
        width: at most, in the size of letters (em).
    """
    lines = "".join(f"<div style='{_BELOW}'>{escape(line)}</div>" for line in below)
    return f"<div style='{_GROUND};max-width:{width}em'>{svg}{lines}</div>"


def rich_row(drawings: Sequence[str]) -> str:
    """Drawings of :func:`rich_drawing` side by side, in several lines where the window is narrow."""
    return f"<div style='display:flex;flex-wrap:wrap;align-items:flex-start'>{''.join(drawings)}</div>"


def rich_table(head: Sequence[str], rows: Sequence[Sequence[str | PageText]]) -> str:
    """A table; of a text that is set apart only bold and italic are kept.

    Args:
        head: titles of the columns.
        rows: as many texts each.
    """
    titles = "".join(f"<th style='text-align:left'>{escape(title)}</th>" for title in head)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"


def rich_block(title: str, lines: Sequence[str], *parts: str) -> str:
    """All of a value: its name, lines of text, and parts made by the functions above."""
    said = "".join(f"<div>{escape(line)}</div>" for line in lines if line)
    return f"<div><b>{escape(title)}</b>{said}{''.join(parts)}</div>"


def rich_notes(title: str, lines: Sequence[str]) -> str:
    """Lines that are read when they are asked for: below a title that opens them."""
    said = "".join(f"<div>{escape(line)}</div>" for line in lines)
    return f"<details><summary>{escape(title)}</summary>{said}</details>"


def _cell(text: str | PageText) -> str:
    shown = escape(text if isinstance(text, str) else text.text)
    if isinstance(text, PageText):
        shown = f"<i>{shown}</i>" if text.italic else shown
        shown = f"<b>{shown}</b>" if text.bold else shown
    return f"<td style='text-align:left;overflow-wrap:anywhere'>{shown}</td>"
