"""How well scores are predicted where only part of a space is labelled: NAS-Bench-101 and ENAS.

The label file's cells are put into one random order (seed 12345); the first half is for whoever designs and tunes, the
other half for what is reported. A draw takes its labels and its held-out cells from the reporting half, with the seed
of the draw. On a space where nothing was tuned (ENAS) all cells may be reported on (``--all-cells``).
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.predictor import COLUMNS, MEASURES, shown
from bench.results_table import print_table, save_results
from svge_core.checkpoints import load_checkpoint
from svge_core.data.labels import Labels, read_labels, read_meaning
from svge_core.data.scores import ScoreMeaning
from svge_core.errors import DataError, SvgeError
from svge_core.models.head import HeadConfig, fit_joint
from svge_core.spaces import AbstractSearchSpace, get_space
from svge_core.surrogates import StructureSurrogate
from svge_core.tensors import index_batch

HALVES_SEED = 12_345


def half(labels: Labels, design: bool) -> Labels:
    """The designing or the reporting half."""
    order = np.random.default_rng(HALVES_SEED).permutation(len(labels.indices))
    cut = len(order) // 2
    rows = order[:cut] if design else order[cut:]
    return Labels(labels.indices[rows], labels.values[rows])


def measured(mean: np.ndarray, truth: np.ndarray, low: np.ndarray | None, high: np.ndarray | None) -> dict[str, Any]:
    """Measures of one draw, as :func:`bench.predictor.measure` has them."""
    from scipy.stats import kendalltau, pearsonr

    ends = (low, high) if low is not None and high is not None else None
    return {
        "kendall_tau": float(np.asarray(kendalltau(mean, truth))[0]),
        "pearson_r": float(np.asarray(pearsonr(mean, truth))[0]),
        "rmse": float(np.sqrt(np.mean((mean - truth) ** 2))),
        "rmse_standardised": float(np.sqrt(np.mean((mean - truth) ** 2)) / truth.std()),
        "coverage": float(np.mean((ends[0] <= truth) & (truth <= ends[1]))) if ends else None,
        "width": float(np.mean(ends[1] - ends[0])) if ends else None,
        "median_width": float(np.median(ends[1] - ends[0])) if ends else None,
        "seconds": None,
    }


def draw(
    space: AbstractSearchSpace,
    meaning: ScoreMeaning,
    pool: Labels,
    labels: int,
    held_out: int,
    seed: int,
    level: float,
    checkpoint: Path | None,
) -> dict[str, dict[str, Any]]:
    """One draw of both predictors."""
    if labels + held_out > len(pool.indices):
        raise DataError(
            f"{labels} labels and {held_out} held-out cells are more than the {len(pool.indices)} there are."
        )
    rows = np.random.default_rng(seed).permutation(len(pool.indices))
    train, held = rows[:labels], rows[labels : labels + held_out]
    cells = [space.from_index(int(index)) for index in pool.indices[rows[: labels + held_out]]]
    surrogate = StructureSurrogate.fit(
        space, cells[:labels], pool.values[train], seed=seed, level=level,
        single_runs=meaning.single_runs,
    )  # fmt: skip
    found, truth = surrogate.predict(cells[labels:]), pool.values[held]
    results = {"structure GP": measured(found.mean, truth, found.low, found.high)}
    if checkpoint is not None:
        model = load_checkpoint(checkpoint, space=space.name).model
        targets = index_batch(space, pool.indices[train])
        joint = fit_joint(model, targets, _tensor(pool.values[train]), HeadConfig(seed=seed))
        mean = joint.predict(index_batch(space, pool.indices[held])).numpy().astype(np.float64)
        results["SVGe joint head"] = measured(mean, truth, None, None)
    return results


def _tensor(values: np.ndarray) -> Any:
    import torch

    return torch.from_numpy(values)


def summarised(name: str, labels: int, held_out: int, draws: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Mean and standard deviation over draws."""
    row: dict[str, Any] = {"predictor": name, "labels": labels, "held_out": held_out}
    for measure in (*MEASURES, "pearson_r", "rmse_standardised"):
        column = [value for found in draws if (value := found[measure]) is not None]
        row[measure] = float(np.mean(column)) if len(column) == len(draws) else None
        row[f"{measure}_sd"] = float(np.std(column, ddof=1)) if len(column) == len(draws) > 1 else None
    return {**row, "draws": list(draws)}


def main(argv: list[str] | None = None) -> int:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(prog="python -m bench.predictor_partial", description=__doc__)
    parser.add_argument("--space", default="nasbench101")
    parser.add_argument("--csv", type=Path, required=True, help="label file")
    parser.add_argument("--score", required=True, help="column of the label file")
    parser.add_argument("--meaning", type=Path, required=True, help="JSON: what the labels are")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 172, 4236])
    parser.add_argument("--held-out", type=int, default=5000)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--level", type=float, default=0.9)
    parser.add_argument("--checkpoint", type=Path, help="adds SVGe's joint head")
    parser.add_argument("--design-half", action="store_true", help="measure on the half that is for tuning; not saved")
    parser.add_argument("--all-cells", action="store_true", help="both halves: where nothing was tuned")
    parser.add_argument("--name", help="name of the results file (default: predictor_SPACE)")
    arguments = parser.parse_args(argv)
    try:
        space, meaning = get_space(arguments.space), read_meaning(arguments.meaning)
        found = read_labels(arguments.csv, arguments.score, space)
        pool = found if arguments.all_cells else half(found, arguments.design_half)
        rows = []
        for labels in arguments.sizes:
            draws = [
                draw(space, meaning, pool, labels, arguments.held_out, seed, arguments.level, arguments.checkpoint)
                for seed in range(arguments.first_seed, arguments.first_seed + arguments.draws)
            ]
            for name in draws[0]:
                rows.append(summarised(name, labels, arguments.held_out, [found[name] for found in draws]))
                sys.stderr.write(json.dumps({k: v for k, v in rows[-1].items() if k != "draws"}) + "\n")
    except SvgeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    print_table([shown(row) for row in rows], COLUMNS)
    if not arguments.design_half:
        last = arguments.first_seed + arguments.draws - 1
        settings = {
            "space": space.name,
            "score": meaning.describe(),
            "labelled cells": f"{len(pool.indices)}" + (", all" if arguments.all_cells else ", the reporting half"),
            "seeds": f"{arguments.first_seed}..{last}",
            "level": arguments.level,
        }
        given = sys.argv[1:] if argv is None else argv
        words = [Path(word).name if Path(word).is_absolute() else word for word in given]
        command = " ".join(["python -m bench.predictor_partial", *words])
        save_results(arguments.name or f"predictor_{space.name}", rows, settings, command)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
