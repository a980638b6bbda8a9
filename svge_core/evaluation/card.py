"""The model card of a checkpoint: ``README.md`` in its folder, written from the files beside it."""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from svge_core.atlas import FILE as ATLAS
from svge_core.checkpoints import (
    EDGE_F1,
    ENTROPY,
    SMOOTHNESS,
    Checkpoint,
    CheckpointMeta,
    MetricRow,
    RowKey,
    by_key,
    edge_f1_key,
    generation_key,
    reconstruction_key,
)
from svge_core.data import has_indices
from svge_core.evaluation.recipe import leaves_names_out, recipe
from svge_core.evaluation.report import is_repeated
from svge_core.evaluation.shares import decimals, fifths_size, in_fifths, percent
from svge_core.evaluation.verdict import MOST, verdict_of
from svge_core.files import markdown_text, write_atomically
from svge_core.predictors import full_name, stored_infos
from svge_core.spaces import AbstractSearchSpace

FILE = "README.md"
_SVGE = {
    "hidden": "250",
    "latent": "56",
    "positions": "none",
    "decoder_positions": "none",
    "beta": "0.005 times the batch size",
    "posterior_noise": "0.01",
    "edge_reduction": "mean",
    "edge_sampling": "independent",
}
_DVAE = {"hidden": "501", "latent": "56", "positions": "vertex ids", "beta": "0.005", "posterior_noise": "0.01"}
_DVAE |= {"edge_reduction": "sum", "operation_dim": "3"}
#: of the code each model is made after, if any; the docstring of its module says which
PUBLISHED_VALUES = {"svge": _SVGE, "dgmg": _SVGE, "dvae": _DVAE, "gcn": {**_DVAE, "rounds": "3"}}
PUBLISHED_TRAINING = {"epochs": "300", "batch_size": "32 or 128", "learning_rate": "0.0001", "prior_share": "none"}
_FITTED = {"fitted": "aggregate posterior", "kernel": "kernel density of the likeliest width"}
_RAW = {"valid": "Validity of raw decodings", "valid_unique": "Valid and unique, raw", "novel": "Novelty, raw"}


def _fitted(latents: int, *measures: str) -> list[tuple[RowKey, str]]:
    """Rows of latents drawn from the densities that are fitted after training, one decoding of each."""
    return [
        (generation_key(what, "forward", "raw", latents, 1, how), f"{_RAW[what]}, {words}")
        for how, words in _FITTED.items()
        for what in measures
    ]


SHOWN = (
    (reconstruction_key("forward", "expected"), "Reconstruction, forward run, expected over all draws"),
    (reconstruction_key("forward", "sampled"), "Reconstruction, forward run, sampled"),
    (reconstruction_key("backward", "sampled"), "Reconstruction, backward run, sampled"),
    (reconstruction_key("both", "sampled"), "Reconstruction, both directions, sampled"),
    (
        reconstruction_key("forward", "sampled", "reconstruction_equivalent"),
        "The same up to the space's equivalence, forward run",
    ),
    (reconstruction_key("forward", "argmax"), "Reconstruction, forward run, argmax"),
    (reconstruction_key("both", "argmax"), "Reconstruction, both directions, argmax"),
    (reconstruction_key("forward", "sampled_posterior"), "Reconstruction from posterior draws, forward run"),
    (generation_key("valid", "forward", "raw", 1_000, 10), "Validity of raw decodings"),
    (generation_key("valid", "forward", "constrained", 1_000, 10), "Validity of constrained decodings"),
    (generation_key("unique", "forward", "raw", 1_000, 10), "Uniqueness among valid raw decodings"),
    (generation_key("novel", "forward", "raw", 1_000, 10), "Novelty of valid raw decodings"),
    (generation_key("valid_unique", "forward", "raw", 1_000, 1), "Valid and unique, raw"),
    (generation_key("valid_unique", "forward", "raw", 10_000, 1), "Valid and unique, raw"),
    (generation_key("valid_unique", "forward", "constrained", 10_000, 1), "Valid and unique, constrained"),
    (generation_key("valid", "forward", "raw", 10_000, 1, "standard"), "Validity of raw decodings, N(0, I) not scaled"),
    (
        generation_key("valid_unique", "forward", "raw", 10_000, 1, "standard"),
        "Valid and unique, raw, N(0, I)",
    ),
    *_fitted(10_000, "valid", "valid_unique", "novel"),
    (edge_f1_key("forward", "argmax"), "Edge F1, forward run, argmax"),
    (edge_f1_key("forward", "sampled"), "Edge F1, forward run, sampled"),
    (edge_f1_key("forward", "frequent"), "Edge F1, forward run, frequent edges"),
    (edge_f1_key("forward", "frequent", "per_cell"), "The same, mean over cells"),
    (edge_f1_key("forward", "frequent", "ws"), "The same, Watts-Strogatz wirings, pooled"),
    (edge_f1_key("forward", "frequent", "er"), "The same, Erdos-Renyi wirings, pooled"),
    (edge_f1_key("forward", "frequent", "ba"), "The same, Barabasi-Albert wirings, pooled"),
    (edge_f1_key("both", "argmax"), "Edge F1, both directions, argmax"),
    (edge_f1_key("both", "frequent"), "Edge F1, both directions, frequent edges"),
    (edge_f1_key("forward", "other_frequent"), "Control: edge F1 of another cell's latent, frequent edges"),
    (edge_f1_key("", "constant"), "Control: edge F1 of the best constant wiring"),
    (edge_f1_key("", "constant_per_family"), "Control: edge F1 of the best constant wiring of each family"),
    (edge_f1_key("", "pca64"), "Control: edge F1 of 64 main components"),
    (edge_f1_key("", "pca320"), "Control: edge F1 of 320 main components"),
    (RowKey("function"), "What a cell computes, read from the latent"),
    (RowKey(ENTROPY, group="ws"), "Entropy of Watts-Strogatz wirings"),
    (RowKey(ENTROPY, group="er"), "Entropy of Erdos-Renyi wirings"),
    (RowKey(ENTROPY, group="ba"), "Entropy of Barabasi-Albert wirings"),
    (generation_key("valid", "forward", "raw", 1_000, 1), "Validity of raw decodings"),
    (generation_key("valid", "forward", "constrained", 1_000, 1), "Validity of constrained decodings"),
    *_fitted(1_000, "valid_unique", "novel"),
    (RowKey(SMOOTHNESS, how="nearest_is_one_edit"), "Nearest other latent is one edit away"),
)

