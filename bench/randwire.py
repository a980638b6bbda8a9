"""RandWire by training on digits: GraphPNAS, an LSTM and random WS, ER and BA wirings: ``python -m bench.randwire``.

100 wirings per run, 3 seeds, the best five trained again with 3 fresh seeds; see ``bench/harness/randwire_runs.py``.
It takes hours on one core and may be stopped at any time: a second call goes on. The accuracies are of scikit-learn's
digits and stand beside no published figure.
"""

import argparse
import re
import sys
from pathlib import Path

from bench.harness.randwire_runs import (
    EXPLORERS,
    Store,
    families_in_words,
    row,
    search,
    searcher_for,
    seed_noise,
    train_best_again,
    whole_runs,
)
from bench.harness.results import command, print_table, save_results
from svge_core.cells import Cell
from svge_core.errors import SvgeError
from svge_core.search.objectives import DigitsAccuracy, DigitsTraining, digits_accuracy, digits_meaning
from svge_core.search.searchers import METHODS

DEFAULT = ("graphpnas", "lstm", *EXPLORERS)
COLUMNS = ["method", "seeds", "evaluations", "search_best", "top_validation", "top_test", "chosen_test", "drawn"]
COLUMNS += ["drawn_last", "edges", "training_cpu_seconds_per_run"]


def main(argv: list[str] | None = None) -> int:
    """Run what is missing, print, save."""
    parser = argparse.ArgumentParser(prog="python -m bench.randwire", description=__doc__)
    parser.add_argument("--methods", nargs="+", default=list(DEFAULT), metavar="METHOD")
    parser.add_argument("--seeds", type=int, default=3, help="runs per method (default: %(default)s)")
    parser.add_argument("--budget", type=int, default=100, help="wirings per run (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=10, help="proposals at a time (default: %(default)s)")
    parser.add_argument(
        "--top", type=int, default=5, help="best of a run that are trained again (default: %(default)s)"
    )
    parser.add_argument("--again", type=int, default=3, help="training runs of each of them (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=DigitsTraining().epochs, help="(default: %(default)s)")
    parser.add_argument(
        "--runs", type=Path, default=Path("runs/randwire_bench.jsonl"), help="every evaluation, at once"
    )
    parser.add_argument("--name", default="randwire", help="of the results file")
    arguments = parser.parse_args(argv)
    for name in ("seeds", "budget", "batch", "top", "again", "epochs"):
        if getattr(arguments, name) < 1:
            parser.error(f"--{name} is 1 or more; got {getattr(arguments, name)}")
    known = (*METHODS, *EXPLORERS)
    if unknown := [name for name in arguments.methods if name not in known]:
        parser.error(f"unknown method {unknown[0]!r}: expected one of {', '.join(known)}")
    try:
        return _run(arguments, argv)
    except SvgeError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _run(arguments: argparse.Namespace, argv: list[str] | None) -> int:
    training = DigitsTraining(epochs=arguments.epochs)

    def train(cell: Cell, runs: int, first_seed: int) -> DigitsAccuracy:
        return digits_accuracy(cell, runs, first_seed, training)

    settings = {
        "score": digits_meaning(1, training).describe(),
        "budget": arguments.budget,
        "batch": arguments.batch,
        "trained again": f"best {arguments.top} by validation, {arguments.again} fresh seeds",
    }
    store = Store(arguments.runs, settings)
    skipped: dict[str, str] = {}
    for seed in range(arguments.seeds):  # all methods early, rather than one method's last seed
        for method in arguments.methods:
            if method in skipped:
                continue
            try:
                searcher_for(method)
            except SvgeError as error:
                skipped[method] = str(error)
                sys.stderr.write(f"skipped {method}: {error}\n")
                continue
            lines = search(store, method, seed, arguments.budget, arguments.batch, train)
            train_best_again(store, lines, arguments.top, arguments.again, train)
            sys.stderr.write(f"{method}, seed {seed}: best {max(line.validation[0] for line in lines):.2f} %\n")
            _save(store, arguments, skipped, settings, argv)
    if not store.lines:
        raise SvgeError("No method could search this space: nothing was run.")
    rows, noise = _save(store, arguments, skipped, settings, argv)
    print_table(rows, COLUMNS)
    sys.stdout.write(f"\n{noise}\n")
    return 0


def _save(
    store: Store,
    arguments: argparse.Namespace,
    skipped: dict[str, str],
    settings: dict[str, object],
    argv: list[str] | None,
) -> tuple[list[dict[str, object]], str]:
    """Rows of all runs that the store holds whole, whoever asked for them; and the seed noise in words."""
    finished = whole_runs(store, arguments.budget, arguments.top)
    rows = [
        {**row(method, runs), "runs": [[line.validation[0] for line in lines] for lines, _ in runs]}
        for method, runs in finished.items()
    ]
    noise = seed_noise([line for runs in finished.values() for _, again in runs for line in again])
    noise_words = f"seed noise: {noise['cells']} wirings trained again; "
    if noise["validation"] is None:
        noise_words += "one seed each, so none is known"
    else:
        noise_words += f"one training run has a standard deviation of {noise['validation']:.2f} points in validation "
        noise_words += f"accuracy and {noise['test']:.2f} in test accuracy"
    families = {}
    if "random" in finished:
        families["generators"] = families_in_words([lines for lines, _ in finished["random"]])
    shown = {**settings, **families, "noise": noise_words, **({"skipped": skipped} if skipped else {})}
    # which methods and seeds one call asked for is no part of how the rows were made
    words = re.sub(r" --(methods|seeds|runs)( (?!--)\S+)+", "", command("randwire", argv))
    save_results(arguments.name, rows, shown, words)
    return rows, noise_words


if __name__ == "__main__":
    raise SystemExit(main())
