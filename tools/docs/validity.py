"""The README's table of what makes raw decodings valid and what it costs, from ``bench/results/validity.json``."""

from pathlib import Path
from typing import Any

from bench.harness.results import read_results
from svge_core.evaluation import percent

WORDS = {"independent": "independently, as published", "sequential": "one after the other"}


def trained_share(row: dict[str, Any]) -> str:
    """The share of prior draws of a row, and which of them count."""
    return f"{row['prior_share']:g}{', invalid ones' if row['prior_targets'] == 'invalid' else ''}"


def validity(root: Path) -> str:
    """One line per setting: raw validity, and expected reconstruction of cells that were not trained on."""
    stored = read_results("validity", root)
    if stored is None:
        return "Not measured yet: `python -m bench.validity`."
    first = stored["rows"][0]
    lines = [
        f"Measured by `{stored['command']}` on {stored['date']}: one small model per setting (hidden "
        f"{first['identity']['model']['hidden']}, {first['epochs']} epochs over the same {first['training_cells']:,} "
        f"unlabelled cells, seed {first['seed']}), far from converged: the numbers compare settings and are not "
        f"those of the shipped checkpoint. Validity of {first['valid_of']:,} prior samples; expected exact "
        f"reconstruction of {first['reconstruction_of']:,} cells that were not trained on.",
        "",
        "| edges into a new node | prior share | valid, raw | reconstruction, expected | KL (nats) | CPU seconds |",
        "|---|---|---|---|---|---|",
    ]
    for row in stored["rows"]:
        lines.append(
            f"| {WORDS[row['edge_sampling']]} | {trained_share(row)} | {percent(row['valid_raw'], 1)} "
            f"| {percent(row['reconstruction_expected'], 1)} | {row['kl_nats']:.1f} | {row['cpu_seconds']:.0f} |"
        )
    return "\n".join(lines)