_LEFT_OUT = (
    "FILE and JSON stand for a table of labels and the file that says what they are; their names are not recorded."
)

_DRAWS = "- Good for: drawing members of the space (validity above)."
#: of spaces without an index, whose map is of cells that were drawn for it
_CHARTED = (
    "- Good for: a first look at the families of wirings on a map. It shows cells that were drawn once; what is "
    "decoded between them is put together of theirs, as the average of two codes is no wiring between both."
)
_UNSEARCHED = "- Not measured: whether a search in this latent space is better than one on structure alone."
#: of spaces without an index, where hardly any held-out cell comes back whole, and where most do
_FORGETFUL = "- Not good for: getting a wiring back. The controls above say how much of it the latent really knows."
_FAITHFUL = "- Good for: writing a wiring as numbers and getting it back (reconstruction and edge F1 above)."


def write_card(checkpoint: Checkpoint) -> Path:
    """Write the card and return its path."""
    path = checkpoint.folder / FILE
    write_atomically(path, card(checkpoint).encode())
    return path


def _function(meta: CheckpointMeta) -> str:
    config = meta.config
    if not config.function:
        return ""
    return (
        f" The last {config.function} of its {config.latent} latent dimensions are trained towards what a cell "
        "computes, which is no part of the paper."
    )


def card(checkpoint: Checkpoint) -> str:
    """The card as markdown."""
    meta = checkpoint.meta
    title, published = markdown_text(checkpoint.model.space.title), PUBLISHED_VALUES.get(meta.model)
    mapped, commands = has_indices(checkpoint.model.space), recipe(checkpoint)
    lines = [
        f"# {markdown_text(checkpoint.model.title)} on {title}",
        "",
        f"{markdown_text(checkpoint.model.source)} of {title}, "
        f"{meta.environment.get('parameters', 0):,} parameters, trained without any accuracy label.{_function(meta)}",
        "",
        *_verdict(checkpoint),
        "## How it was made",
        "",
        *_fenced(commands),
        "",
        *([_LEFT_OUT, ""] if leaves_names_out(commands) else []),
        _trained_on(checkpoint),
        "",
        *_settings(meta, published),
        "",
        "## What it measures",
        "",
        *_metrics(meta.metrics),
        "",
        *_reading_notes(meta.metrics),
        "",
        *_predictor_section(checkpoint),
        "## What it is good for, and what not",
        "",
        *(_mapped(title) if mapped else _unnumbered(checkpoint)),
        "- Novelty is low by construction: the training cells are nine tenths of a finite space."
        if checkpoint.model.space.enumerated
        else "- Novelty is high by construction: only a small part of the space was ever trained on.",
        "- The latent has seen no accuracy. Predicted accuracies come from the predictors above and carry an interval."
        if stored_infos(checkpoint.folder)
        else "- The latent has seen no accuracy, and there is no predictor.",
        "- Weights are not comparable across versions: latents of another checkpoint mean something else.",
        "",
    ]
    return "\n".join(lines)


