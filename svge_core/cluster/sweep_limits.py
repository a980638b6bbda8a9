"""What a sweep takes, without what it needs: the command line reads it to print help."""

from typing import Literal

#: what ranks the cells: the model's joint head, which takes tensors, or the surrogate, which takes cells one by one
Ranker = Literal["joint", "surrogate"]
MAX_KEPT, MAX_BLOCK = 1_000_000, 1_000_000
#: cells that are kept, cells that are drawn, cells of a block, unless it is said
KEEP, SAMPLE, BLOCK = 1000, 10_000, 65_536
