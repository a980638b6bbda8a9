"""The charts of the results pages: what each one shows, from the files of the benchmarks.

A chart is plain values, so that a test can tell without drawing whether the picture in ``docs/assets/charts/`` is
current. :mod:`tools.docs.drawing` draws it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.harness.results import read_results
from bench.papers import NB201, titled
from svge_core.checkpoints import by_key, generation_key, load_meta, reconstruction_key
from svge_core.evaluation import percent
from svge_core.predictors import SHORT_NAME
from svge_core.search.searchers import METHODS
from svge_core.spaces import get_space
from tools.docs.latent import CODES, measured, three
from tools.docs.prediction import FILES, PINAT, TITLES
from tools.docs.validity import WORDS, trained_share

Chart = dict[str, Any]
AUTHORS = "authors' code"
DATA = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "imagenet16": "ImageNet16-120"}


def _stored(name: str, root: Path) -> dict[str, Any]:
    found = read_results(name, root)
    if found is None:
        raise SystemExit(f"bench/results/{name}.json is missing.")
    return found


def _bars(*panels: Chart) -> Chart:
    return {"kind": "bars", "panels": list(panels)}


def _dots(*panels: Chart) -> Chart:
    """Where an axis that begins at 0 would show no difference: a dot claims no length."""
    return {"kind": "dots", "panels": list(panels)}


def _lines(*panels: Chart) -> Chart:
    return {"kind": "lines", "panels": list(panels)}


def _series(name: str, values: list[float | None], errors: list[float | None] | None = None, **more: Any) -> Chart:
    return {"name": name, "values": values, "errors": errors, **more}


def checkpoints(root: Path) -> Chart:
    """Exact reconstruction and raw validity."""
    titles: list[str] = []
    back, valid = _series("", [], texts=[]), _series("", [], texts=[])
    for name in ("nasbench201", "nasbench101", "enas6", "randwire"):
        meta, _ = load_meta(root / "checkpoints" / name / "svge")
        rows = by_key(meta.metrics)
        samples = (generation_key("valid", "forward", "raw", 1_000, decodings) for decodings in (10, 1))
        sample = next(key for key in samples if key in rows)
        titles.append(get_space(name).title)
        for series, key in ((back, reconstruction_key("forward", "sampled")), (valid, sample)):
            share = rows[key].value or 0.0
            series["values"].append(100 * share)
            series["texts"].append(percent(share).removesuffix(" %"))
    return _bars(
        {"title": "held-out cells back, sampled from the mean, %", "rows": titles, "series": [back], "most": 100},
        {"title": "valid prior samples, raw forward decoding, %", "rows": titles, "series": [valid], "most": 100},
    )


def latent_quality(root: Path) -> Chart:
    """Scores predicted by the nearest cells, by the code in which they are near."""
    panels = []
    for title, file in measured(root).items():
        row = file["neighbours"][0]
        values = [row[code]["kendall_tau"] for code in CODES]
        name = f"{title}: {row['meaning']['title'].lower()}"
        series = _series("", values, texts=[three(value) for value in values])
        panels.append({"title": name, "rows": list(CODES.values()), "series": [series], "most": 1})
    return {**_bars(*panels), "stacked": True}


def kl_weight(root: Path) -> Chart:
    """What the weight buys."""
    rows = _stored("tradeoff", root)["rows"]
    x = [row["beta"] for row in rows]
    names = (
        ("reconstruction_mean", "reconstruction, mean"),
        ("reconstruction_posterior", "reconstruction, posterior draws"),
        ("valid_unique_10000", "valid and unique of 10,000"),
        ("nearest_one_edit", "nearest latent one edit away"),
    )
    series = [{"name": title, "x": x, "y": [100 * row[name] for row in rows]} for name, title in names]
    return _lines({"title": "", "x": "KL weight", "y": "%", "log": True, "series": series})


def validity(root: Path) -> Chart:
    """By setting."""
    rows = _stored("validity", root)["rows"]
    titles = [f"{WORDS[row['edge_sampling']]}, prior share {trained_share(row)}" for row in rows]
    panels = []
    for key, title in (("valid_raw", "valid, raw, %"), ("reconstruction_expected", "reconstruction, expected, %")):
        texts = [percent(row[key], 1).removesuffix(" %") for row in rows]
        series = _series("", [100 * row[key] for row in rows], texts=texts)
        panels.append({"title": title, "rows": titles, "most": 100, "series": [series]})
    return _bars(*panels)


def generation(root: Path) -> Chart:
    """RMSE of the probe, measured and published."""
    rows = [row for row in _stored("baselines", root)["rows"] if " minus " not in row["model"]]
    names = list(dict.fromkeys(row["model"] for row in rows))
    series = []
    for title, published in (
        ("measured here, ± over 3 training seeds", False),
        ("published, ± over 10 probe seeds", True),
    ):
        found = {row["model"]: row for row in rows if row["source"].startswith("published") == published}
        values = [found[name]["rmse_standardised"] if name in found else None for name in names]
        errors = [found[name].get("rmse_standardised_sd") if name in found else None for name in names]
        series.append(_series(title, values, errors, digits=3))
    return _bars({"title": "RMSE of standardised accuracy (less is better)", "rows": names, "series": series})


def prediction(root: Path) -> Chart:
    """Kendall tau over labels."""
    found: dict[str, list[tuple[int, float, float]]] = {}
    for name in FILES:
        stored = _stored(name, root)
        for row in stored["rows"]:
            if row["predictor"] == SHORT_NAME:
                point = (row["labels"], row["kendall_tau"], row["kendall_tau_sd"])
                found.setdefault(stored["settings"]["space"], []).append(point)
    series = []
    for number, (space, points) in enumerate(found.items()):
        x, y, errors = (list(column) for column in zip(*sorted(points), strict=True))
        series.append({"name": TITLES[space], "x": x, "y": y, "errors": errors, "colour": number})
        if published := sorted((labels, float(tau)) for (name, labels), tau in PINAT.items() if name == space):
            x, y = (list(column) for column in zip(*published, strict=True))
            series.append({"name": "PINAT, published", "x": x, "y": y, "colour": number, "dashed": True})
    return _lines({"title": "", "x": "labels", "y": "Kendall tau, held out", "log": True, "series": series})


def extrapolation(root: Path) -> Chart:
    """Inside and outside."""
    rows = _stored("extrapolation", root)["rows"]
    titles = list(dict.fromkeys(f"{TITLES[row['space']].split(',')[0]}, {row['cells']}" for row in rows))
    series = []
    for predictor in dict.fromkeys(row["predictor"] for row in rows):
        mine = [row for row in rows if row["predictor"] == predictor]
        values, errors = ([row[name] for row in mine] for name in ("kendall_tau", "kendall_tau_sd"))
        series.append(_series(predictor, values, errors, digits=3))
    return _bars({"title": "Kendall tau, 1,000 labels from inside, ± over 10 draws", "rows": titles, "series": series})


def _title(method: str) -> str:
    return METHODS[method].title if method in METHODS else method.replace("latent-bo, ", "ours, ")


def _medians(rows: list[dict[str, Any]], methods: list[str], budget: int) -> Chart:
    """Median evaluations to the optimum; what was not reached stands at the budget."""
    panels = []
    for data, title in DATA.items():
        by = {row["method"]: row for row in rows if row["data"] == data}
        found = [by[method]["median to optimum"] for method in methods]
        values = [float(budget) if isinstance(value, str) else value for value in found]
        texts = [value if isinstance(value, str) else f"{value:g}" for value in found]
        panels.append(
            {"title": title, "rows": [_title(m) for m in methods], "series": [_series("", values, texts=texts)]}
        )
    return _bars(*panels)


def search(root: Path) -> Chart:
    """All methods."""
    stored = _stored("search", root)
    methods = [name for name in METHODS if any(row["method"] == name for row in stored["rows"])]
    return _medians(stored["rows"], methods, stored["settings"]["budget"])


def ablation(root: Path) -> Chart:
    """One part taken away at a time."""
    stored = _stored("search_ablation", root)
    return _medians(stored["rows"], list(dict.fromkeys(row["method"] for row in stored["rows"])), 400)


def other_spaces(root: Path) -> Chart:
    """Best by validation over evaluations."""
    panels = []
    for name, title, unit in (
        ("search_enas6", "ENAS macro, 6 layers", "weight-sharing accuracy"),
        ("search_nasbench101", "NAS-Bench-101", "validation accuracy of one run, %"),
    ):
        stored = _stored(name, root)
        marks = [25, 50, 96, stored["settings"]["budget"]]
        rows = sorted(stored["rows"], key=lambda row: list(METHODS).index(row["method"]))
        series = [
            {
                "name": _title(row["method"]),
                "x": marks,
                "y": [row[f"validation@{mark}"] for mark in marks],
                "errors": None,
            }
            for row in rows
        ]
        panels.append(
            {"title": f"{title}, mean of 10 runs", "x": "evaluations", "y": unit, "log": False, "series": series}
        )
    return _lines(*panels)


def graphpnas(root: Path) -> Chart:
    """Final test accuracy by variant."""
    rows = _stored("graphpnas", root)["rows"]
    panels = []
    for data, title in NB201.items():
        mine = [row for row in rows if row["data"] == data]
        names = ["authors' logs" if not row["runs"] else titled(row["method"]) for row in mine]
        series = [_series("", [row["final_test"] for row in mine], [row["final_test_sd"] for row in mine], digits=2)]
        panels.append({"title": title, "rows": names, "series": series, "x": "test accuracy, %"})
    return _dots(*panels)


def randwire(root: Path) -> Chart:
    """Best five trained again, last thirty drawn."""
    rows = _stored("randwire", root)["rows"]
    names = [titled(row["method"]) for row in rows]
    panels = []
    for key, title in (("top_test", "best five trained again, test accuracy, %"), ("drawn_last", "last 30 drawn, %")):
        series = [_series("", [row[key] for row in rows], [row[f"{key}_sd"] for row in rows], digits=2)]
        panels.append({"title": title, "rows": names, "series": series})
    return _dots(*panels)


def published_systems(root: Path) -> Chart:
    """Test accuracy after about a hundred evaluations on NAS-Bench-201, each system by its own protocol."""
    rows = _stored("papers", root)["rows"]
    panels = []
    for title in DATA.values():
        mine = [
            row for row in rows if row["comparison"] == "search" and row["data"] == title and "test" in row["measure"]
        ]
        names = list(dict.fromkeys(_protocol(row) for row in mine))
        series = []
        for origin in ("measured here", "published"):
            found = {_protocol(row): row for row in mine if row["origin"] == origin}
            values = [found[name]["value"] if name in found else None for name in names]
            errors = [found[name].get("value_sd") if name in found else None for name in names]
            series.append(_series(origin, values, errors, digits=2))
        panels.append({"title": title, "rows": names, "series": series, "x": "test accuracy, %"})
    return _dots(*panels)


def _protocol(row: dict[str, Any]) -> str:
    """A system with its budget, and published rows apart from those measured here."""
    origin = "" if row["origin"] == "measured here" else f"{row['origin']}, "
    return f"{row['system']}, {origin}{row['measure'].split(' after ')[1].split(';')[0]}"


def speed(root: Path) -> Chart:
    """The fastest batch of each."""
    rows = _stored("throughput", root)["rows"]
    panels = []
    for what, title in (("train", "training"), ("encode", "encoding"), ("decode", "decoding")):
        best: dict[str, dict[str, Any]] = {}
        for row in rows:
            known = best.get(row["implementation"])
            if row["what"] == what and (known is None or row["graphs_per_cpu_second"] > known["graphs_per_cpu_second"]):
                best[row["implementation"]] = row
        values = [row["graphs_per_cpu_second"] for row in best.values()]
        names = [f"{AUTHORS if name == 'authors' else name}, batch {row['batch']}" for name, row in best.items()]
        panels.append(
            {"title": f"{title}, cells per CPU second", "rows": names, "series": [_series("", values, digits=0)]}
        )
    return _bars(*panels)


CHARTS: dict[str, Callable[[Path], Chart]] = {
    "checkpoints": checkpoints,
    "latent-quality": latent_quality,
    "kl-weight": kl_weight,
    "validity": validity,
    "generation": generation,
    "prediction": prediction,
    "extrapolation": extrapolation,
    "search": search,
    "ablation": ablation,
    "other-spaces": other_spaces,
    "graphpnas": graphpnas,
    "randwire": randwire,
    "published-systems": published_systems,
    "speed": speed,
}
