"""What the shipped checkpoints measure, from their ``meta.json``, and what the KL weight costs and gives."""

import re
from pathlib import Path

from bench.harness.results import read_results
from svge_core.checkpoints import find_checkpoints, load_meta
from svge_core.evaluation import drawn_words, percent, repeated
from svge_core.figures import MetricRow, metric_rows
from svge_core.spaces import get_space

#: shown of a checkpoint's metrics, in this order, where they were measured
SHOWN = {
    "reconstruction.forward.sampled": "Exact reconstruction of held-out cells, sampled from the mean{times}, forward",
    "reconstruction.both.sampled": "The same, both directions voting",
    "reconstruction.both.sampled_posterior": "The same from posterior draws",
    "reconstruction.forward.argmax": "Exact reconstruction of held-out cells, most likely decoding, forward",
    "valid.forward.raw.1000x10": "Valid prior samples, raw, 1,000 latents × 10 decodings, forward",
    "valid.both.raw.1000x10": "The same, both directions voting",
    "valid.forward.constrained.1000x10": "Valid prior samples, constrained decoding",
    "unique.forward.raw.1000x10": "Of the valid samples of 1,000 × 10, distinct",
    "valid_unique.forward.raw.1000x1": "Valid and unique among 1,000 raw prior samples",
    "valid_unique.forward.raw.10000x1": "Valid and unique among 10,000 raw prior samples",
    "novel.forward.raw.1000x10": "Of the valid samples, not among the training cells",
    "edge_f1.forward.argmax.all": "Edge F1 of held-out wirings, most likely decoding, forward",
    "edge_f1.forward.sampled.all": "The same, sampled from the mean",
    "edge_f1.forward.frequent.all": "The same, edges of many samples",
    "edge_f1.both.frequent.all": "The same, both directions voting",
    "edge_f1.forward.other_frequent.all": "Control: edge F1 of another cell's latent of the same family",
    "edge_f1.constant.one.all": "Control: edge F1 of the best constant wiring",
    "edge_f1.constant.per_family.all": "Control: the same, one wiring per family",
    "valid.forward.raw.1000x1": "Valid prior samples, raw, 1,000 latents × 1 decoding, forward",
    "valid.forward.constrained.1000x1": "The same, constrained decoding",
}


def numbers(root: Path) -> str:
    """Every shipped checkpoint (their names begin with svge): size, training, measured metrics with denominators."""
    parts = []
    for folder in find_checkpoints(root / "checkpoints"):
        if not folder.name.startswith("svge"):  # a user's own
            continue
        meta, _ = load_meta(folder)
        space = get_space(meta.space)
        if space.enumerated:
            cells = f"{meta.data_count:,} of {space.size:,} cells ({meta.held_out_count:,} held out)"
        else:
            cells = (
                f"{meta.training['cells_per_epoch']:,} cells an epoch {drawn_words(space)} "
                f"({meta.training['held_out']:.0%} of the space held out)"
            )
        first = [f"    {meta.environment['initial_command']}"] if "initial_command" in meta.environment else []
        before = meta.environment.get("initial_epochs")
        epochs = f"{before} + {len(meta.history)}" if before else f"{len(meta.history)}"
        rows = metric_rows(meta.metrics)
        lines = [
            f"**`{folder.relative_to(root)}`**, made with",
            "",
            *first,
            f"    {meta.command}",
            "",
            f"Trained on {cells}, "
            f"{epochs} epochs, {meta.total_cpu_seconds:,.0f} CPU seconds, seed {meta.training.get('seed')}, latent "
            f"{meta.config.latent}, hidden {meta.config.hidden}, KL weight {meta.config.beta:g}.",
            "",
            "| measured | result | out of |",
            "|---|---|---|",
            *(
                f"| {title.format(times=_times(rows[name]))} | {rows[name].result} | {rows[name].denominator} |"
                for name, title in SHOWN.items()
                if name in rows and not repeated(name, rows)
            ),
        ]
        if not any(name in rows for name in SHOWN):
            lines[-2:] = ["Not measured yet: `svge evaluate`."]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) or "No checkpoint is shipped yet: `svge train`."


def _times(row: MetricRow) -> str:
    """Encodings and decodings of each cell, where a row tells them."""
    found = re.search(r"(\d+) times the mean x (\d+) decodings", row.meaning.get("protocol", ""))
    return f" {found[1]} × {found[2]}" if found else ""


def tradeoff(root: Path) -> str:
    """What each KL weight costs and gives, from the stored benchmark."""
    stored = read_results("tradeoff", root)
    if stored is None:
        return "Not measured yet: `python -m bench.tradeoff`."
    first = stored["rows"][0]
    lines = [
        f"Measured by `{stored['command']}` on {stored['date']}: one model per weight, {first['epochs']} epochs, seed "
        f"{first['seed']} (another split than the shipped checkpoint's), raw forward decoding. Uniform draws would "
        f"give {percent(first['uniform_ceiling_1000'], 1)} and {percent(first['uniform_ceiling_10000'], 1)} "
        "valid and unique.",
        "",
        "| KL weight | reconstruction, mean | reconstruction, posterior draws | valid, raw | valid and unique of 1,000 "
        "| of 10,000 | latent against edit distance (Spearman) | nearest latent is one edit away | KL (nats) |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    shares = ("reconstruction_mean", "reconstruction_posterior", "valid_raw", "valid_unique_1000", "valid_unique_10000")
    for row in stored["rows"]:
        cells = [percent(row[name]) for name in shares]
        cells += [f"{row['spearman_edit']:.2f}", percent(row["nearest_one_edit"], 1), f"{row['kl_nats']:.1f}"]
        lines.append(f"| {row['beta']:g} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
