"""How well scores are predicted where only part of a space is labelled: NAS-Bench-101 and ENAS.

The label file's cells are put into one random order (seed 12345); the first half is for whoever designs and tunes, the
other half for what is reported. A draw takes its labels and its held-out cells from the reporting half, with the seed
of the draw. On a space where nothing was tuned (ENAS) all cells may be reported on (``--all-cells``).
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from bench.harness.results import command, print_table, save_results
from bench.predictor import COLUMNS, by_fifths, shown, stored_rows, summary_row
from svge_core.checkpoints import load_checkpoint
from svge_core.data import ScoreMeaning
from svge_core.data.csv import Labels, read_labels, read_meaning
from svge_core.errors import DataError, SvgeError
from svge_core.models import GraphVAE, HeadConfig, fit_joint
from svge_core.predictors import SHORT_NAME, StructureSurrogate, encoder_of, measure_predictions
from svge_core.spaces import AbstractSearchSpace, get_space
from svge_core.tensors import index_batch

HALVES_SEED = 12_345


def half(labels: Labels, design: bool) -> Labels:
    """The designing or the reporting half."""
    order = np.random.default_rng(HALVES_SEED).permutation(len(labels.indices))
    cut = len(order) // 2
    rows = order[:cut] if design else order[cut:]
    return Labels(labels.indices[rows], labels.values[rows])


def drawn_rows(pool: Labels, labels: int, held_out: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions in ``pool`` of the labelled and of the held-out cells of a draw.

    Raises:
        DataError: if there are not so many cells.
    """
    if labels + held_out > len(pool.indices):
        raise DataError(
            f"{labels} labels and {held_out} held-out cells are more than the {len(pool.indices)} there are."
        )
    rows = np.random.default_rng(seed).permutation(len(pool.indices))
    return rows[:labels], rows[labels : labels + held_out]


def draw(
    space: AbstractSearchSpace,
    meaning: ScoreMeaning,
    pool: Labels,
    labels: int,
    held_out: int,
    seed: int,
    level: float,
    model: GraphVAE | None,
    joint_head: bool = True,
) -> dict[str, dict[str, float | None]]:
    """One draw: measures by predictor. The joint head is among them where a trained model is given."""
    train, held = drawn_rows(pool, labels, held_out, seed)
    cells = [space.from_index(int(index)) for index in pool.indices[np.concatenate([train, held])]]
    surrogate = StructureSurrogate.fit(
        space,
        cells[:labels],
        pool.values[train],
        seed=seed,
        level=level,
        single_runs=meaning.single_run,
        encode=None if model is None else encoder_of(model),
    )
    found, truth = surrogate.predict(cells[labels:]), pool.values[held]
    single = replace(surrogate, predicted=None).predict(cells[labels:])
    results = {SHORT_NAME: measure_predictions(found.mean, truth, found.low, found.high)}
    results[SHORT_NAME] |= by_fifths(found, single, truth, slice(None))
    if model is not None and joint_head:
        targets = index_batch(space, pool.indices[train])
        joint = fit_joint(model, targets, torch.from_numpy(pool.values[train]), HeadConfig(seed=seed))
        results["SVGe joint head"] = measure_predictions(
            joint.predict(index_batch(space, pool.indices[held])).numpy(), truth
        )
    return {name: {**row, "seconds": None} for name, row in results.items()}


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
    parser.add_argument("--checkpoint", type=Path, help="its latents join from 1,000 labels on; adds SVGe's joint head")
    parser.add_argument("--no-joint", action="store_true", help="without the joint head")
    parser.add_argument("--design-half", action="store_true", help="measure on the half that is for tuning; not saved")
    parser.add_argument("--all-cells", action="store_true", help="both halves: where nothing was tuned")
    parser.add_argument("--name", help="name of the results file (default: predictor_SPACE)")
    arguments = parser.parse_args(argv)
    try:
        space, meaning = get_space(arguments.space), read_meaning(arguments.meaning)
        found = read_labels(arguments.csv, arguments.score, space)
        pool = found if arguments.all_cells else half(found, arguments.design_half)
        model = arguments.checkpoint and load_checkpoint(arguments.checkpoint, space=space.name).model
        seeds = range(arguments.first_seed, arguments.first_seed + arguments.draws)
        settings = {
            "space": space.name,
            "score": meaning.describe(),
            "labelled cells": f"{len(pool.indices)}" + (", all" if arguments.all_cells else ", the reporting half"),
            "seeds": f"{seeds[0]}..{seeds[-1]}",
            "level": arguments.level,
        }
        name, given = arguments.name or f"predictor_{space.name}", command("predictor_partial", argv)
        rows = {} if arguments.design_half else stored_rows(name, settings, given)
        for labels in arguments.sizes:
            before = {method: row["draws"] for (method, size), row in rows.items() if size == labels}
            count = len(before[SHORT_NAME]) if SHORT_NAME in before else 0
            draws = [{method: found[number] for method, found in before.items()} for number in range(count)]
            for seed in seeds[len(draws) :]:
                draws.append(
                    draw(
                        space,
                        meaning,
                        pool,
                        labels,
                        arguments.held_out,
                        seed,
                        arguments.level,
                        model,
                        not arguments.no_joint,
                    )
                )
                for method in draws[0]:
                    found = [results[method] for results in draws]
                    rows[method, labels] = summary_row(method, labels, arguments.held_out, found)
                if not arguments.design_half:
                    save_results(name, list(rows.values()), settings, given)
    except SvgeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    print_table([shown(row) for row in rows.values()], COLUMNS)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
