"""Text inside a line of Markdown: shown letter by letter, as readable in the source as it can be."""

import re

#: what begins markup inside a line or a cell of a table: formatting, links, HTML, entities, formulas, emoji, addresses
_MARKUP = re.compile(r"[\\`*_{}\[\]<>|~$&@#]|:(?=\S)|(?<=\bwww)\.|-(?=[->])")


def markdown_text(text: str) -> str:
    """A text that somebody else wrote, for the inside of a line or a table's cell: no markup, no line breaks."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(text.split()))
