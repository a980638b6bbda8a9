"""How smooth scores are over the latent space and over its map: ``python -m bench.latent_maps --csv FILE``.

For each checkpoint and score, of the labelled cells that are charted: R2 of the mean of the ten nearest other ones, in
the latent space and on each map. Labels are compared, never fitted: no number is chosen by them.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from sklearn.neighbors import NearestNeighbors

from bench.harness.results import command, print_table, save_results
from bench.latent_metric import SCORES
from svge_core.atlas import load_atlas
from svge_core.checkpoints import load_checkpoint
from svge_core.data.csv import read_labels
from svge_core.errors import SvgeError
from svge_core.evaluation import explained

NEAREST = 10
COLUMNS = ["checkpoint", "score", "cells", "r2_latent", "r2_umap", "r2_pca"]


def nearest_r2(places: Float[np.ndarray, "cells dimensions"], values: Float[np.ndarray, " cells"]) -> float:
    """R2 of the mean score of the ten nearest other cells."""
    found = NearestNeighbors(n_neighbors=NEAREST + 1).fit(places).kneighbors(places, return_distance=False)
    # a cell that shares its place with others need not be the first of its neighbours
    other = found != np.arange(len(places))[:, None]
    other[other.all(axis=1), -1] = False
    predicted = values[found[other].reshape(len(places), NEAREST)].mean(axis=1)
    return explained(predicted[:, None], values[:, None])


def rows_of(folder: Path, csv: Path, scores: list[str]) -> list[dict[str, Any]]:
    """All rows of one checkpoint."""
    checkpoint = load_checkpoint(folder)
    space = checkpoint.model.space
    atlas, rows = load_atlas(checkpoint, space), []
    for score in scores:
        labels = read_labels(csv, score, space)
        charted = np.isin(labels.indices, atlas.indices)
        at, values = np.searchsorted(atlas.indices, labels.indices[charted]), labels.values[charted]
        row: dict[str, Any] = {"checkpoint": f"{folder.parent.name}/{folder.name}", "score": score, "cells": len(at)}
        row["r2_latent"] = nearest_r2(atlas.latents[at], values)
        for name, plane in atlas.planes.items():
            row[f"r2_{name}"] = nearest_r2(plane.xy[at], values)
        rows.append(row)
    return rows


def main(argv: list[str] | None = None) -> int:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(prog="python -m bench.latent_maps", description=__doc__)
    parser.add_argument("--csv", type=Path, required=True, help="label table")
    folders = [Path("checkpoints/nasbench201") / name for name in ("svge", "svge-function")]
    parser.add_argument("--checkpoints", type=Path, nargs="+", default=folders)
    parser.add_argument("--scores", nargs="+", default=list(SCORES))
    parser.add_argument("--name", default="latent_maps", help="of the results file")
    arguments = parser.parse_args(argv)
    try:
        rows = [row for folder in arguments.checkpoints for row in rows_of(folder, arguments.csv, arguments.scores)]
    except SvgeError as error:
        parser.error(str(error))
    settings = {
        "labels": arguments.csv.name,
        "measure": f"R2 of the mean of the {NEAREST} nearest other labelled cells",
        "seeds": "one training seed; nothing is drawn",
    }
    save_results(arguments.name, rows, settings, command("latent_maps", argv))
    print_table(rows, COLUMNS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
