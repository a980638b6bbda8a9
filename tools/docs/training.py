"""The table of searches by real training, from ``bench/results/real_training.json``."""

from pathlib import Path
from statistics import mean, stdev
from typing import Any

from bench.harness.results import read_results
from svge_core.search.searchers import METHODS
from svge_core.spaces import SPACES


def real_training(root: Path) -> str:
    """What the cells that searches chose are worth, trained again."""
    if (stored := read_results("real_training", root)) is None:
        return "Not measured yet: `python -m bench.real_training`."
    machine, settings = stored["machine"], stored["settings"]
    lines = [
        f"`{stored['command']}`, {stored['date']}; {machine['cpu']}, {machine['cores']} cores, one thread. "
        f"{settings['budget']} evaluations a run; test accuracy of the chosen cell, trained again with "
        f"{settings['trained_again']} by the same recipe, mean over runs. Beside ours: less ours "
        "by seed, mean ± standard error.",
        "",
        "| space | method | early stops | runs | test accuracy, % | deviation over runs | beside ours "
        "| trained to the end | stopped early | CPU seconds a run | seconds a run |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    order = list(METHODS)
    rows = sorted(
        stored["rows"], key=lambda row: (row["space"], row["early stops"] != "none", order.index(row["method"]))
    )
    for row in rows:
        spread = "" if row["test_sd"] is None else f"{row['test_sd']:.2f}"
        lines.append(
            f"| {SPACES[row['space']].title} | {METHODS[row['method']].title} | {row['early stops']} | {row['seeds']} "
            f"| {row['test']:.2f} | {spread} | {_beside(row, rows)} | {row['full']:.1f} | {row['stopped']:.1f} "
            f"| {row['cpu_seconds']:.0f} | {row['seconds']:.0f} |"
        )
    return "\n".join(lines)


def _beside(row: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    """Test accuracy less that of ours in the runs of the same seeds, in percentage points."""
    same = (each for each in rows if all(each[name] == row[name] for name in ("space", "early stops")))
    ours = next((each for each in same if each["method"] == "latent-bo"), None)
    if ours is None or ours is row:
        return ""
    reached = {run["seed"]: mean(run["test again"]) for run in ours["runs"]}
    apart = [mean(run["test again"]) - reached[run["seed"]] for run in row["runs"] if run["seed"] in reached]
    if len(apart) < 2:
        return ""
    return f"{mean(apart):+.2f} ± {stdev(apart) / len(apart) ** 0.5:.2f}"
