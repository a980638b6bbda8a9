"""What a latent that follows what a cell computes is worth, from ``bench/results``: searches, ranking, smoothness."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.harness.results import read_results
from tools.docs.search import TITLES, paired_rows, reached

#: what a process sees, in the order of the columns
SEEN = {
    "one-hot": "one-hot",
    "untrained statistics, size": "untrained statistics, size",
    "structure": "structure features",
    "structure, genes, size": "structure features, one-hot, size",
    "function": "function part",
    "latent": "latent",
    "both": "structure features and latent",
}
SCORES = {f"{name}_valid": title for name, title in TITLES.items()}
SCORES["valid_e108"] = "validation accuracy of one run, CIFAR-10"
UNTUNED = {
    "12epochs": "CIFAR-100 validation accuracy after 12 epochs",
    "hardware": "operations per byte on the Eyeriss accelerator",
}
#: evaluations of each of these searches at most
BUDGET = 400
ALONE = "latent-bo, latents alone"
FILES = ("latent_metric", "latent_metric_nasbench101", "latent_metric_nasbench101_large")


@dataclass(frozen=True)
class Way:
    """One way to a latent: its title, the checkpoint and what a process sees of it, its file of searches, its command
    where the checkpoint is not among the shipped ones."""

    title: str
    checkpoint: str
    search: str | None
    seen: str = "latent"
    command: str = ""


_TRAIN = "python -m svge_core train --space nasbench201 --out runs --epochs 80 --seed 3 --threads 1"
WAYS = (
    Way("plain", "svge", "search_ablation"),
    Way("towards structure and size (`svge-function`)", "svge-function", "search_function"),
    Way(
        "towards the covariance of wide networks, no hand-made feature",
        "svge-kernel",
        "search_kernel",
        command=f"{_TRAIN} --name svge-kernel --hidden 48 --latent 32 --function 16 --function-targets kernel "
        "--function-noise 1.0 --function-hidden 256 --beta 0.05",
    ),
    Way(
        "translation: any equivalent in, the first one out",
        "svge-translate",
        "search_translate",
        command=f"{_TRAIN} --name svge-translate --translate",
    ),
    Way(
        "no latent: statistics of untrained networks and size, which a head on them would be trained towards",
        "svge-kernel",
        None,
        "untrained statistics, size",
    ),
)


def function_search(root: Path) -> str:
    """Evaluations to the optimum on the latent, beside the searches on structure and on the plain latent."""
    found, plain = read_results("search_function", root), read_results("search", root)
    if found is None or plain is None:
        return "Not measured yet: `python -m bench.search --name search_function`."
    budget = found["settings"]["budget"]
    data = [name for name in TITLES if any(row["data"] == name for row in found["rows"])]
    rows = {(row["method"], row["data"]): row for row in found["rows"]}
    beside = {row["data"]: row for row in plain["rows"] if row["method"] == "gp"}
    lines = [
        f"`{found['command']}`, {found['date']}; the last row is of `{plain['command']}`, the same seeds. Median "
        "evaluations to the best validation accuracy, in brackets the most of any run:",
        "",
        f"| what the process sees | {' | '.join(TITLES[name] for name in data)} |",
        "|---|" + "---|" * len(data),
    ]
    titles = {ALONE: "latents of `svge-function` alone", "latent-bo": "its latents, structure features, or both"}
    shown = {title: [rows[method, name] for name in data] for method, title in titles.items()}
    if (other := read_results("search_function_seed1", root)) is not None:
        again = {row["data"]: row for row in other["rows"] if row["method"] == ALONE}
        shown["latents alone, trained with seed 1 instead of 3"] = [again[name] for name in data]
    shown["structure features, one-hot, size"] = [beside[name] for name in data]
    for title, several in shown.items():
        lines.append(f"| {title} | {' | '.join(_median(row, budget) for row in several)} |")
    lines += ["", "Latents alone less structure, paired by seed, mean ± standard error (earlier / together / later): "]
    # a rival of the process on structure, so that a difference below 0 says that the latents were earlier
    texts = [f"{TITLES[name]} {paired_rows(beside[name], rows[ALONE, name], budget)}" for name in data]
    lines[-1] += "; ".join(texts) + "."
    untuned = {title: read_results(f"search_untuned_{name}", root) for name, title in UNTUNED.items()}
    measured = {title: stored for title, stored in untuned.items() if stored is not None}
    if measured:
        methods = {ALONE: "latents alone", "gp": "structure features, one-hot, size", "random": "random search"}
        lines += [
            "",
            "Two objectives that nothing was tuned for, 40 seeds, median evaluations to the best value and in brackets "
            "the most of any run:",
            "",
            f"| objective | {' | '.join(methods.values())} | command |",
            "|---|" + "---|" * (len(methods) + 1),
        ]
        for title, stored in measured.items():
            by_method = {row["method"]: row for row in stored["rows"]}
            values = " | ".join(_median(by_method[name], stored["settings"]["budget"]) for name in methods)
            lines.append(f"| {title} | {values} | `{stored['command']}` |")
    return "\n".join(lines)


def _median(row: dict[str, Any], budget: int) -> str:
    most = max(run["hit"] or budget + 1 for run in row["runs"])
    return f"**{reached(row)}** ({f'> {budget}' if most > budget else most})"


def function_heads(root: Path) -> str:
    """What the latent is trained towards, one way at a time: ranking by it, and evaluations to the optimum on it."""
    ranked = {
        (row["checkpoint"], row["representation"], row["labels"]): row
        for name in ("latent_metric", "latent_metric_ablation")
        for row in (read_results(name, root) or {"rows": []})["rows"]
        if row.get("score") == "cifar10_valid"
    }
    lines = [
        "NAS-Bench-201, no label in any latent; training seed 3 each. Kendall tau on CIFAR-10 of one Gaussian process "
        "on all of the latent, 10 draws, all other cells; median evaluations to the best validation accuracy of a "
        "search on the latent alone, in brackets the most of any run:",
        "",
        f"| latent | tau, 78 labels | 156 labels | {' | '.join(TITLES.values())} |",
        "|---|---|---|" + "---|" * len(TITLES),
    ]
    searched = {way.title: _alone(root, way) for way in WAYS}
    for way in WAYS:
        taus = [ranked.get((f"nasbench201/{way.checkpoint}", way.seen, labels)) for labels in (78, 156)]
        values = [f"{row['kendall_tau']:.3f} ± {row['kendall_tau_sd']:.3f}" if row else "" for row in taus]
        for name in TITLES:
            row = searched[way.title].get(name)
            few = "" if row is None or row["seeds"] >= 40 else f", {row['seeds']} seeds"
            values.append("not run" if row is None else f"{_median(row, BUDGET)}{few}")
        lines.append(f"| {way.title} | {' | '.join(values)} |")
    plain = searched[WAYS[0].title]
    lines += [
        "",
        "Less the plain latent, paired by the seeds of its runs, mean ± standard error (earlier / together / later):",
    ]
    for way in WAYS[1:]:
        found = searched[way.title]
        texts = [f"{TITLES[name]} {paired_rows(plain[name], found[name], BUDGET)}" for name in found if name in plain]
        lines += [f"- {way.title}: {'; '.join(texts)}."] if texts else []
    commands = [way.command for way in WAYS if way.command]
    lines += ["", "Trained with " + "; ".join(f"`{command}`" for command in commands) + "."]
    return "\n".join(lines)


def _alone(root: Path, way: Way) -> dict[str, dict[str, Any]]:
    """Searches on a latent alone, by data set; none where none were run."""
    stored = read_results(way.search, root) if way.search else None
    return {row["data"]: row for row in stored["rows"] if row["method"] == ALONE} if stored else {}


def function_ranking(root: Path) -> str:
    """Kendall tau of one process by what it sees."""
    lines = []
    for name in FILES:
        if (stored := read_results(name, root)) is None:
            continue
        rows = [row for row in stored["rows"] if "kendall_tau" in row]
        seen = [what for what in SEEN if any(row["representation"] == what for row in rows)]
        settings = stored["settings"]
        lines += [
            f"`{stored['command']}`, {stored['date']}; {settings['held_out']} held out, {settings['seeds']}. Kendall "
            "tau ± standard deviation, and in brackets the mean paired difference to structure features:",
            "",
            f"| checkpoint | score | labels | {' | '.join(SEEN[what] for what in seen)} |",
            "|---|---|---|" + "---|" * len(seen),
        ]
        keys = dict.fromkeys((row["checkpoint"], row["score"], row["labels"]) for row in rows)
        for checkpoint, score, labels in keys:
            at = {
                row["representation"]: row
                for row in rows
                if (row["checkpoint"], row["score"], row["labels"]) == (checkpoint, score, labels)
            }
            values = " | ".join(_tau(at.get(what)) for what in seen)
            lines.append(f"| {checkpoint} | {SCORES.get(score, score)} | {labels:,} | {values} |")
        held = [row for row in stored["rows"] if "components_r2" in row]
        for row in held:
            lines += [
                "",
                f"The function part of {row['checkpoint']}, {row['components']} numbers, holds "
                f"{row['components_r2']:.3f} of the variance of what it was trained towards.",
            ]
        lines.append("")
    return "\n".join(lines).rstrip() or "Not measured yet: `python -m bench.latent_metric`."


def _tau(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    apart = "" if row["representation"] == "structure" else f" ({row['minus_structure']:+.3f})"
    return f"{row['kendall_tau']:.3f} ± {row['kendall_tau_sd']:.3f}{apart}"


def smooth(root: Path) -> str:
    """How smooth accuracy is over the latents and their maps."""
    stored = read_results("latent_maps", root)
    if stored is None:
        return "Not measured yet: `python -m bench.latent_maps`."
    lines = [
        f"`{stored['command']}`, {stored['date']}: {stored['settings']['measure']}, all {stored['rows'][0]['cells']:,} "
        "cells, validation accuracy after 200 epochs.",
        "",
        "| checkpoint | data set | in the latent space | on the UMAP map | on the PCA map |",
        "|---|---|---|---|---|",
    ]
    for row in stored["rows"]:
        values = " | ".join(f"{row[f'r2_{name}']:.3f}" for name in ("latent", "umap", "pca"))
        lines.append(f"| {row['checkpoint']} | {SCORES.get(row['score'], row['score'])} | {values} |")
    return "\n".join(lines)
