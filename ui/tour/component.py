"""Five steps above the page for a first visit: in nobody's way, and gone for good once dismissed.

The browser remembers it (``localStorage``, no cookie): the server neither knows nor keeps who has seen it.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import streamlit as st
from streamlit.components import v2 as components

_HERE = Path(__file__).parent
_component = components.component(
    "svge_tour",
    html='<section class="to" aria-label="Tour" hidden></section>',
    css=(_HERE / "tour.css").read_text("utf-8"),
    js=(_HERE / "tour.js").read_text("utf-8"),
)


@dataclass(frozen=True)
class TourAct:
    """A button of a step.

    Attributes:
        words: on it.
        page: that it leads to, as in the address; empty for the Map page.
        press: key of a button of that page which it presses; empty for none.
    """

    words: str
    page: str = ""
    press: str = ""


@dataclass(frozen=True)
class TourStep:
    """One step: a heading, one or two sentences, and what can be tried."""

    title: str
    text: str
    acts: tuple[TourAct, ...] = ()


STEPS = (
    TourStep(
        "A map of architectures",
        "Every point is a neural architecture, placed by its code in a model's latent space and coloured by its score. "
        "The best one is marked; click another to see it.",
    ),
    TourStep(
        "Any place can be decoded",
        "Between the points the model makes up an architecture: click empty space, or let chance choose.",
        (TourAct("Surprise me", press="first-surprise"),),
    ),
    TourStep(
        "Ways between architectures",
        "A straight line through the latent space changes one architecture into another, step by step.",
        (TourAct("Travel", press="first-travel"),),
    ),
    TourStep(
        "A search walks the space",
        "Methods race for the best architecture with few evaluations. A finished race can be replayed.",
        (TourAct("See a race", "search"),),
    ),
    TourStep(
        "Three ideas to take along",
        "A latent map, decoding any place of it, and a search that walks it.",
        (TourAct("Map"), TourAct("Decode a place", press="first-surprise"), TourAct("Search", "search")),
    ),
)


def tour() -> None:
    """Show it, above the page."""
    with st.container(key="tour"):
        _component(key="tour-steps", data={"steps": [asdict(step) for step in STEPS]})
