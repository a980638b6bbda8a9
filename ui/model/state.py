"""What the Model page knows when it starts: the checkpoint, and cached readers of what lies beside it."""

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import streamlit as st

from svge_core.checkpoints import Checkpoint
from svge_core.data import has_indices
from svge_core.errors import DataError
from svge_core.files import read_record
from svge_core.spaces import AbstractSearchSpace, get_space
from ui.paths import ROOT
from ui.shared import session
from ui.shared.hiding import without_paths
from ui.shared.loaders import checkpoint_folders
from ui.shared.theme import plain

if TYPE_CHECKING:
    from svge_core.predictors import Predictors

T = TypeVar("T")


def current_folder() -> Path | None:
    """Folder of the chosen checkpoint, else the first one of the chosen space."""
    if chosen := session.checkpoint():
        return chosen
    space = session.space_name()
    return next((folder for (own, _), folder in checkpoint_folders().items() if own == space), None)


def can_be_trained(space: str) -> bool:
    """Whether the page offers to train: drawing cells without an index one by one takes long."""
    return has_indices(get_space(space))


def no_form(space: str) -> tuple[str, str]:
    """Why the page has no form to train this space with, and the command that does it."""
    return (
        f"{get_space(space).title} has too many cells to number them. They are drawn one by one, which is too much "
        "work for a page with the usual settings: train one on the command line.",
        f"python -m svge_core train --space {space} --name my-model --cells-per-epoch 5000 --epochs 14",
    )


def show_no_index(space: AbstractSearchSpace) -> None:
    """Why a space whose cells cannot be numbered has nothing that is kept cell by cell."""
    st.info(
        f"The cells of {plain(space.title)} are too many to number. Labels and measurements of single cells are kept "
        "by number, so there are none here."
    )


def command(name: str, space: str, folder: Path) -> str:
    """The command line that makes something of a checkpoint, as it can be pasted into a shell.

    A space whose scores are not measured here needs a file of labels for what learns from labels.
    """
    line = f"python -m svge_core {name} --checkpoint {shlex.quote(shown_path(folder))}"
    labels = name == "extrapolate" or (name == "fit" and get_space(space).bundled_scores() is None)
    return f"{line} --csv FILE --score COLUMN --meaning JSON" if labels else line


def inline_code(text: str) -> str:
    """A command for a span of code, which nothing in it can end."""
    return " ".join(text.replace("`", "'").split())


def shown_path(path: Path) -> str:
    """A path as a person in the project's folder would type it; for visitors without the folders above."""
    return os.path.relpath(path, ROOT) if path.is_relative_to(ROOT) else without_paths(str(path))


def read_predictors(checkpoint: Checkpoint) -> "Predictors":
    """The predictors beside a checkpoint; there may be none."""
    from svge_core.predictors import load_predictors

    return load_predictors(checkpoint, checkpoint.model.space)


@st.cache_data(max_entries=8, show_spinner="Reading the predictions …")
def read_predictions(digest: str, key: str, _predictors: "Predictors") -> dict[str, np.ndarray]:
    """Stored predictions for the whole space: mean, low, high, joint. ``digest`` keys the cache."""
    whole = _predictors.whole_space(key)
    return {name: np.asarray(getattr(whole, name), dtype=float) for name in ("mean", "low", "high", "joint")}


def read_benchmark(name: str, kind: type[T]) -> T | None:
    """A result of the benchmarks that pages show; None where it was not run.

    Raises:
        DataError: if the file is damaged or is no record of that kind.
    """
    path = ROOT / "assets" / "results" / f"{name}.json"
    if not path.is_file():
        return None
    advice = f"Run 'python -m svge_core bench {name}' again."
    return read_record(path, kind, advice, name=shown_path(path), error=DataError)
