"""The six numbers of README.md, each with what it is out of and a link to its table."""

from pathlib import Path

from bench.harness.results import read_results
from svge_core.checkpoints import MetricRow, RowKey, by_key, edge_f1_key, generation_key, load_meta, reconstruction_key
from svge_core.evaluation import denominator, percent, result
from svge_core.predictors import SHORT_NAME
from tools.docs.search import paired


def headlines(root: Path) -> str:
    """A table: number, what it is and out of what, page."""
    rows = [
        _reconstruction(root),
        _validity(root),
        _prediction(root),
        _search(root),
        _durability(root),
        _randwire(root),
    ]
    lines = ["| number | of what | table |", "|---|---|---|"]
    lines += [f"| **{number}** | {words} | [{page}](docs/results/{page}.md) |" for number, words, page in rows]
    return "\n".join(lines)


def _metric(root: Path, space: str, key: RowKey, name: str = "svge") -> MetricRow:
    meta, _ = load_meta(root / "checkpoints" / space / name)
    return by_key(meta.metrics)[key]


def _reconstruction(root: Path) -> tuple[str, str, str]:
    row = _metric(root, "nasbench201", reconstruction_key("forward", "sampled"))
    words = (
        f"{denominator(row)} decodings give the cell back: NAS-Bench-201, cells never trained on, "
        f"{row.encodings or 1} × {row.decodings or 1} decodings sampled from each posterior mean"
    )
    return result(row), words, "checkpoints"


def _validity(root: Path) -> tuple[str, str, str]:
    row = _metric(root, "nasbench101", generation_key("valid", "forward", "raw", 1_000, 10))
    return (
        result(row),
        f"{denominator(row)} raw decodings of prior samples are valid cells, NAS-Bench-101",
        "checkpoints",
    )


def _prediction(root: Path) -> tuple[str, str, str]:
    stored = read_results("predictor", root)
    assert stored is not None
    row = max((row for row in stored["rows"] if row["predictor"] == SHORT_NAME), key=lambda row: row["labels"])
    words = (
        f"Kendall tau (± over {len(row['draws'])} draws) of predicted against measured CIFAR-10 validation accuracy on "
        f"{row['held_out']:,} cells of NAS-Bench-201, from {row['labels']} labels of others; the 90 % interval covers "
        f"{percent(row['coverage'], 1)}"
    )
    return f"{row['kendall_tau']:.3f} ± {row['kendall_tau_sd']:.3f}", words, "prediction"


def _search(root: Path) -> tuple[str, str, str]:
    stored = read_results("search", root)
    assert stored is not None
    found = {row["method"]: row for row in stored["rows"] if row["data"] == "imagenet16"}
    ours, rival, chance = (found[name]["median to optimum"] for name in ("latent-bo", "gp", "random"))
    pair = paired(stored["rows"], "gp", "imagenet16", stored["settings"]["budget"])
    words = (
        f"evaluations, median of {found['latent-bo']['seeds']} seeds, until latent Bayesian optimisation has "
        f"NAS-Bench-201's best ImageNet16-120 validation accuracy; random search {chance}. A Gaussian process on "
        f"structure needs {rival:g} and is as good: earlier in {pair.earlier} of the {found['gp']['seeds']} seeds, "
        f"on average after {pair.rival:.1f} evaluations against {pair.ours:.1f}"
    )
    return f"{ours:g}", words, "search"


def _durability(root: Path) -> tuple[str, str, str]:
    stored = read_results("durability", root)
    assert stored is not None
    rows = stored["rows"]
    kills, made = (sum(row[name] for row in rows) for name in ("kills", "evaluations"))
    lost, repeated = (sum(row[name] for row in rows) for name in ("lost", "finished_repeated"))
    words = (
        f"of {made:,} evaluations lost, {repeated} stored ones repeated, in {kills} kills and crashes of searches on "
        "SQLite and PostgreSQL, with one goal and two, and on a full disk"
    )
    return str(lost), words, "speed"


def _randwire(root: Path) -> tuple[str, str, str]:
    found = _metric(root, "randwire", edge_f1_key("forward", "frequent"), "rows")
    svge = _metric(root, "randwire", edge_f1_key("forward", "frequent"))
    control = _metric(root, "randwire", edge_f1_key("", "constant_per_family"))
    words = (
        f"edge F1 of {found.n:,} held-out RandWire wirings, encoded and decoded with a code per node; SVGe's one code "
        f"for the whole wiring does not work there: {svge.value:.4g}, as one constant wiring per family has "
        f"{control.value:.4g}"
    )
    return f"{found.value:.4g}", words, "checkpoints"
