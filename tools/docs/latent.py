"""How far the latents of the shipped checkpoints can be trusted, from the ``quality.json`` beside the weights."""

import json
from pathlib import Path
from typing import Any

from svge_core.evaluation import percent
from svge_core.spaces import get_space

SPACES = ("nasbench201", "nasbench101", "enas6")
#: the plain checkpoint of a space, and the one with dimensions for what a cell computes
CHECKPOINTS = ("svge", "svge-function")
#: codes that stand beside the latent, in this order
CODES = {
    "latent": "latent",
    "one_hot": "one-hot codes",
    "structure": "structure features",
    "untrained": "untrained encoder",
    "permuted": "shuffled",
}


def three(value: float) -> str:
    """With three digits, and no minus before zero."""
    return f"{round(value, 3) + 0.0:.3f}"


def measured(root: Path) -> dict[str, dict[str, Any]]:
    """What ``svge quality`` wrote, by the title of the space, with the name of any but the plain checkpoint."""
    found = {}
    for space in SPACES:
        for name in CHECKPOINTS:
            path = root / "checkpoints" / space / name / "quality.json"
            title = get_space(space).title + (f", `{name}`" if name != CHECKPOINTS[0] else "")
            found[title] = json.loads(path.read_text("utf-8"))
    return found


def trust(root: Path) -> str:
    """Edits and neighbours beside their controls, and the other measures."""
    found = measured(root)
    lines = ["Spearman correlation of latent and edit distance over random pairs of cells:", ""]
    codes = [code for code in CODES if code != "structure"]
    lines += [
        f"| checkpoint | pairs | {' | '.join(CODES[code] for code in codes)} |",
        "|---|---|" + "---|" * len(codes),
    ]
    for title, file in found.items():
        random = file["edits"]["random"]
        values = " | ".join(three(random["spearman"][code]) for code in codes)
        lines.append(f"| {title} | {random['pairs']:,} | {values} |")
    lines += [
        "",
        "Kendall tau of a score predicted as the mean of the nearest other cells (nothing is fitted), by the code in "
        "which cells are near; shuffled: permuted labels:",
        "",
        f"| checkpoint | score | cells | neighbours | {' | '.join(CODES.values())} |",
        "|---|---|---|---|" + "---|" * len(CODES),
    ]
    for title, file in found.items():
        for row in file["neighbours"]:
            meaning = row["meaning"]
            score = f"{meaning['title']}{', ' if meaning['data_set'] else ''}{meaning['data_set']}"
            values = " | ".join(three(row[code]["kendall_tau"]) for code in CODES)
            lines.append(
                f"| {title} | {score} | {row['latent']['cells']:,} | {file['config']['neighbours']} | {values} |"
            )
    lines += [
        "",
        "| checkpoint | prior draws that come back to their own cell | mean share of the most frequent decoding, prior "
        "draws | the same, known cells | cells that share a latent | dimensions in use (effective) |",
        "|---|---|---|---|---|---|",
    ]
    for title, file in found.items():
        same, sure, close = file["cycle"]["same"], file["certainty"], file["collisions"]["close"]
        used = file["dimension"]["latent"]
        lines.append(
            f"| {title} | {same['count']:,} of {same['of']:,} | {percent(sure['prior']['mean'], 1)} "
            f"| {percent(sure['means']['mean'], 1)} | {close['count']:,} of {close['of']:,} "
            f"| {used['effective']:.1f} of {used['width']} |"
        )
    lines += [
        "",
        "Trustworthiness of the maps: how many neighbours on the map are neighbours in the latent space; 1 is all:",
        "",
        "| checkpoint | map | neighbours | cells looked at | trustworthiness | of shuffled latents |",
        "|---|---|---|---|---|---|",
    ]
    for title, file in found.items():
        for row in file["maps"]:
            lines.append(
                f"| {title} | {row['name'].upper()} | {row['neighbours']} | {row['rows']:,} of {row['cells']:,} "
                f"| {row['trustworthiness']:.3f} | {row['permuted']:.3f} |"
            )
    commands = "; ".join(f"`{file['command']}`" for file in found.values())
    return "\n".join([*lines, "", f"Commands: {commands}."])
