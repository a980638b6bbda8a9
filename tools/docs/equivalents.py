"""The table of searches with and without equivalent cells, from ``bench/results/equivalents.json``."""

from pathlib import Path
from typing import Any

from bench.harness.results import read_results
from svge_core.search.searchers import METHODS

TITLES = {
    "cifar10": "CIFAR-10",
    "cifar100": "CIFAR-100",
    "imagenet16": "ImageNet16-120",
    "imagenet16, 12 epochs": "ImageNet16-120 after 12 epochs",
    "synflow": "synflow of untrained networks",
}


def equivalents(root: Path) -> str:
    """Medians both ways, paired by seed, and what the tables say of their best cell."""
    stored = read_results("equivalents", root)
    if stored is None:
        return "Not measured yet: `python -m bench.equivalents`."
    rows, tables, budget = stored["rows"], stored["settings"]["tables"], stored["settings"]["budget"]
    seeds = sorted({row["seeds"] for row in rows}, reverse=True)
    fewer = "" if len(seeds) == 1 else f" ({', '.join(map(str, seeds[1:]))} where that is said)"
    lines = [
        f"`{stored['command']}`, {stored['date']}: NAS-Bench-201, {seeds[0]} seeds from {_first(rows)}{fewer}, budget "
        f"{budget}, one cell at a time. Median evaluations to the best value of the table, over all cells → with "
        "one cell for each function; then the mean paired difference ± standard error (below 0: leaving them "
        f"out was earlier; a run that never had it counts as {budget + 1}), in brackets the seeds in which that was "
        "earlier / level / later; then the share of evaluations over all cells that repeated a function.",
        "",
        "| method | " + " | ".join(TITLES[name] for name in TITLES if name in tables) + " |",
        "|---|" + "---|" * len(tables),
    ]
    by = {(row["method"], row["table"]): row for row in rows}
    for method in METHODS:
        if not any(row["method"] == method for row in rows):
            continue
        cells = [_cell(by.get((method, name)), seeds[0]) for name in TITLES if name in tables]
        lines.append(f"| {METHODS[method].title} | " + " | ".join(cells) + " |")
    lines += ["", f"CPU seconds of an ask, with one cell for each function over all cells: {_asks(rows)}."]
    lines += ["", "| table | cells with a value | functions | equivalents of the best cell | best value, all → once |"]
    lines.append("|---|---|---|---|---|")
    for name, title in TITLES.items():
        if name in tables:
            about = tables[name]
            lines.append(
                f"| {title} | {about['cells']:,} | {about['functions']:,} | {about['best_has_equivalents']} "
                f"| {about['best']:.6g} → {about['best_when_once']:.6g} |"
            )
    return "\n".join(lines)


def _asks(rows: list[dict[str, Any]]) -> str:
    """Least and largest ratio over the tables, by method."""
    parts: list[str] = []
    for method in METHODS:
        ratios = [row["cpu_per_ask_ratio"] for row in rows if row["method"] == method and row["cpu_per_ask_ratio"]]
        if ratios and method != "random":
            title = METHODS[method].title
            parts.append(
                f"{title} {min(ratios):.2g} to {max(ratios):.2g}" if len(ratios) > 1 else f"{title} {ratios[0]:.2g}"
            )
    return ", ".join(parts)


def _first(rows: list[dict[str, object]]) -> int:
    runs = rows[0]["all"]
    assert isinstance(runs, list)
    return min(found["seed"] for found in runs)


def _cell(row: dict[str, object] | None, seeds: int) -> str:
    if row is None:
        return "not measured"
    medians = [row[name] if isinstance(row[name], str) else f"{row[name]:g}" for name in ("median_all", "median_once")]
    count = "" if row["seeds"] == seeds else f", {row['seeds']} seeds"
    return (
        f"{medians[0]} → {medians[1]}; {row['difference']:+.1f} ± {row['standard_error']:.1f} "
        f"({row['earlier']} / {row['together']} / {row['later']}); {row['repeats_all']:.1%}{count}"
    )
