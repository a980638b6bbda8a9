"""The form's choices of what may be proposed and which trainings go to their end; widgets that outlive a page."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from svge_core.errors import SvgeError
from svge_core.search import Rules, parse_limit
from svge_core.search.objectives import split_word
from svge_core.search.runs import PRUNERS
from svge_core.spaces import AbstractSearchSpace
from ui.shared import reruns
from ui.shared.theme import plain
from ui.shared.waiting import waiting

_SAVED = "search_form"
#: whether cells that compute the same are proposed once, in words; None for what suits the goal
_DISTINCT: dict[str, bool | None] = {
    "Proposed once where every evaluation is made anew (real training, functions), else each": None,
    "Proposed once": True,
    "Each proposed": False,
}
#: what may be limited, as the form calls it
_LIMITED = {"params_m": "Parameters, million", "flops_m": "FLOPs, million"}


def kept(key: str, default: Any, show: Any, valid: Any = lambda value: value) -> Any:
    """A widget whose value survives a change of pages."""
    saved: dict[str, Any] = st.session_state.setdefault(_SAVED, {})
    if key not in st.session_state:
        st.session_state[key] = valid(saved.get(key, default))
    saved[key] = show(key)
    return saved[key]


def choose_distinct(space: AbstractSearchSpace) -> bool | None:
    """Whether cells that compute the same are proposed once; None for what suits the goal."""
    chosen = kept(
        "search-distinct",
        next(iter(_DISTINCT)),
        lambda key: st.selectbox(
            "Cells that compute the same",
            list(_DISTINCT),  # texts: Streamlit takes None for nothing chosen
            key=key,
            help=plain(
                f"{space.equivalence} In a table such cells have values of their own, and the best may be any of them."
            ),
        ),
    )
    return _DISTINCT[chosen]


def choose_prune(words: Sequence[str]) -> str:
    """How trainings of poor cells are stopped early; empty for not at all, and for goals that are not trained."""
    if len(words) != 1 or split_word(words[0])[0] != "train":
        return ""
    titles = {"": "Train every cell to the end"} | {name: f"Stop poor cells: {what}" for name, what in PRUNERS.items()}
    return kept(
        "search-prune",
        "",
        lambda key: st.selectbox(
            "Early stops",
            list(titles),
            format_func=titles.__getitem__,
            key=key,
            help="After an epoch, cells that are behind the others are trained no further. They count as evaluations, "
            "without a value.",
        ),
        valid=lambda value: value if value in titles else "",
    )


def choose_limits(space: AbstractSearchSpace) -> tuple[str, ...]:
    """Limits of parameters and FLOPs, as a run has them; none where cells of the space have neither."""
    if not space.has_cost:
        return ()
    found: list[str] = []
    with st.container(key="search-limits", horizontal=True):
        for key, title in _LIMITED.items():
            for name, sign in (("at least", ">="), ("at most", "<=")):
                bound = kept(
                    f"search-{key}-{'least' if sign == '>=' else 'most'}-{space.name}",
                    None,
                    lambda widget, label=f"{title}, {name}": st.number_input(
                        label, min_value=0.0, value=None, step=0.01, format="%g", key=widget, placeholder="any"
                    ),
                )
                found += [] if bound is None else [f"{key}{sign}{bound!r}"]
    return tuple(found)


def limits_problem(space: AbstractSearchSpace, where: Sequence[str]) -> str:
    """Why nothing can be proposed within limits, one line; empty where something can."""

    def problem() -> str:
        try:
            rules = Rules(space, tuple(map(parse_limit, where)))
            _ = rules.indices() if space.enumerated else rules.listed()
        except SvgeError as error:
            return str(error)
        return ""

    if not where:
        return ""
    with waiting("Counting the cells within the limits …", space.title):
        return reruns.memo("search limits", (space.name, tuple(where)), problem)


def limits_in_words(where: Sequence[str]) -> str:
    """The same as people read it; empty for none."""
    return "" if not where else f" Only cells with {' and '.join(parse_limit(text).words for text in where)}."
