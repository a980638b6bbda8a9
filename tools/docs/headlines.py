"""The six numbers of README.md, each with what it is out of and a link to its table."""

from pathlib import Path

from bench.harness.results import read_results
from svge_core.checkpoints import load_meta
from svge_core.evaluation import percent
from svge_core.figures import MetricRow, metric_rows


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


def _metrics(root: Path, space: str) -> dict[str, MetricRow]:
    meta, _ = load_meta(root / "checkpoints" / space / "svge")
    return metric_rows(meta.metrics)


def _reconstruction(root: Path) -> tuple[str, str, str]:
    row = _metrics(root, "nasbench201")["reconstruction.forward.sampled"]
    words = (
        f"{row.denominator} decodings give the cell back: NAS-Bench-201, cells never trained on, 100 decodings sampled "
        "from each posterior mean"
    )
    return row.result, words, "checkpoints"


def _validity(root: Path) -> tuple[str, str, str]:
    row = _metrics(root, "nasbench101")["valid.forward.raw.1000x10"]
    return row.result, f"{row.denominator} raw decodings of prior samples are valid cells, NAS-Bench-101", "checkpoints"


def _prediction(root: Path) -> tuple[str, str, str]:
    stored = read_results("predictor", root)
    assert stored is not None
    row = max((row for row in stored["rows"] if "joint" not in row["predictor"]), key=lambda row: row["labels"])
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
    words = (
        f"evaluations, median of {found['latent-bo']['seeds']} seeds, until latent Bayesian optimisation has "
        "NAS-Bench-201's best ImageNet16-120 validation accuracy; a Gaussian process on structure needs "
        f"{rival:g}, random search {chance}"
    )
    return f"{ours:g}", words, "search"


def _durability(root: Path) -> tuple[str, str, str]:
    stored = read_results("durability", root)
    assert stored is not None
    row = stored["rows"][0]
    words = (
        f"of {row['evaluations']} evaluations lost, {row['finished_repeated']} finished ones repeated, in "
        f"{row['kills']} kills of {row['runs']} local searches on SQLite"
    )
    return str(row["lost"]), words, "speed"


def _randwire(root: Path) -> tuple[str, str, str]:
    rows = _metrics(root, "randwire")
    found, control = rows["edge_f1.forward.frequent.all"], rows["edge_f1.constant.per_family.all"]
    words = (
        f"edge F1 of {found.denominator.removeprefix('n = ')} held-out RandWire wirings, encoded and decoded: what "
        f"does not work yet, as one constant wiring per family has {control.result.removesuffix(' F1')}"
    )
    return found.result.removesuffix(" F1"), words, "checkpoints"