def _verdict(checkpoint: Checkpoint) -> list[str]:
    """The verdict, a line each, with the command that measures what is missing."""
    found = []
    for sentence in verdict_of(checkpoint):
        line = f" Command: `python -m svge_core {sentence.command}`." if sentence.command else ""
        found.append(f"- {markdown_text(str(sentence))}{line}")
    return [*found, ""]


def _settings(meta: CheckpointMeta, published: Mapping[str, str] | None) -> list[str]:
    """The table of all settings, beside those of the published code where there is one."""
    own = meta.config.to_dict() | {f"training: {name}": value for name, value in meta.training.items()}
    if published is None:
        return ["| field | this model |", "|---|---|", *(f"| {name} | {value} |" for name, value in own.items())]
    theirs = {**published, **{f"training: {name}": value for name, value in PUBLISHED_TRAINING.items()}}
    rows = (f"| {name} | {value} | {theirs.get(name, '')} |" for name, value in own.items())
    return ["| field | this model | published code |", "|---|---|---|", *rows]


def _faithful(metrics: Sequence[MetricRow]) -> bool:
    """Whether most held-out cells come back whole from their latents."""
    row = by_key(metrics).get(reconstruction_key("forward", "argmax"))
    return row is not None and row.value is not None and row.value > MOST


def _unnumbered(checkpoint: Checkpoint) -> tuple[str, ...]:
    """What a model of cells without an index is good for."""
    charted = (_CHARTED,) if (checkpoint.folder / ATLAS).is_file() else ()
    return (_DRAWS, _FAITHFUL if _faithful(checkpoint.meta.metrics) else _FORGETFUL, *charted, _UNSEARCHED)


def _mapped(title: str) -> tuple[str, ...]:
    return (
        f"- Good for: looking at {title}, decoding positions of the map, interpolating, proposing cells to a search.",
        "- The map is two-dimensional and the latent is not: a clicked position is an approximation; the app shows how "
        "far the nearest known cell is.",
    )


def drawn_words(space: AbstractSearchSpace) -> str:
    """Where the training cells of a space that is not listed come from."""
    if space.size is None or not has_indices(space):
        return "drawn by the space's own random generators"
    return f"drawn uniformly from {space.size:,}"


def _trained_on(checkpoint: Checkpoint) -> str:
    """Cells, seed, epochs and time in one paragraph."""
    meta, space = checkpoint.meta, checkpoint.model.space
    if not meta.history:
        return ""
    before = meta.initial_epochs
    seconds = meta.total_cpu_seconds
    if space.enumerated:
        cells = (
            f"{meta.data_count:,} cells trained on (digest `{meta.data_digest}`), {meta.held_out_count:,} random cells "
            "never seen"
        )
    else:
        cells = (
            f"{meta.data_count:,} cells trained on, {drawn_words(space)}, new ones every epoch (digest "
            f"of the first: `{meta.data_digest}`); {meta.training.get('held_out', 0):.0%} of the space, chosen by a "
            f"hash of the {'index' if has_indices(space) else 'key'}, is never seen"
        )
    earlier = f" after {before} of the command{'' if len(meta.commands) < 3 else 's'} before" if before else ""
    return (
        f"{cells}; seed {meta.training.get('seed', '?')}, {meta.training.get('epochs', '?')} epochs{earlier}, "
        f"{seconds:,.0f} CPU-seconds on {meta.environment.get('threads', '?')} thread(s), "
        f"torch {meta.environment.get('torch', '?')}."
    )


def _metrics(metrics: Sequence[MetricRow]) -> list[str]:
    if not metrics:
        return ["Not measured yet: run `python -m svge_core evaluate`."]
    found = by_key(metrics)
    lines = ["| what | result | protocol | over |", "|---|---|---|---|"]
    for key, title in SHOWN:
        if key in found and not is_repeated(key, found):
            result, over = _result(found[key])
            words = markdown_text(found[key].protocol), markdown_text(over)
            lines.append(f"| {title} | {result} | {words[0]} | {words[1]} |")
    return lines


