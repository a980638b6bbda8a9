"""Why parameters of NAS-Bench-101 cells may differ from the published counts, from ``nasbench101_sizes.json``."""

from pathlib import Path

from bench.harness.results import read_results
from svge_core.evaluation import percent


def sizes(root: Path) -> str:
    """A paragraph with the measured numbers."""
    if (stored := read_results("nasbench101_sizes", root)) is None:
        return "Not measured yet: `python -m bench.nasbench101_sizes`."
    different, three, explained, spread = stored["rows"]
    return (
        "**Parameters of a NAS-Bench-101 cell depend on how it is written down.** Vertices that feed the output share "
        "its 128, 256 and 512 channels. One, two and four divide them; of three, the first vertices have one channel "
        "more, and which are the first is the order in which a file lists them. A key does not tell that order. We "
        f"count in a canonical one: of {different['of']:,} cells, {different['cells']:,} "
        f"({percent(different['cells'] / different['of'], 1)}) have another published count, at most "
        f"{different['largest_percent']:.1f} % apart. In all {three['cells']:,} three vertices feed the output, and "
        f"in {explained['cells']:,} the published count is that of another order; the other counts are equal. Over "
        f"all {spread['of']:,} cells the order matters for {percent(spread['cells'] / spread['of'], 1)}, by at most "
        f"{spread['largest_percent']:.1f} %: the panel shows the range beside the count. The official file, once "
        "imported, brings the published counts as a column of its own. "
        f"(`{stored['command']}`)"
    )
