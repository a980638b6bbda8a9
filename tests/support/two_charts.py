"""Two checkpoints of RandWire whose charts list other cells in another order, for the tests of a second map."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from svge_core.atlas.atlas import Atlas
from svge_core.atlas.drawn import DrawnChart
from svge_core.atlas.file import load_atlas, save_atlas
from svge_core.checkpoints.checkpoint import load_checkpoint
from svge_core.spaces.registry import get_space
from tests.support.tiny_checkpoint import make_randwire_checkpoint

RANDWIRE = get_space("randwire")
#: of the 90 charted cells, those that the other checkpoint charts, in another order
ORDER = np.random.default_rng(3).permutation(90)[:60]


def make_two_charts(root: Path) -> Path:
    """Write ``tiny``, which has two layouts, and ``turned``, which has a chart of its own; returns the folder."""
    for name in ("tiny", "turned"):
        made = make_randwire_checkpoint(root / "randwire" / name)
        atlas = load_atlas(load_checkpoint(made), RANDWIRE)
        save_atlas(made, two_layouts(atlas) if name == "tiny" else turned(atlas))
    return root


def two_layouts(atlas: Atlas) -> Atlas:
    other = replace(atlas.planes["pca"], name="umap", xy=3 * atlas.planes["pca"].xy[:, ::-1], note="Made up")
    return replace(atlas, planes={"pca": atlas.planes["pca"], "umap": other})


def turned(atlas: Atlas) -> Atlas:
    assert atlas.drawn is not None
    cells = tuple(atlas.drawn.cells[row] for row in ORDER)
    drawn = DrawnChart(cells, atlas.drawn.family[ORDER], atlas.drawn.families)
    plane = replace(atlas.planes["pca"], xy=atlas.planes["pca"].xy[ORDER] + np.float32(10.0))
    held_out = np.flatnonzero(np.isin(ORDER, atlas.held_out))
    changed = {"indices": np.arange(60), "latents": atlas.latents[ORDER], "drawn": drawn, "held_out": held_out}
    return replace(atlas, planes={"pca": plane}, **changed)
