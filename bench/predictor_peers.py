"""Two peers of GP + trees on the draws of `bench predictor` and `bench predictor_partial`: SVGe's head, boosted trees.

**SVGe joint head.** As published (Lukasik et al. 2021): the trained VAE and an MLP on its posterior mean are trained
together on the labelled cells, 100 epochs, loss 0.1 VAE + 0.9 squared error. The VAE is the shipped checkpoint's, which
saw no label; all of its weights move. :mod:`svge_core.models.head` names the two deviations.

**Boosted trees.** scikit-learn's histogram boosting on BANANAS's path encoding beside the structure features that
GP + trees sees, of the same transformed targets. Its settings were written down before the first run and are the same
for all spaces and numbers of labels.

Every draw is stored when it is known, and a run that was stopped goes on with the same command.
"""

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.harness.path_encoding import columns_of, encoded, paths
from bench.harness.results import command, print_table, read_results, save_results
from bench.predictor import COLUMNS, drawn, shown, summary_row
from bench.predictor_partial import drawn_rows, half
from svge_core.checkpoints import load_checkpoint
from svge_core.data import ScoreMeaning, load_scores
from svge_core.data.csv import Labels, read_labels, read_meaning
from svge_core.errors import SvgeError
from svge_core.features import structure_features
from svge_core.models import GraphVAE, HeadConfig, fit_joint
from svge_core.predictors import TargetTransform, measure_predictions
from svge_core.spaces import AbstractSearchSpace, get_space
from svge_core.tensors import index_batch

JOINT, TREES = "SVGe joint head", "boosted trees on paths"
SETTINGS = {
    "learning_rate": 0.05,
    "max_iter": 500,
    "max_leaf_nodes": 15,
    "min_samples_leaf": 5,
    "l2_regularization": 1.0,
    "max_features": 0.5,
    "early_stopping": False,
}

#: official indices and values of labelled cells, official indices of held-out ones, seed -> predictions of the latter
Predict = Callable[[Labels, np.ndarray, int], np.ndarray]


def joint_head(model: GraphVAE) -> Predict:
    """The published fine-tuning of a trained VAE with its head."""

    def predict(labelled: Labels, held: np.ndarray, seed: int) -> np.ndarray:
        cells = index_batch(model.space, labelled.indices)
        joint = fit_joint(model, cells, torch.from_numpy(labelled.values), HeadConfig(seed=seed))
        return joint.predict(index_batch(model.space, held)).numpy().astype(np.float64)

    return predict


