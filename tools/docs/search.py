"""The README's tables of the search benchmark, from ``bench/results/search*.json``."""

from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from bench.harness.results import read_results
from bench.harness.search_runs import ABLATIONS
from svge_core.search.searchers import METHODS

TITLES = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "imagenet16": "ImageNet16-120"}


def _title(method: str) -> str:
    return METHODS[method].title if method in METHODS else method.replace("latent-bo, ", "ours, ")


def reached(row: dict[str, Any]) -> str:
    found = row["median to optimum"]
    return found if isinstance(found, str) else f"{found:g}"


def _table(rows: list[dict[str, Any]], methods: list[str]) -> list[str]:
    """Per method and data set: median evaluations to the optimum, share of runs there by 100 and by 192."""
    by = {(row["method"], row["data"]): row for row in rows}
    data = [name for name in TITLES if any(row["data"] == name for row in rows)]
    lines = ["| method | " + " | ".join(TITLES[name] for name in data) + " |", "|---|" + "---|" * len(data)]
    for method in methods:
        cells = []
        for name in data:
            row = by.get((method, name))
            if row is None:
                cells.append("not run")
                continue
            shares = f"{row['at optimum@100']:.0%} / {row['at optimum@192']:.0%}"
            few = "" if row["seeds"] >= 40 else f" ({row['seeds']} seeds)"
            cells.append(f"**{reached(row)}**, {shares}{few}")
        lines.append(f"| {_title(method)} | " + " | ".join(cells) + " |")
    return lines


