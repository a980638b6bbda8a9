"""The README's tables of the other published systems, from ``bench/results/`` (baselines, graphpnas, randwire)."""

from pathlib import Path
from typing import Any

from bench.harness.results import read_results
from bench.papers import NB201, titled

SHARES = ("reconstruction", "validity", "uniqueness")


def _number(row: dict[str, Any], name: str, digits: int, factor: float = 1, sign: str = "") -> str:
    """A mean with its deviation; nothing where it was not measured."""
    if row.get(name) is None:
        return ""
    spread = row.get(f"{name}_sd")
    text = f"{factor * row[name]:{sign}.{digits}f}"
    return text if spread is None else f"{text} ± {factor * spread:.{digits}f}"


def generative(root: Path) -> str:
    """Models on D-VAE's ENAS split: measured, paired by seed, published."""
    stored = read_results("baselines", root)
    if stored is None:
        return "Not measured yet: `python -m bench.baselines --csv FILE`."
    settings = stored["settings"]
    lines = [
        f"`{stored['command']}`, {stored['date']}: {settings['data']}; hidden {settings['hidden']}, latent "
        f"{settings['latent']}, {settings['epochs']} epochs, learning rate {settings['learning_rate']:g} (DGMG 0.001), "
        "± over training seeds. Published rows: the poster of Chatzianastasis et al. 2021 (hidden 501, 300 epochs, one "
        "training seed, ± over ten probe seeds).",
        "",
        "| model | training seeds | reconstruction, % | valid, % | unique, % | RMSE | Pearson r |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in stored["rows"]:
        origin = "published" if row["source"].startswith("published") else str(len(row["seeds"]))
        sign = "+" if " minus " in row["model"] else ""
        cells = [_number(row, name, 2, 100, sign) for name in SHARES]
        cells += [_number(row, name, 3, 1, sign) for name in ("rmse_standardised", "pearson_r")]
        lines.append(f"| {row['model']} | {origin} | {' | '.join(cells)} |")
    return "\n".join(lines)


def generator(root: Path) -> str:
    """GraphPNAS by its authors' protocol beside their own logs."""
    stored = read_results("graphpnas", root)
    if stored is None:
        return "Not measured yet: `python -m bench.graphpnas --csv FILE`."
    again = [f"{row['final_test_rescored']:.2f}" for row in stored["rows"] if "final_test_rescored" in row]
    lines = [
        f"`{stored['command']}`, {stored['date']}; {stored['settings']['queries']} queries; "
        f"{stored['settings']['protocol']}. The authors' queries, scored by the labels used here, end at "
        f"{', '.join(again)} %.",
        "",
        "| data set | method | seeds | test accuracy, % | good cells among the last 30, % | CPU seconds a run |",
        "|---|---|---|---|---|---|",
    ]
    for row in stored["rows"]:
        published = not row["runs"]
        name = "GraphPNAS, published (its authors' logs)" if published else titled(row["method"])
        seconds = "" if published else f"{row['cpu_seconds_per_run']:.0f}"
        lines.append(
            f"| {NB201[row['data']]} | {name} | {row['seeds']} | {_number(row, 'final_test', 2)} "
            f"| {100 * row['good_last']:.1f} | {seconds} |"
        )
    return "\n".join(lines)


def steps(root: Path) -> str:
    """GraphPNAS's generator one step at a time beside its authors' log."""
    stored = read_results("graphpnas_steps", root)
    if stored is None:
        return "Not measured yet: `python -m bench.graphpnas_steps --csv FILE --reference-log FILE`."
    settings = stored["settings"]
    lines = [
        f"`{stored['command']}`, {stored['date']}; {settings['draws']}; queries: {settings['queries']}; ±: "
        f"{settings['se']}.",
        "",
        "| data set | steps of so many runs | test accuracy of the next cell, ours − log, points "
        "| good next cells, ours, % | the log's, % | difference, points |",
        "|---|---|---|---|---|---|",
    ]
    for row in stored["rows"]:
        if row["sampler"] == "authors'":
            apart, good = (
                f"{k * row[f'{name}_difference']:+.{n}f} ± {k * row[f'{name}_difference_se']:.{n}f}"
                for name, k, n in (("test", 1, 2), ("good", 100, 1))
            )
            shares = " | ".join(f"{100 * row[name]:.1f}" for name in ("good_ours", "good_log"))
            lines.append(f"| {NB201[row['data']]} | {row['steps']} of {row['runs']} | {apart} | {shares} | {good} |")
    return "\n".join(lines)


def digits(root: Path) -> str:
    """RandWire searched by training on digits."""
    stored = read_results("randwire", root)
    if stored is None:
        return "Not measured yet: `python -m bench.randwire`."
    lines = [
        f"`{stored['command']}`, {stored['date']}. {stored['settings']['score']}; {stored['settings']['noise']}; "
        f"{stored['settings'].get('generators', 'random search was not run')}.",
        "",
        "| method | runs | evaluations each | best seen, % | best five again, validation, % | the same, test, % "
        "| last 30 drawn, % | edges |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in stored["rows"]:
        names = ("search_best", "top_validation", "top_test", "drawn_last")
        cells = [_number(row, name, 2) for name in names]
        lines.append(
            f"| {titled(row['method'])} | {row['seeds']} | {row['evaluations']} | {' | '.join(cells)} "
            f"| {row['edges']:.0f} |"
        )
    return "\n".join(lines)
