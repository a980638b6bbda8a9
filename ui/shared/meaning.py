"""What a score is: name and kind where it is shown, its whole protocol behind the "i" beside it."""

import streamlit as st

from svge_core.data import ScoreMeaning, score_name
from ui.shared.theme import plain


def protocol(meaning: ScoreMeaning, before: str = "", after: str = "", *, more: str = "", kind: str = "") -> None:
    """Show a line of small print about numbers.

    Args:
        meaning: of the numbers; its data set, split, epochs, seeds and source are behind the "i".
        before: said before name and kind, as plain text.
        after: said after them, likewise.
        more: what else is behind the "i".
        kind: of the numbers that are shown, where it is not that of the score: predictions of a measured one.
    """
    whole = f"{meaning.describe().rstrip('.')}. {more}".strip()
    st.caption(plain(f"{before} {score_name(meaning)} ({kind or meaning.kind}). {after}".strip()), help=plain(whole))
