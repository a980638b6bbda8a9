from .cell import (
    INPUT as INPUT,
    OUTPUT as OUTPUT,
    Cell as Cell,
    canonical_cell as canonical_cell,
    cell_key as cell_key,
    pruned as pruned,
)
from .differences import (
    Difference as Difference,
    Highlight as Highlight,
    change_in_words as change_in_words,
    difference as difference,
    edits_in_words as edits_in_words,
    is_ordered as is_ordered,
)
