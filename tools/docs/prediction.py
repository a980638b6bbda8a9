"""The README's tables of prediction and extrapolation, from ``bench/results/predictor*.json`` and its like."""

from pathlib import Path
from typing import Any

from bench.harness.results import read_results
from svge_core.evaluation import percent

#: published Kendall tau at the same numbers of labels: Lu et al. 2023 (PINAT), tables 1 and 2
PINAT: dict[tuple[str, int], str] = {
    ("nasbench201", 78): ".549",
    ("nasbench201", 156): ".631",
    ("nasbench201", 781): ".761",
    ("nasbench101", 100): ".717",
    ("nasbench101", 172): ".764",
    ("nasbench101", 4236): ".854",
}
TITLES = {
    "nasbench201": "NAS-Bench-201, CIFAR-10 validation",
    "nasbench101": "NAS-Bench-101, validation of one run",
    "enas6": "ENAS macro, weight-sharing accuracy",
}
FILES = ("predictor", "predictor_nasbench101", "predictor_nasbench101_large", "predictor_enas6")


def _with_spread(row: dict[str, Any], name: str, digits: int = 3) -> str:
    spread = row.get(f"{name}_sd")
    return f"{row[name]:.{digits}f}" + (f" ± {spread:.{digits}f}" if spread is not None else "")


def prediction(root: Path) -> str:
    """Rank correlation and coverage by the number of labels, and the sparse-GP probe of the ENAS latents."""
    lines = [
        "Measured on cells whose labels were not used: mean ± standard deviation over draws of the labels. Coverage is "
        "the share of those cells inside the 90 % interval. PINAT (Lu et al. 2023; with rank loss on NAS-Bench-101) is "
        "published at the same numbers of labels, by its own protocol.",
        "",
        "| space and score | labels | draws | held out | Kendall tau | coverage | PINAT, published |",
        "|---|---|---|---|---|---|---|",
    ]
    commands = []
    for name in FILES:
        if (stored := read_results(name, root)) is None:
            continue
        commands.append(f"`{stored['command']}`")
        space = stored["settings"]["space"]
        for row in stored["rows"]:
            if "joint" in row["predictor"]:
                continue
            lines.append(
                f"| {TITLES[space]} | {row['labels']:,} | {len(row['draws'])} | {row['held_out']:,} "
                f"| {_with_spread(row, 'kendall_tau')} | {percent(row['coverage'], 1)} "
                f"| {PINAT.get((space, row['labels']), '')} |"
            )
    lines += ["", "Commands: " + "; ".join(commands) + "."]
    if (probe := read_results("latent_probe_enas6", root)) is not None:
        row, best = probe["rows"][0], _best_of_enas(root)
        rmse, r = _with_spread(row, "rmse_standardised"), _with_spread(row, "pearson_r")
        lines += [
            "",
            f"The sparse-GP probe of D-VAE on ENAS ({probe['settings']['inducing points']} inducing points, "
            f"{row['labels']:,} labels, {row['held_out']:,} held out, probe seeds {probe['settings']['seeds'][:4]}; "
            f"`{probe['command']}`) gives our latents, trained without any label, RMSE {rmse} of standardised accuracy "
            f"and Pearson r {r}. Published, with the probe's own implementation (its length scales and step sizes "
            "differ from ours): S-VAE .478 / .873, D-VAE .384 / .920, with operation embeddings .371 / .925, "
            f"PACE .248 / .968.{best}",
        ]
    return "\n".join(lines)


def _best_of_enas(root: Path) -> str:
    """The predictor that the app uses, at its largest number of labels, by the probe's two measures."""
    if (stored := read_results("predictor_enas6", root)) is None:
        return ""
    row = max(stored["rows"], key=lambda row: row["labels"])
    return (
        f" The app's own predictor, from {row['labels']:,} labels, {row['held_out']:,} held out: RMSE "
        f"{_with_spread(row, 'rmse_standardised')}, r {_with_spread(row, 'pearson_r')}."
    )


def extrapolation(root: Path) -> str:
    """Inside and outside the sizes that labels were drawn from, against a baseline that only counts."""
    if (stored := read_results("extrapolation", root)) is None:
        return "Not measured yet: `python -m bench.extrapolation`."
    settings = stored["settings"]
    lines = [
        f"`{stored['command']}`, {stored['date']}: {settings['labels']:,} labels from inside, {settings['draws']} "
        "draws.",
        "",
        "| cells | predictor | side | held out | Kendall tau | coverage of the 90 % interval |",
        "|---|---|---|---|---|---|",
    ]
    for row in stored["rows"]:
        coverage = percent(row["coverage"], 1) if row["coverage"] is not None else "none"
        lines.append(
            f"| {TITLES[row['space']].split(',')[0]}, {row['cells']} | {row['predictor']} | {row['side']} "
            f"| {row['held_out']:,} | {_with_spread(row, 'kendall_tau')} | {coverage} |"
        )
    return "\n".join(lines)