def search(root: Path) -> str:
    """Evaluations to the optimum, and the incumbent's validation and test accuracy."""
    stored = read_results("search", root)
    if stored is None:
        return "Not measured yet: `python -m bench.search`."
    rows = stored["rows"]
    methods = [name for name in METHODS if any(row["method"] == name for row in rows)]
    seeds = sorted({row["seeds"] for row in rows})
    counted = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    lines = [
        f"Measured by `{stored['command']}` on {stored['date']}: {counted} seeds, budget "
        f"{stored['settings']['budget']}, "
        "one cell at a time, official labels (200 epochs, mean over seeds).",
        "",
        "Median evaluations to the best validation accuracy of the table, and the share of runs that had it by 100 / "
        "by 192 evaluations:",
        "",
        *_table(rows, methods),
        "",
        "Validation / test accuracy (%) of the incumbent by validation, mean over runs:",
        "",
    ]
    by = {(row["method"], row["data"]): row for row in rows}
    data = [name for name in TITLES if any(row["data"] == name for row in rows)]
    marks = (25, 50, 96, 192)
    lines.append("| method | data | " + " | ".join(f"after {mark}" for mark in marks) + " |")
    lines.append("|---|---|" + "---|" * len(marks))
    for method in methods:
        for name in data:
            if (row := by.get((method, name))) is None:
                continue
            cells = [f"{row[f'validation@{mark}']:.2f} / {row[f'test@{mark}']:.2f}" for mark in marks]
            lines.append(f"| {_title(method)} | {TITLES[name]} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


@dataclass(frozen=True)
class Pairs:
    """Two methods on one table, run by run from the same seed; a run without the optimum counts as the budget + 1.

    Attributes:
        earlier, same, later: seeds in which the rival had the optimum before, together with and after ours.
        ours, rival: mean evaluations to the optimum.
        apart: mean of rival less ours.
        error: standard error of that mean.
    """

    earlier: int
    same: int
    later: int
    ours: float
    rival: float
    apart: float
    error: float

    def __str__(self) -> str:
        """Difference, standard error, and the counts of seeds."""
        return f"{self.apart:+.1f} ± {self.error:.1f} ({self.earlier} / {self.same} / {self.later})"


def paired(rows: list[dict[str, Any]], rival: str, data: str, budget: int) -> Pairs:
    """Ours and a rival of one results file, seed by seed."""
    by = {(row["method"], row["data"]): row for row in rows}
    return paired_rows(by["latent-bo", data], by[rival, data], budget)


def paired_rows(mine: dict[str, Any], theirs: dict[str, Any], budget: int) -> Pairs:
    """The runs of two rows that have the same seeds; the second one is the rival."""
    ours, other = ({run["seed"]: run["hit"] or budget + 1 for run in row["runs"]} for row in (mine, theirs))
    seeds = sorted(ours.keys() & other.keys())
    apart = [other[seed] - ours[seed] for seed in seeds]
    return Pairs(
        sum(d < 0 for d in apart),
        sum(d == 0 for d in apart),
        sum(d > 0 for d in apart),
        mean(ours[seed] for seed in seeds),
        mean(other[seed] for seed in seeds),
        mean(apart),
        stdev(apart) / len(apart) ** 0.5,
    )


def pairs(root: Path) -> str:
    """Ours beside every rival, seed by seed."""
    stored = read_results("search", root)
    if stored is None:
        return "Not measured yet: `python -m bench.search`."
    rows, budget = stored["rows"], stored["settings"]["budget"]
    data = [name for name in TITLES if any(row["data"] == name for row in rows)]
    rivals = [name for name in METHODS if name != "latent-bo" and any(row["method"] == name for row in rows)]
    lines = [
        f"The same runs, paired by seed: rival less ours, mean evaluations to the optimum ± standard error (a run that "
        f"never had it counts as {budget + 1}); in brackets, seeds in which the rival was earlier / together / later.",
        "",
        "| rival | " + " | ".join(TITLES[name] for name in data) + " |",
        "|---|" + "---|" * len(data),
    ]
    for rival in rivals:
        cells = [str(paired(rows, rival, name, budget)) for name in data]
        lines.append(f"| {_title(rival)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def ablation(root: Path) -> str:
    """What each part of ours is worth."""
    stored = read_results("search_ablation", root)
    if stored is None:
        return "Not measured yet: `python -m bench.search --ablation --name search_ablation`."
    methods = [m for m in ("latent-bo", *ABLATIONS, "gp") if any(row["method"] == m for row in stored["rows"])]
    seeds = stored["rows"][0]["seeds"]
    return "\n".join([f"`{stored['command']}`, {stored['date']}, {seeds} seeds:", "", *_table(stored["rows"], methods)])


def batches(root: Path) -> str:
    """Ours with four cells at a time."""
    stored = read_results("search_batch", root)
    if stored is None:
        return "Not measured yet: `python -m bench.search --methods latent-bo --batch 4 --name search_batch`."
    seeds, size = stored["rows"][0]["seeds"], stored["settings"]["batch"]
    words = f"`{stored['command']}`, {stored['date']}, {size} cells at a time, {seeds} seeds:"
    return "\n".join([words, "", *_table(stored["rows"], ["latent-bo"])])


def restricted(root: Path) -> str:
    """The other spaces' tables, which cover a part of the space only."""
    lines = []
    for name, title, digits in (
        ("search_enas6", "ENAS macro, 6 layers (weight-sharing accuracy, a fraction)", 4),
        ("search_nasbench101", "NAS-Bench-101 (validation %, 108 epochs, one of three repeats)", 2),
    ):
        stored = read_results(name, root)
        if stored is None:
            lines += [f"{title}: not measured yet, `python -m bench.search --name {name}`.", ""]
            continue
        rows = sorted(stored["rows"], key=lambda row: list(METHODS).index(row["method"]))
        budget = stored["settings"]["budget"]
        lines += [
            f"{title}: `{stored['command']}`, {stored['date']}, {rows[0]['seeds']} seeds. Best by validation, mean "
            "over runs, and how often the table's best was found:",
            "",
            f"| method | after 25 | after 50 | after 96 | after {budget} | at the best by {budget} | median to it |",
            "|---|---|---|---|---|---|---|",
        ]
        for row in rows:
            found = [run["hit"] is not None and run["hit"] <= budget for run in row["runs"]]
            marks = [f"{row[f'validation@{mark}']:.{digits}f}" for mark in (25, 50, 96, budget)]
            lines.append(
                f"| {_title(row['method'])} | {' | '.join(marks)} | {sum(found)} of {len(found)} | {reached(row)} |"
            )
        lines.append("")
    return "\n".join(lines[:-1])
