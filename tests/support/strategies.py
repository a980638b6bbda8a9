"""Hypothesis strategies that several test files share."""

from itertools import combinations

from hypothesis import strategies as st

from svge_core.cells.cell import INPUT, OUTPUT, Cell


@st.composite
def small_cells(draw: st.DrawFn, max_nodes: int = 6, labels: str = "ab") -> Cell:
    """Labelled DAGs of one to six nodes with few labels, so that isomorphic pairs are common; ends may be marked."""
    count = draw(st.integers(1, max_nodes))
    ops = draw(st.lists(st.sampled_from(labels), min_size=count, max_size=count))
    if count >= 2 and draw(st.booleans()):
        ops[0], ops[-1] = INPUT, OUTPUT
    pairs = list(combinations(range(count), 2))
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    return Cell(tuple(ops), tuple(chosen))
