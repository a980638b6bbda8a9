"""Fit on small cells, predict larger ones: rank correlation inside and outside the seen sizes, against counting.

The table is made of the reporting half of the labelled cells (see :mod:`bench.predictor_partial`), with seeds 0 to 9
and the surrogate as it is. With ``--checkpoints`` the file that the Model page shows is written beside each checkpoint.
"""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from bench.harness.results import print_table, save_results
from bench.predictor_partial import half
from svge_core.checkpoints import load_checkpoint
from svge_core.data.csv import Labels, read_labels, read_meaning
from svge_core.errors import SvgeError
from svge_core.evaluation.extrapolation import (
    ExtrapolationConfig,
    extrapolate,
    one_draw,
    points,
    save,
    split_by_size,
    table,
)
from svge_core.files import to_plain
from svge_core.spaces import get_space

COLUMNS = ["space", "predictor", "side", "cells", "labels", "held_out", "kendall_tau", "spearman", "rmse", "coverage"]
MEANINGS = Path(__file__).resolve().parents[1] / "assets" / "labels"
#: space: (column of the label file, file that says what it means, column that marks the rows to use)
SCORES = {
    "nasbench101": ("valid_e108", "nasbench101_valid.json", None),
    "enas6": ("ws_acc", "enas6_ws_acc.json", "in_dvae_set"),
}


def read(name: str, path: Path) -> Labels:
    """Labels of a space, of the marked rows alone where the file marks some."""
    column, _, marked = SCORES[name]
    if marked is None or marked not in pd.read_csv(path, nrows=0).columns:
        return read_labels(path, column, get_space(name))
    import tempfile

    frame = pd.read_csv(path)
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "labels.csv"
        frame[frame[marked] == 1].to_csv(kept, index=False)
        return read_labels(kept, column, get_space(name))


def main(argv: list[str] | None = None) -> int:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(prog="python -m bench.extrapolation", description=__doc__)
    parser.add_argument("--nasbench101", type=Path, metavar="CSV", help="labels: index or hash, valid_e108")
    parser.add_argument("--enas", type=Path, metavar="CSV", help="labels: arch, ws_acc")
    parser.add_argument("--checkpoints", type=Path, metavar="DIR", help="root of checkpoints, to write their files too")
    parser.add_argument("--labels", type=int, default=ExtrapolationConfig.labels)
    parser.add_argument("--draws", type=int, default=ExtrapolationConfig.draws)
    parser.add_argument("--no-save", action="store_true")
    arguments = parser.parse_args(argv)
    config = ExtrapolationConfig(labels=arguments.labels, draws=arguments.draws)
    given = {"nasbench101": arguments.nasbench101, "enas6": arguments.enas}
    rows: list[dict[str, Any]] = []
    dots: dict[str, Any] = {}
    scores: dict[str, str] = {}
    words = " ".join(["python -m bench.extrapolation", *(f"--{w} CSV" for w in ("nasbench101", "enas"))])
    try:
        if not any(given.values()):
            raise SvgeError("Give the labels of at least one space: --nasbench101 CSV or --enas CSV.")
        for name, path in given.items():
            if path is None:
                continue
            space, known, meaning = get_space(name), read(name, path), read_meaning(MEANINGS / SCORES[name][1])
            judged = half(known, design=False)
            folder = arguments.checkpoints and arguments.checkpoints / name / "svge"
            if folder:
                checkpoint = load_checkpoint(folder, space=name)
                content = extrapolate(checkpoint, meaning, judged, known, config, command=words, on_step=_said)
                save(folder, content)
                found, dots[name] = to_plain(content.table), to_plain(content.points)
                for row in found:
                    row["per_draw"] = [
                        next(r for r in draw if (r["predictor"], r["side"]) == (row["predictor"], row["side"]))
                        for draw in to_plain(content.draws)
                    ]
            else:
                draws = []
                for seed in range(config.draws):
                    _said(f"{name}: draw {seed + 1} of {config.draws}")
                    draws.append(
                        one_draw(space, meaning, judged, labels=config.labels, held_out=config.held_out, seed=seed)
                    )
                found, dots[name] = table(draws, config.labels), points(draws[0])
                for row in found:
                    row["per_draw"] = [draw.rows[row["predictor"], row["side"]] for draw in draws]
            split = split_by_size(space, judged.indices)
            sides = {"inside": split.inside_words, "outside": split.outside_words}
            rows += [{"space": name, "cells": sides[row["side"]], **row} for row in found]
            scores[name] = meaning.describe()
    except SvgeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    print_table(rows, COLUMNS)
    if not arguments.no_save:
        settings = {**{f"score of {name}": text for name, text in scores.items()}, **asdict(config)}
        path = save_results("extrapolation", rows, settings, words)
        _with_points(path, dots)
    return 0


def _with_points(path: Path, dots: dict[str, Any]) -> None:
    """Add the points of the charts to the stored result."""
    import json

    from svge_core.files import write_atomically

    content = {**json.loads(path.read_text("utf-8")), "points": dots}
    write_atomically(path, (json.dumps(content) + "\n").encode())


def _said(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
