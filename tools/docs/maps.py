"""Draws the maps of latents, coloured by accuracy, side by side: ``python -m tools.docs.maps``.

Both maps are those of the shipped atlases, the colours the ranks of the accuracies that come with the program.
"""

# the docs' requirements may be missing where types are checked
# pyright: reportMissingImports=false

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import rankdata

from svge_core.atlas import load_atlas
from svge_core.checkpoints import load_checkpoint
from svge_core.data import load_scores
from svge_core.files import write_atomically

ROOT = Path(__file__).resolve().parents[2]
FILE = Path("docs/assets/charts/maps.png")
SCORE = "cifar10_valid"
TITLES = {"svge": "plain latent", "svge-function": "latent that follows what a cell computes"}


def main() -> int:
    """Draw both maps of NAS-Bench-201 into one picture."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(1, len(TITLES), figsize=(10, 4.6), dpi=110, layout="constrained")
    panels: Any
    points: Any = None
    for panel, (name, title) in zip(panels, TITLES.items(), strict=True):
        checkpoint = load_checkpoint(ROOT / "checkpoints" / "nasbench201" / name)
        atlas = load_atlas(checkpoint, checkpoint.model.space)
        values = load_scores(checkpoint.model.space).frame[SCORE].to_numpy()[atlas.indices]
        x, y = atlas.planes["umap"].xy.T
        ranks = (rankdata(values) - 1) / (len(values) - 1)
        # in an order that says nothing, so that no colour lies on top
        order = np.random.default_rng(0).permutation(len(x))
        points = panel.scatter(x[order], y[order], c=ranks[order], s=3, cmap="viridis", linewidths=0)
        panel.set_title(title, fontsize=11, loc="left", color="#1f2933")
        panel.set_axis_off()
    bar = figure.colorbar(points, ax=panels, shrink=0.5, ticks=[0, 1])
    bar.ax.set_yticklabels(["worst", "best"])
    bar.outline.set_visible(False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    write_atomically(ROOT / FILE, buffer.getvalue())
    print(FILE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