def _result(row: MetricRow) -> tuple[str, str]:
    """The number with its denominator, and the cells it is over."""
    value = math.nan if row.value is None else row.value
    if row.what == "function":
        return f"R² {value:.3f}", f"{row.n:,} cells: {row.split}"
    if row.what == ENTROPY:
        return f"{value:.1f} {row.unit}", row.split
    if row.of is None:
        shown = decimals(value) if row.what == EDGE_F1 else percent(value, 4)
        return shown, f"{row.n:,} cells: {row.split}"
    ceiling = row.uniform_ceiling if row.what == "valid_unique" else None
    note = f" (uniform draws would give {percent(ceiling, 1)})" if ceiling else ""
    return f"{percent(value, 3)} ({row.count:,} of {row.of:,}){note}", row.split


def _edge_gains(metrics: Sequence[MetricRow]) -> str:
    """By how much frequent edges are better than each control, in a sentence; empty where one was not measured."""
    controls = {
        edge_f1_key("forward", "other_frequent"): "the latent of another cell",
        edge_f1_key("", "constant"): "one wiring for all cells",
        edge_f1_key("", "constant_per_family"): "one wiring per family, the family being told",
    }
    values = {key: row.value for key, row in by_key(metrics).items() if row.value is not None}
    own = values.get(edge_f1_key("forward", "frequent"))
    if own is None or not controls.keys() <= values.keys():
        return ""
    gains = (f"{own - values[key]:+.3f} against {words}" for key, words in controls.items())
    return f" Here (forward run, pooled): {', '.join(gains)}."


def _reading_notes(metrics: Sequence[MetricRow]) -> list[str]:
    """What the figures do and do not say."""
    if not metrics:
        return []
    if any(row.what == EDGE_F1 for row in metrics):
        exact = "Exact reconstruction of such wirings is beyond a latent of this size; edge F1 says"
        return [
            f"{'Edge F1 says' if _faithful(metrics) else exact} how many edges come "
            "back, beside what knows nothing of the cell: the latent of another one, and one wiring guessed for all. "
            "'Frequent edges' are those of many sampled decodings, with a bound that is chosen on training cells as "
            "the guessed wiring is, so that the two can be compared." + _edge_gains(metrics)
        ]
    return [
        "The published protocol encodes a cell ten times and decodes each latent ten times; in the published code all "
        "ten encodings are the posterior mean, so its figure is 100 decodings of one latent. The row 'from posterior "
        "draws' draws ten latents from q(z | cell) with its full variance and is the harder question.",
        "",
        "Uniqueness has a ceiling in a finite space: as many independent uniform draws would repeat themselves, too; "
        "the expected share is given in brackets.",
    ]


def _predictor_section(checkpoint: Checkpoint) -> list[str]:
    infos = stored_infos(checkpoint.folder)
    if not infos:
        return []
    rows = [
        "## Predictors",
        "",
        "| score | labels | held out | Kendall tau | RMSE | coverage of the interval "
        "| by fifths, lowest predicted first |",
        "|---|---|---|---|---|---|---|",
    ]
    for info in infos.values():
        parts: tuple[tuple[Literal["surrogate", "joint"], str], ...] = (
            ("surrogate", full_name(info.beside)),
            ("joint", "SVGe's joint head"),
        )
        for name, title in parts:
            if (row := info.held_out.get(name)) is not None:
                coverage = (
                    "no interval" if row.coverage is None else f"{100 * row.coverage:.1f} % (of {100 * info.level:g} %)"
                )
                tau = "-" if row.kendall_tau is None else f"{row.kendall_tau:.3f}"
                rmse = "-" if row.rmse is None else f"{row.rmse:.3f}"
                by_fifth = row.coverage_fifths
                fifths = "" if by_fifth is None else f"{in_fifths(by_fifth)} ({fifths_size(row.of)})"
                seed = "" if info.seed is None else f" (seed {info.seed})"
                rows.append(
                    f"| {markdown_text(info.description)}: {title} | {info.labels:,}{seed} | {row.of:,} "
                    f"| {tau} | {rmse} | {coverage} | {fifths} |"
                )
        if (found := info.cross_validated) is not None:
            rows.append(
                f"| {markdown_text(info.description)}: {full_name(info.beside)}, cross-validated | {info.labels:,} "
                f"| in fifths, {found.of:,} in all "
                f"| {'-' if found.kendall_tau is None else f'{found.kendall_tau:.3f}'} "
                f"| {'-' if found.rmse is None else f'{found.rmse:.3f}'} "
                f"| {100 * (found.coverage or 0):.1f} % (of {100 * info.level:g} %) | |"
            )
    return [*rows, "", "Held out: every other labelled cell. Marked in the app: the cells whose labels were used.", ""]


def _fenced(lines: Sequence[str]) -> list[str]:
    """A block of code that none of its lines can end."""
    longest = max((len(run) for run in re.findall("`+", "\n".join(lines))), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence, *lines, fence]
