"""GraphPNAS and its rivals on NAS-Bench-201 by its authors' protocol, beside the authors' own log.

See ``bench/harness/graphpnas_runs.py`` for the protocol. Finished runs are stored at once, and a second call goes on.
"""

import argparse
import re
import sys
from pathlib import Path
from typing import Any

from bench.harness.graphpnas_runs import SEEDS, Tables, logged, methods, read_tables, rescored, run, summary
from bench.harness.results import command, print_table, read_results, save_results
from svge_core.errors import DataError

COLUMNS = ["data", "method", "seeds", "queries", "test@30", "test@60", "final_test", "final_test_sd"]
COLUMNS += ["good_random", "good_learned", "good_last", "found_test_optimum", "cpu_seconds_per_run"]
AUTHORS = "graphpnas, authors' log"
METHODS = ("graphpnas", "graphpnas-as-logged", "graphpnas-distinct", "lstm", "explorer", "graphpnas-reinforce")


def main(argv: list[str] | None = None) -> int:
    """Run what is missing, print, save."""
    parser = argparse.ArgumentParser(prog="python -m bench.graphpnas", description=__doc__)
    parser.add_argument("--csv", type=Path, required=True, help="200-epoch accuracies, means over seeds")
    parser.add_argument("--csv-12", type=Path, required=True, help="12-epoch accuracies, one seed")
    parser.add_argument("--csv-seeds", type=Path, required=True, help="200-epoch validation accuracies by seed")
    parser.add_argument("--reference-log", type=Path, help="the authors' logged queries; without it, ours alone")
    parser.add_argument("--data", nargs="+", default=list(SEEDS), choices=list(SEEDS))
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--seeds", type=int, help="instead of the authors' number (10, 5 and 10)")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--together", type=int, default=5, help="seeds that take turns and are stored together")
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--name", default="graphpnas", help="of the results file")
    arguments = parser.parse_args(argv)
    settings = {
        "space": "nasbench201",
        "labels": [path.name for path in (arguments.csv, arguments.csv_12, arguments.csv_seeds)],
        "queries": arguments.queries,
        "protocol": "batch 1; warm-up 30 / 15 / 10, pool 15 / 10 / 5, epochs 70 / 60 / 50 (CIFAR-10 / CIFAR-100 / "
        "ImageNet16-120); searched: 12 epochs, one seed / 200 epochs, one random seed / 12 epochs; reported: test "
        "after 200 epochs, mean over seeds, of the best by search accuracy",
    }
    try:
        kept = _kept(arguments.name, settings)
    except DataError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    published = [row for row in (read_results(arguments.name) or {"rows": []})["rows"] if not row["runs"]]
    tables = {
        name: read_tables(name, arguments.csv, arguments.csv_12, arguments.csv_seeds)
        for name in dict.fromkeys([*arguments.data, *(data for data, _, _ in kept)])
    }
    # the file gathers several calls: which methods and data one of them asked for is no part of how it was made
    words = re.sub(r" --(methods|together|data)( (?!--)\S+)+", "", command("graphpnas", argv))
    for data in arguments.data:
        for method in arguments.methods:
            last = arguments.first_seed + (arguments.seeds or SEEDS[data])
            missing = [seed for seed in range(arguments.first_seed, last) if (data, method, seed) not in kept]
            for begin in range(0, len(missing), arguments.together):
                seeds = missing[begin : begin + arguments.together]
                for found in run(data, method, tables[data], seeds, arguments.queries):
                    kept[data, method, found["seed"]] = found
                save_results(arguments.name, _rows(kept, tables, arguments.reference_log, published), settings, words)
                sys.stderr.write(f"{data} {method} seeds {seeds}\n")
    rows = _rows(kept, tables, arguments.reference_log, published)
    save_results(arguments.name, rows, settings, words)
    print_table(rows, COLUMNS)
    return 0


def _kept(name: str, settings: dict[str, Any]) -> dict[tuple[str, str, int], dict[str, Any]]:
    """Runs of an earlier call under the same settings.

    Raises:
        DataError: if they were made with others: hours of runs are not written over.
    """
    content = read_results(name)
    if content is None:
        return {}
    for key, value in settings.items():
        if content["settings"].get(key) != value:
            raise DataError(
                f"{name}.json holds runs with {key} {content['settings'].get(key)!r}, not {value!r}: give the same "
                "settings or another --name."
            )
    return {(row["data"], row["method"], found["seed"]): found for row in content["rows"] for found in row["runs"]}


def _rows(
    kept: dict[tuple[str, str, int], dict[str, Any]],
    tables: dict[str, Tables],
    log: Path | None,
    published: list[dict[str, Any]],
) -> list[dict[str, Any]]:
    rows = []
    for data in SEEDS:
        if data not in tables:
            continue
        if log is not None:  # computed from the log each time, never stored as if it were run here
            runs = logged(log, data)
            found = {**summary(data, runs, tables[data]), "final_test_rescored": rescored(runs, tables[data])}
            rows.append({"data": data, "method": AUTHORS, **found, "runs": []})
        else:  # those of an earlier call that had the log
            rows += [row for row in published if row["data"] == data]
        for method in methods(data):
            runs = [kept[key] for key in sorted(kept) if key[:2] == (data, method)]
            if runs:
                rows.append({"data": data, "method": method, **summary(data, runs, tables[data]), "runs": runs})
    return rows


if __name__ == "__main__":
    raise SystemExit(main())
