"""The model page opened without a browser, and its words."""

from pathlib import Path
from typing import Any

from tests.support.app_driver import App, app_of
from tests.support.paths import ROOT
from ui.shared.session import CHECKPOINT_KEY

PAGE = ROOT / "pages" / "model.py"
#: tabs of a model that was trained and nothing else
SECTIONS = (
    "Card",
    "Training",
    "Generation",
    "Latent quality",
    "Prediction",
    "Operations",
    "Patterns",
    "Train a new one",
)


def open_model_page(section: str | None = None, folder: Path | None = None) -> App:
    """The page after its first run, on a section's tab and on a chosen checkpoint."""
    at = app_of(PAGE)
    if folder is not None:
        at.session_state[CHECKPOINT_KEY] = str(folder)
    at.session_state["entered_by_app"] = True  # as app.py notes before it runs a page
    if section is not None:
        at.session_state["model_section"] = section
    at.run()
    assert not at.exception, at.exception
    return at


def words(at: App) -> str:
    """All text of a page."""
    every: Any = at.get  # elements by their kind; their common base has no value
    parts = [
        str(e.value)
        for kind in ("title", "subheader", "markdown", "caption", "info", "warning", "error", "success", "code")
        for e in every(kind)
    ]
    tables = [
        e.value.to_string() for kind in ("arrow_table", "table", "dataframe", "arrow_data_frame") for e in every(kind)
    ]
    return "\n".join([*parts, *tables])
