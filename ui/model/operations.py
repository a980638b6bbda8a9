"""What the model has learned about operations, drawn."""

import streamlit as st

from svge_core.checkpoints import Checkpoint
from svge_core.drawing import ThemeName
from svge_core.errors import SvgeError
from svge_core.figures import distance_figure, operation_map, operation_tables, scatter_figure
from ui.shared.theme import plain
from ui.shared.widgets import halves, show_chart


def show_operations(checkpoint: Checkpoint, theme: ThemeName) -> None:
    """Distances between the rows of one table, and the rows on two principal components."""
    tables = operation_tables(checkpoint.model)
    if checkpoint.meta.config.encoding == "one-hot":
        count = len(checkpoint.model.space.vocabulary)
        st.caption(
            f"This model's operations are one-hot: {count} unit vectors, all equally far apart (cosine distance 1). "
            "What its first layers make of them is below. For a table of its own: `train --encoding learned`."
        )
    name = st.selectbox("Table", list(tables), key="model_table", width=420)
    try:
        info = operation_map(tables[name])
    except SvgeError as error:
        st.info(plain(str(error)))
        return
    left, right = halves("operations")
    with left:
        st.subheader("Cosine distances")
        pairs = [
            (info.distances[i, j], a, b) for i, a in enumerate(info.labels) for j, b in enumerate(info.labels) if i < j
        ]
        near, far = min(pairs), max(pairs)
        alt = f"Nearest: {near[1]} and {near[2]}, {near[0]:.2f}; furthest: {far[1]} and {far[2]}, {far[0]:.2f}"
        show_chart(distance_figure(info, theme), key="model_distances", alt=alt)
    with right:
        st.subheader("Principal components")
        alt = f"Operations on two axes that carry {sum(info.explained):.0%} of the variance"
        show_chart(scatter_figure(info, checkpoint.model.space, theme), key="model_components", alt=alt)
    # a projection of a narrow table has many columns and no more directions than the table
    free = min(info.width, checkpoint.model.table.shape[1])
    st.caption(
        f"Nearest: {plain(near[1])} and {plain(near[2])} ({near[0]:.2f}). Random rows with {free} free directions "
        f"would lie about 1 ± {free**-0.5:.2f} apart, so only distances well outside that range were learned. The "
        "model never saw performance while these rows were trained."
    )
