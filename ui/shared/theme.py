"""The theme of the page a person looks at, and text made safe for Streamlit's Markdown."""

import re

import streamlit as st

from svge_core.drawing import THEMES, Theme, ThemeName
from ui.shared.hiding import without_paths

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~<>$:&])")


def theme_name() -> ThemeName:
    """Light or dark, as the browser shows it."""
    return "dark" if st.context.theme.type == "dark" else "light"


def theme() -> Theme:
    """Colours of the theme."""
    return THEMES[theme_name()]


def plain(text: str) -> str:
    """A user's text for labels and Markdown, shown letter by letter: no formatting, links, formulas or colours.

    Visitors of a shared server are not shown where its files lie.
    """
    return _MARKDOWN.sub(r"\\\1", " ".join(without_paths(text).split()))
