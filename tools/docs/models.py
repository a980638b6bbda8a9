"""What the shipped checkpoints measure, from their ``meta.json``, and what the KL weight costs and gives."""

from pathlib import Path

from bench.harness.results import read_results
from svge_core.checkpoints import (
    MetricRow,
    RowKey,
    by_key,
    edge_f1_key,
    find_checkpoints,
    generation_key,
    load_meta,
    reconstruction_key,
)
from svge_core.evaluation import denominator, drawn_words, is_repeated, percent, result
from svge_core.spaces import get_space


def _fitted(latents: int) -> dict[RowKey, str]:
    """Rows of raw decodings of latents drawn from the densities that are fitted after training."""
    densities = {"fitted": "the aggregate posterior", "kernel": "a kernel density of the likeliest width"}
    drawn = {"valid_unique": f"Valid and unique among {latents:,} raw draws from {{}}"}
    drawn["novel"] = "Of the valid ones, not among the training cells"
    return {
        generation_key(what, "forward", "raw", latents, 1, how): title.format(density)
        for how, density in densities.items()
        for what, title in drawn.items()
    }


#: shown of a checkpoint's metrics, in this order, where they were measured
SHOWN = {
    reconstruction_key(
        "forward", "sampled"
    ): "Exact reconstruction of held-out cells, sampled from the mean{times}, forward",
    reconstruction_key("forward", "sampled_posterior"): "The same from posterior draws",
    reconstruction_key("both", "sampled"): "Exact reconstruction, sampled from the mean, both directions voting",
    reconstruction_key("both", "sampled_posterior"): "The same from posterior draws",
    reconstruction_key("forward", "argmax"): "Exact reconstruction of held-out cells, most likely decoding, forward",
    generation_key(
        "valid", "forward", "raw", 1_000, 10
    ): "Valid prior samples, raw, 1,000 latents × 10 decodings, forward",
    generation_key("valid", "both", "raw", 1_000, 10): "The same, both directions voting",
    generation_key("valid", "forward", "constrained", 1_000, 10): "Valid prior samples, constrained decoding",
    generation_key("unique", "forward", "raw", 1_000, 10): "Of the valid samples of 1,000 × 10, distinct",
    generation_key("valid_unique", "forward", "raw", 1_000, 1): "Valid and unique among 1,000 raw prior samples",
    generation_key("valid_unique", "forward", "raw", 10_000, 1): "Valid and unique among 10,000 raw prior samples",
    generation_key("novel", "forward", "raw", 1_000, 10): "Of the valid samples, not among the training cells",
    generation_key(
        "valid_unique", "forward", "raw", 10_000, 1, "standard"
    ): "Valid and unique among 10,000 raw draws from N(0, I)",
    **_fitted(10_000),
    edge_f1_key("forward", "argmax"): "Edge F1 of held-out wirings, most likely decoding, forward",
    edge_f1_key("forward", "sampled"): "The same, sampled from the mean",
    edge_f1_key("forward", "frequent"): "The same, edges of many samples",
    edge_f1_key("both", "frequent"): "The same, both directions voting",
    edge_f1_key("forward", "other_frequent"): "Control: edge F1 of another cell's latent of the same family",
    edge_f1_key("", "constant"): "Control: edge F1 of the best constant wiring",
    edge_f1_key("", "constant_per_family"): "Control: the same, one wiring per family",
    edge_f1_key("", "pca64"): "Control: edge F1 of 64 main components",
    edge_f1_key("", "pca320"): "Control: edge F1 of 320 main components",
    RowKey("function"): "What a cell computes, read from the last numbers of the latent",
    RowKey("entropy", group="ws"): "Nats of a Watts-Strogatz wiring, at most",
    RowKey("entropy", group="er"): "Nats of an Erdős-Rényi wiring, exact",
    RowKey("entropy", group="ba"): "Nats of a Barabási-Albert wiring, estimated",
    generation_key(
        "valid", "forward", "raw", 1_000, 1
    ): "Valid prior samples, raw, 1,000 latents × 1 decoding, forward",
    generation_key("valid", "forward", "constrained", 1_000, 1): "The same, constrained decoding",
    **_fitted(1_000),
}


def numbers(root: Path) -> str:
    """Every shipped checkpoint (names begin with svge or rows): size, training, measures with denominators."""
    parts = []
    for folder in find_checkpoints(root / "checkpoints"):
        if not folder.name.startswith(("svge", "rows")):  # a user's own
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
        epochs = f"{meta.initial_epochs} + {meta.own_epochs}" if meta.initial_epochs else f"{meta.own_epochs}"
        rows = by_key(meta.metrics)
        lines = [
            f"**`{folder.relative_to(root)}`**, made with",
            "",
            *(f"    {command}" for command in meta.commands),
            "",
            f"Trained on {cells}, "
            f"{epochs} epochs, {meta.total_cpu_seconds:,.0f} CPU seconds, seed {meta.training.get('seed')}, latent "
            f"{meta.config.latent}, hidden {meta.config.hidden}, KL weight {meta.config.beta:g}.",
            "",
            "| measured | result | out of |",
            "|---|---|---|",
            *(
                f"| {title.format(times=_times(rows[key]))} | {result(rows[key])} | {denominator(rows[key])} |"
                for key, title in SHOWN.items()
                if key in rows and not is_repeated(key, rows)
            ),
        ]
        if not any(key in rows for key in SHOWN):
            lines[-2:] = ["Not measured yet: `svge evaluate`."]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) or "No checkpoint is shipped yet: `svge train`."


def _times(row: MetricRow) -> str:
    """Encodings and decodings of each cell, where a row tells them."""
    return f" {row.encodings} × {row.decodings}" if row.encodings else ""


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
