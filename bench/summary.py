"""Writes ``bench/results/README.md``: every stored benchmark as one table with its date, machine and command."""

import json
import sys
from pathlib import Path
from typing import Any

from bench import (
    baselines,
    convergence,
    first_opening,
    graphpnas_refit,
    graphpnas_steps,
    import_nasbench101,
    latent_maps,
    latent_metric,
    latent_probe,
    load,
    nasbench101_sizes,
    papers,
    randwire,
    tasks,
    throughput,
    tradeoff,
    untrained,
    validity,
)
from bench.harness import graphpnas_runs
from bench.harness.results import RESULTS, ROOT, SHOWN_RESULTS
from bench.predictor import FIFTHS, SINGLE
from svge_core.files import write_atomically

PARTIAL = [
    "predictor",
    "labels",
    "held_out",
    "kendall_tau",
    "pearson_r",
    "rmse",
    "rmse_standardised",
    "coverage",
    *FIFTHS,
    *SINGLE,
    "width",
]
SEARCH = [
    "data",
    "method",
    "seeds",
    *(f"{name}@{mark}" for mark in (25, 50, 96, 150, 192, 400) for name in ("validation", "test")),
    "at optimum@100",
    "at optimum@192",
    "at optimum@400",
    "median to optimum",
    "cpu_seconds_per_run",
]
COLUMNS: dict[str, list[str]] = {
    "predictor_nasbench101": PARTIAL,
    "predictor_nasbench101_large": PARTIAL,
    "predictor_enas6": PARTIAL,
    "latent_maps": latent_maps.COLUMNS,
    "latent_metric": latent_metric.COLUMNS,
    "latent_metric_nasbench101": latent_metric.COLUMNS,
    "latent_metric_nasbench101_large": latent_metric.COLUMNS,
    "latent_probe_enas6": latent_probe.COLUMNS,
    "enumerate_nasbench101": ["what", "cells", "cpu_seconds", "wall_seconds", "peak_mib"],
    "first_opening": first_opening.COLUMNS,
    "throughput": throughput.COLUMNS,
    "tradeoff": tradeoff.COLUMNS,
    "untrained": untrained.COLUMNS,
    "validity": validity.COLUMNS,
    "convergence": [*convergence.COLUMNS, "drawn_exact"],
    "predictor": [*PARTIAL, "seconds"],
    "predictor_peers_nasbench201": [*PARTIAL, "seconds"],
    "predictor_peers_nasbench101": [*PARTIAL, "seconds"],
    "predictor_peers_enas6": [*PARTIAL, "seconds"],
    "nasbench101_sizes": nasbench101_sizes.COLUMNS,
    "import_nasbench101": import_nasbench101.COLUMNS,
    "extrapolation": [
        "space",
        "predictor",
        "cells",
        "labels",
        "held_out",
        "kendall_tau",
        "spearman",
        "rmse",
        "coverage",
        "width",
    ],
    "search": SEARCH,
    "search_ablation": SEARCH,
    "search_batch": SEARCH,
    "search_function": SEARCH,
    "search_function_seed1": SEARCH,
    "search_untuned_12epochs": SEARCH,
    "search_untuned_hardware": SEARCH,
    "search_nasbench101": SEARCH,
    "search_enas6": SEARCH,
    "graphpnas": [
        "data",
        "method",
        "seeds",
        "queries",
        *(f"test@{mark}" for mark in graphpnas_runs.MARKS),
        "final_test",
        "good_random",
        "good_learned",
        "good_last",
        "found_test_optimum",
        "cpu_seconds_per_run",
    ],
    "graphpnas_refit": graphpnas_refit.COLUMNS,
    "graphpnas_steps": graphpnas_steps.COLUMNS,
    "ask_time": ["method", "first_seconds", "median_seconds", "median_cpu_seconds", "largest_seconds", "asks"],
    "baselines": baselines.COLUMNS,
    "papers": papers.COLUMNS,
    "randwire": randwire.COLUMNS,
    "load": load.COLUMNS,
    "tasks": [*tasks.COLUMNS, "way"],
    "map_brush": ["what", "times", "median_ms", "p90_ms", "max_ms", "browser_cpu_ms", "bytes"],
    "click": ["what", "clicks", "median_ms", "p90_ms", "max_ms"],
}


def table(name: str, rows: list[dict[str, Any]]) -> list[str]:
    """Markdown lines of one benchmark; a mean stands with its standard deviation where there is one."""
    columns = [c for c in COLUMNS.get(name, list(rows[0])) if any(c in row for row in rows)]
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for row in rows:
        shown = [_text(row.get(column)) + _spread(row.get(f"{column}_sd")) for column in columns]
        lines.append("| " + " | ".join(shown) + " |")
    return lines


def page(root: Path = ROOT) -> str:
    """The whole page."""
    lines = [
        "# Benchmark results",
        "",
        "Written by `python -m bench.summary` from the JSON files beside it and in assets/results.",
        "",
    ]
    found = [path for folder in (RESULTS, SHOWN_RESULTS) for path in (root / folder).glob("*.json")]
    for path in sorted(found, key=lambda path: path.name):
        content = json.loads(path.read_text("utf-8"))
        machine = content["machine"]
        lines += [
            f"## {content['benchmark']}",
            "",
            f"{content['date']}; {machine['cpu']}, {machine['cores']} cores, GPU {machine['gpu']}, torch "
            f"{machine['torch']}; `{content['command']}`",
            "",
            *(f"- {name}: {value}" for name, value in content["settings"].items()),
            "",
            *table(content["benchmark"], content["rows"]),
            "",
        ]
    return "\n".join(lines)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _spread(value: Any) -> str:
    return f" ± {value:.2g}" if isinstance(value, float) else ""


def main() -> int:
    """Write the page."""
    write_atomically(ROOT / RESULTS / "README.md", page().encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
