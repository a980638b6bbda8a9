"""What good architectures of a space have in common: graph properties and operations against a measured score."""

import numpy as np
import streamlit as st

from svge_core.checkpoints import Checkpoint
from svge_core.data import ScoreMeaning, has_indices, score_name
from svge_core.data.importers import imported_labels
from svge_core.drawing import ThemeName
from svge_core.errors import SvgeError
from svge_core.evaluation import Patterns, patterns
from svge_core.figures import pattern_figure, pattern_label
from svge_core.spaces import AbstractSearchSpace, get_space
from ui.model.state import show_no_index
from ui.shared.loaders import known_scores
from ui.shared.meaning import protocol
from ui.shared.theme import plain
from ui.shared.waiting import waiting
from ui.shared.widgets import show_chart, show_missing

BEST = {"Best 0.1 %": 0.001, "Best 1 %": 0.01, "Best 10 %": 0.1}


def show_patterns(checkpoint: Checkpoint, theme: ThemeName) -> None:
    """One score, the share that counts as best, a table and a chart."""
    space = checkpoint.model.space
    try:
        known = _measured(space)
    except SvgeError as error:
        st.error(plain(str(error)))
        return
    if not known and not has_indices(space):
        show_no_index(space)
        return
    if not known:
        show_missing(
            "No measured score of this space is on this machine, so there is nothing to compare.",
            "python -m svge_core data import FILE",
        )
        return
    key = st.selectbox(
        "Measured score",
        list(known),
        format_func=lambda key: score_name(known[key]),
        key="model_pattern_score",
        width=420,
    )
    share = st.segmented_control("Compared with all", list(BEST), default="Best 1 %", key="model_best", required=True)
    with waiting("Comparing the cells …", space.title):
        found = _patterns(space.name, key, BEST[share])
    st.dataframe(
        {
            "Property": [pattern_label(row.name) for row in found.rows],
            f"Mean of all {found.cells:,}": [round(row.mean_all, 3) for row in found.rows],
            f"Mean of the best {found.best:,}": [round(row.mean_best, 3) for row in found.rows],
            "Pearson r with the score": [
                "does not vary" if row.pearson_r is None else f"{row.pearson_r:+.3f}" for row in found.rows
            ],
        },
        hide_index=True,
        height="content",
    )
    strongest = max(found.rows, key=lambda row: abs(row.pearson_r or 0))
    show_chart(
        pattern_figure(found, theme),
        key="model_patterns",
        alt=f"Strongest: {pattern_label(strongest.name)}, r = {strongest.pearson_r or 0:.2f}, n = {found.cells:,}",
    )
    protocol(
        known[key],
        after=f"n = {found.cells:,} measured cells, no predicted ones. A correlation says what goes together here, not "
        "what makes a cell good.",
        more="Clustering is the share of closed triples without regard to directions, path length the mean over pairs "
        "joined along the edges, both on the graph the model sees.",
    )


def _measured(space: AbstractSearchSpace) -> dict[str, ScoreMeaning]:
    """Meanings of the measured goals of a space."""
    if space.enumerated:
        meanings = known_scores(space.name).meanings
    else:
        meanings = {key: meaning for key, (meaning, _, _) in imported_labels(space).items()}
    return {key: meaning for key, meaning in meanings.items() if meaning.kind == "measured" and not meaning.detail}


@st.cache_data(max_entries=16, show_spinner=False)
def _patterns(space_name: str, key: str, best: float) -> Patterns:
    space = get_space(space_name)
    if space.enumerated:
        scores = known_scores(space_name)
        column = scores.frame[key].to_numpy(dtype=np.float64)
        meaning, indices = scores.meaning(key), np.flatnonzero(np.isfinite(column))
        return patterns(space, indices, column[indices], meaning.direction, best)
    meaning, indices, values = imported_labels(space)[key]
    return patterns(space, indices, values, meaning.direction, best)
