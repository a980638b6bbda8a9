"""The tables of prediction and extrapolation, from ``bench/results/predictor*.json`` and its like."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.harness.results import read_results
from bench.predictor import FIFTHS, SINGLE
from bench.predictor_peers import JOINT, TREES
from svge_core.evaluation import in_fifths, percent
from svge_core.predictors import SHORT_NAME

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
PEERS = ("predictor_peers_nasbench201", "predictor_peers_nasbench101", "predictor_peers_enas6")


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
            if row["predictor"] != SHORT_NAME:
                continue
            lines.append(
                f"| {TITLES[space]} | {row['labels']:,} | {len(row['draws'])} | {row['held_out']:,} "
                f"| {_with_spread(row, 'kendall_tau')} | {percent(row['coverage'], 1)} "
                f"| {PINAT.get((space, row['labels']), '')} |"
            )
    commands += [f"`{stored['command']}`" for name in PEERS if (stored := read_results(name, root)) is not None]
    lines += [*_by_fifths(root), *_peers(root), "", "Commands: " + "; ".join(commands) + "."]
    if (probe := read_results("latent_probe_enas6", root)) is not None:
        row, best = probe["rows"][0], _best_of_enas(root)
        found = [
            f"`{one['checkpoint']}` {_with_spread(one, 'rmse_standardised')} / {_with_spread(one, 'pearson_r')}"
            for one in probe["rows"]
        ]
        lines += [
            "",
            f"The sparse-GP probe of D-VAE on ENAS ({probe['settings']['inducing points']} inducing points, "
            f"{row['labels']:,} labels, {row['held_out']:,} held out, probe seeds {probe['settings']['seeds'][:4]}; "
            f"`{probe['command']}`) gives our latents, trained without any label, RMSE of standardised accuracy / "
            f"Pearson r: {', '.join(found)}. Published, with the probe's own implementation (its length scales and "
            "step sizes differ from ours): S-VAE .478 / .873, D-VAE .384 / .920, with operation embeddings "
            f".371 / .925, PACE .248 / .968.{best}",
        ]
    return "\n".join(lines)


def _rows(root: Path, names: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Space and row of every row of some results."""
    for name in names:
        if (stored := read_results(name, root)) is not None:
            yield from ((stored["settings"]["space"], row) for row in stored["rows"])


def _by_fifths(root: Path) -> list[str]:
    """Coverage where people look, with the factors of today and with one for all cells."""
    rows = [
        f"| {TITLES[space]} | {row['labels']:,} | {in_fifths([row[name] for name in SINGLE])} "
        f"| {in_fifths([row[name] for name in FIFTHS])} | {_off(row, SINGLE)} | {_off(row, FIFTHS)} |"
        for space, row in _rows(root, FILES)
        if FIFTHS[0] in row
    ]
    if not rows:
        return []
    return [
        "",
        "Is a 90 % interval one where people look? Coverage in each fifth of the held-out cells, from the lowest "
        "predicted to the highest, mean over the draws. An interval's factor is a quantile of left-out errors. One "
        "factor for all cells covers some fifths too much and others too little; now errors count by how near their "
        "prediction stands to the cell's own. The mechanism and its two constants were chosen on the designing half "
        "of NAS-Bench-101 and on CIFAR-100 and ImageNet16-120 of NAS-Bench-201. Both columns are of the same fits; the "
        "last two say how many points a fifth is off 90 % on average. About a hundred labels are too few to tell the "
        "fifths apart: where the last columns say so, nothing is gained.",
        "",
        "| space and score | labels | one factor for all cells | factors by prediction | off 90 %, one factor "
        "| off 90 %, by prediction |",
        "|---|---|---|---|---|---|",
        *rows,
    ]


def _off(row: dict[str, Any], names: tuple[str, ...]) -> str:
    return f"{np.mean([abs(100 * row[name] - 90) for name in names]):.1f}"


def _peers(root: Path) -> list[str]:
    """GP + trees beside SVGe's joint head and boosted trees on the path encoding, paired by draw."""
    ours, peers = {}, {}
    for space, row in _rows(root, (*FILES, *PEERS)):
        (ours if row["predictor"] == SHORT_NAME else peers)[space, row["labels"], row["predictor"]] = row
    rows = []
    for (space, labels, _), row in ours.items():
        shown = [_beside(row, peers.get((space, labels, peer))) for peer in (JOINT, TREES)]
        if any(shown):
            beside = " | ".join(columns or "not measured | " for columns in shown)
            rows.append(f"| {TITLES[space]} | {labels:,} | {row['kendall_tau']:.3f} | {beside} |")
    if not rows:
        return []
    return [
        "",
        "Two peers on the same draws. **SVGe's joint head** is the published one: the shipped VAE, which saw no label, "
        "and an MLP on its posterior mean are trained together on the labelled cells for 100 epochs. **Boosted trees** "
        "are scikit-learn's histogram boosting on BANANAS's path encoding and the structure features that GP + trees "
        "sees, with settings written down before the first run. Of each: Kendall tau, mean over its draws, and how "
        "much higher that of GP + trees is, paired by draw: mean ± standard error (draws).",
        "",
        "| space and score | labels | GP + trees | SVGe joint head | GP + trees higher by | boosted trees on paths "
        "| GP + trees higher by |",
        "|---|---|---|---|---|---|---|",
        *rows,
    ]


def _beside(ours: dict[str, Any], peer: dict[str, Any] | None) -> str:
    """Two columns: the peer's tau, and the paired difference to it; empty where it was not measured."""
    if peer is None:
        return ""
    pairs = [
        own["kendall_tau"] - other["kendall_tau"]
        for own, other in zip(ours["draws"], peer["draws"], strict=False)  # draw i has seed i in all files
    ]
    error = f" ± {np.std(pairs, ddof=1) / len(pairs) ** 0.5:.3f}" if len(pairs) > 1 else ""
    return f"{peer['kendall_tau']:.3f} | {np.mean(pairs):.3f}{error} ({len(pairs)})"


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