def boosted_trees(space: AbstractSearchSpace, single_runs: bool) -> Predict:
    """Histogram boosting on paths and structure features."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    def predict(labelled: Labels, held: np.ndarray, seed: int) -> np.ndarray:
        cells = [space.from_index(int(index)) for index in np.concatenate([labelled.indices, held])]
        count = len(labelled.indices)
        sets = [paths(cell) for cell in cells]
        columns = columns_of(sets[:count], SETTINGS["min_samples_leaf"])
        table = np.concatenate([encoded(sets, columns), structure_features(space, cells).values], axis=1)
        transform = TargetTransform.fit(labelled.values, single_runs=single_runs)
        model = HistGradientBoostingRegressor(**SETTINGS, random_state=seed)
        model.fit(table[:count], transform.forward(labelled.values))
        return transform.backward(model.predict(table[count:]))

    return predict


def parts(pool: Labels, labels: int, held_out: int | None, seed: int) -> tuple[Labels, Labels]:
    """The labelled and the held-out cells of a draw: those of `bench predictor_partial`, or of `bench predictor`.

    Args:
        pool: all cells that may be drawn; without ``held_out`` in the order of their indices.
        labels: how many are labelled.
        held_out: how many others are held out; None for all.
        seed: of the draw.
    """
    if held_out is None:
        train, held = drawn(pool.values, labels, seed)
    else:
        train, held = drawn_rows(pool, labels, held_out, seed)
    return Labels(pool.indices[train], pool.values[train]), Labels(pool.indices[held], pool.values[held])


def pool_of(arguments: argparse.Namespace, space: AbstractSearchSpace) -> tuple[Labels, ScoreMeaning]:
    """The cells that may be drawn and what their labels are."""
    if arguments.csv is None:
        scores = load_scores(space)
        values = scores.frame[arguments.score].to_numpy()
        return Labels(np.arange(len(values)), values), scores.meaning(arguments.score)
    found, meaning = read_labels(arguments.csv, arguments.score, space), read_meaning(arguments.meaning)
    return (found if arguments.all_cells else half(found, design=False)), meaning


def one(predict: Predict, labelled: Labels, held: Labels, seed: int) -> dict[str, float | None]:
    """The measures of one draw and the CPU seconds of fitting and predicting."""
    started = time.process_time()
    mean = predict(labelled, held.indices, seed)
    seconds = time.process_time() - started
    return {**measure_predictions(mean, held.values), "seconds": seconds}


def stored_rows(
    name: str, settings: dict[str, Any], wanted: dict[tuple[str, int], int]
) -> dict[tuple[str, int], dict[str, Any]]:
    """Rows of an unfinished run of the same settings, by predictor and labels, without draws beyond those wanted."""
    stored = read_results(name)
    if stored is None or stored["settings"] != settings:
        return {}
    rows = {(row["predictor"], row["labels"]): row for row in stored["rows"]}
    return {
        key: summary_row(*key, rows[key]["held_out"], rows[key]["draws"][:count])
        for key, count in wanted.items()
        if key in rows and count
    }


def main(argv: list[str] | None = None) -> int:
    """Measure what is not stored yet, store, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.predictor_peers", description=__doc__)
    parser.add_argument("--space", required=True)
    parser.add_argument("--csv", type=Path, help="label file (default: the scores that the space brings)")
    parser.add_argument("--score", required=True, help="score key, or the column of the label file")
    parser.add_argument("--meaning", type=Path, help="JSON: what the labels of the file are")
    parser.add_argument("--sizes", type=int, nargs="+", required=True)
    parser.add_argument("--held-out", type=int, help="cells (default: all others)")
    parser.add_argument("--all-cells", action="store_true", help="both halves: where nothing was tuned")
    parser.add_argument("--checkpoint", type=Path, required=True, help="trained VAE of the joint head")
    parser.add_argument("--draws", type=int, nargs="+", default=[10], help="of the trees and of the head; one a size")
    parser.add_argument("--joint-draws", type=int, nargs="+", help="of the head, one a size (default: as --draws)")
    arguments = parser.parse_args(argv)
    sizes, name = arguments.sizes, f"predictor_peers_{arguments.space}"
    draws = {TREES: arguments.draws, JOINT: arguments.joint_draws or arguments.draws}
    if any(len(numbers) not in (1, len(sizes)) or min(numbers) < 0 for numbers in draws.values()):
        parser.error("--draws and --joint-draws take one number, or one for each of --sizes; 0 is none")
    try:
        space = get_space(arguments.space)
        pool, meaning = pool_of(arguments, space)
        model = load_checkpoint(arguments.checkpoint, space=space.name).model
        settings = {
            "space": space.name,
            "score": meaning.describe(),
            "boosted trees": SETTINGS,
            "seconds": "CPU seconds of fitting and predicting",
        }
        methods = {TREES: boosted_trees(space, meaning.single_run), JOINT: joint_head(model)}
        wanted = {
            (method, labels): numbers[min(place, len(numbers) - 1)]
            for method, numbers in draws.items()
            for place, labels in enumerate(sizes)
        }
        rows = stored_rows(name, settings, wanted)
        keep = partial(save_results, name, settings=settings, command=command("predictor_peers", argv))
        for (method, labels), count in wanted.items():
            found = [] if (before := rows.get((method, labels))) is None else before["draws"]
            for seed in range(len(found), count):
                labelled, held = parts(pool, labels, arguments.held_out, seed)
                found = [*found, one(methods[method], labelled, held, seed)]
                rows[method, labels] = summary_row(method, labels, len(held.indices), found)
                keep([rows[key] for key in wanted if key in rows])
        keep([rows[key] for key in wanted if key in rows])  # the command, too, where every draw was there already
    except SvgeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    print_table([shown(row) for row in rows.values()], COLUMNS)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
