"""The papers' comparisons in one table: what the other benchmarks measured here, beside the published rows.

Three comparisons: how well architectures are generated (ENAS), how much of their accuracy the latent holds (ENAS), and
how good the found ones are (NAS-Bench-201, and what the papers report elsewhere). Nothing is computed afresh: numbers
come from ``bench/results/*.json`` and from the checkpoints' ``meta.json``, and each says from which. Run ``bench
baselines``, ``bench latent_probe``, ``bench search``, ``bench graphpnas`` and ``bench randwire`` first; what is missing
is named.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.baselines import published_rows
from bench.harness.results import command, read_results, report, save_results
from svge_core.checkpoints import by_key, generation_key, load_meta, reconstruction_key
from svge_core.errors import SvgeError
from svge_core.search.searchers import METHODS, PublishedOptions

COLUMNS = ["space", "comparison", "data", "system", "measure", "value", "seeds", "origin", "source"]
HERE, PUBLISHED = "measured here", "published"
GENERATIVE, PROBE, SEARCH = "generative quality", "predictive probe", "search"
ENAS6, ENAS = "enas6", "ENAS macro, 6 layers"
NB201 = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "imagenet16": "ImageNet16-120"}
GENERATED = {
    "reconstruction": "exact reconstruction of held-out cells, share",
    "validity": "valid prior samples, share",
    "uniqueness": "distinct among the valid, share",
    "novelty": "not trained on, among the valid, share",
}
PROBED = {"rmse_standardised": "RMSE of standardised weight-sharing accuracy", "pearson_r": "Pearson r"}
#: rows of a checkpoint's metrics that stand for the first table's measures
OF_CHECKPOINT = {
    "reconstruction": reconstruction_key("forward", "sampled"),
    "validity": generation_key("valid", "forward", "raw", 1_000, 10),
    "uniqueness": generation_key("unique", "forward", "raw", 1_000, 10),
    "novelty": generation_key("novel", "forward", "raw", 1_000, 10),
}
#: of ``bench randwire``; trained again: with seeds that no search used
TRAINED = {
    "top_validation": "validation accuracy, %, best five trained again",
    "top_test": "test accuracy, %, best five trained again",
    "drawn_last": "validation accuracy, %, last 30 evaluations",
}
#: evaluations at which searches are compared: the stored mark nearest to GraphPNAS's 100
MARK = 96
_QUERIES = "test accuracy, %, after 100 queries; chosen by 12-epoch or single-seed accuracies"
_LOGS, _POSTER = "authors' logs and results", "poster of Chatzianastasis et al. 2021"
_FOUND = f"test accuracy, %, after {MARK} evaluations; chosen by 200-epoch validation means"
_BEYOND = "accuracy, %, best extrapolated cell"
_FULL, _BEST = "ENAS, trained in full on CIFAR-10", "test accuracy, %, best cell"
#: (space, data, system, measure, value, sample deviation, seeds, source); only what papers and logs say
OTHERS = (
    ("nasbench201", "CIFAR-10", "GraphPNAS", _QUERIES, 94.344, 0.052, 10, _LOGS),
    ("nasbench201", "CIFAR-100", "GraphPNAS", _QUERIES, 73.345, 0.230, 5, _LOGS),
    ("nasbench201", "ImageNet16-120", "GraphPNAS", _QUERIES, 46.495, 0.216, 10, _LOGS),
    ("enas6", _FULL, "D-VAE-EMB", _BEST, 95.35, None, None, _POSTER),
    ("enas6", _FULL, "D-VAE", _BEST, 94.80, None, None, _POSTER),
    (
        "nasbench101",
        "NAS-Bench-101, 8 vertices, trained on CIFAR-10",
        "SVGe",
        _BEYOND,
        95.18,
        None,
        None,
        "Lukasik et al. 2021, introduction",
    ),
)

#: what is asked of a measure; where several share a question, they stand in one section of the Results page
QUESTIONS = {
    GENERATED["reconstruction"]: "How many held-out cells come back exactly?",
    GENERATED["validity"]: "How many samples of the prior are valid cells?",
    GENERATED["uniqueness"]: "How many of the valid samples are distinct?",
    GENERATED["novelty"]: "How many of the valid samples are new, not trained on?",
    PROBED["rmse_standardised"]: "How far off is the accuracy that is predicted from the latent?",
    PROBED["pearson_r"]: "How well do predictions from the latent correlate with accuracy?",
    _FOUND: f"How good is the architecture that a search finds in {MARK} evaluations?",
    _QUERIES: "What do searches find by GraphPNAS's own protocol, in 100 queries?",
    _BEST: "How good is the best architecture, trained in full?",
    _BEYOND: "How good is the best architecture beyond the sizes that were trained on?",
    TRAINED["top_validation"]: "How good are the five best wirings, trained again?",
    TRAINED["top_test"]: "How good are the five best wirings, trained again?",
    TRAINED["drawn_last"]: "How good are the wirings that are evaluated last?",
}
#: of the measures above, those where less is better
LESS = {PROBED["rmse_standardised"]}

PlainRow = dict[str, Any]


def _row(
    space: str,
    comparison: str,
    data: str,
    system: str,
    measure: str,
    found: Mapping[str, Any],
    key: str,
    origin: str,
    source: str,
) -> Iterator[PlainRow]:
    """The row of one number, if it is there."""
    if found.get(key) is not None:
        seeds = found.get("seeds")
        yield {
            "space": space,
            "comparison": comparison,
            "data": data,
            "system": system,
            "measure": measure,
            "question": QUESTIONS[measure],
            "direction": "min" if measure in LESS else "max",
            "value": float(found[key]),
            "value_sd": found.get(f"{key}_sd"),
            "seeds": len(seeds) if isinstance(seeds, list) else seeds,
            "origin": origin,
            "source": source,
        }


def _named(content: Mapping[str, Any]) -> str:
    return f"{content['command']}, {content['date']}"


#: variants of GraphPNAS in ``bench graphpnas`` that are no search methods of their own
VARIANTS = {
    "graphpnas-as-logged": "GraphPNAS, as logged",
    "graphpnas-distinct": "GraphPNAS, no equivalents",
}


def titled(method: str) -> str:
    """A search method as people read it."""
    if method in VARIANTS:
        return VARIANTS[method]
    return METHODS[method].title if method in METHODS else method[:1].upper() + method[1:]


def enas_rows(content: Mapping[str, Any] | None) -> Iterator[PlainRow]:
    """Models and paired differences of ``bench baselines``, and the poster's table."""
    measured = [] if content is None else [row for row in content["rows"] if row["source"].startswith(HERE)]
    source = "" if content is None else _named(content)
    for comparison, measures in ((GENERATIVE, GENERATED), (PROBE, PROBED)):
        for key, measure in measures.items():
            for row in measured:
                yield from _row(ENAS6, comparison, ENAS, row["model"], measure, row, key, HERE, source)
            for row in published_rows():
                yield from _row(ENAS6, comparison, ENAS, row["model"], measure, row, key, PUBLISHED, row["source"])


def checkpoint_rows(folder: Path, probe: Mapping[str, Any] | None) -> Iterator[PlainRow]:
    """The shipped model: its own metrics (other training cells than D-VAE's), and its latent probed."""
    system = "SVGe, shipped"
    try:
        rows = by_key(load_meta(folder)[0].metrics)
    except SvgeError:
        rows = {}  # no such checkpoint here
    for key, row_key in OF_CHECKPOINT.items():
        found = {"value": rows[row_key].value if row_key in rows else None, "seeds": 1}
        source = "evaluate; other training and held-out cells than D-VAE's split"
        yield from _row(ENAS6, GENERATIVE, ENAS, system, GENERATED[key], found, "value", HERE, source)
    if probe is not None:
        for key, measure in PROBED.items():
            source = f"{_named(probe)}; ± over random splits"
            for row in probe["rows"]:
                probed = system if row["checkpoint"] == folder.name else f"SVGe, {row['checkpoint']}"
                yield from _row(ENAS6, PROBE, ENAS, probed, measure, {**row, "seeds": 1}, key, HERE, source)


def search_rows(searches: Mapping[str, Any] | None, generator: Mapping[str, Any] | None) -> Iterator[PlainRow]:
    """Test accuracy on NAS-Bench-201 by our searches and by GraphPNAS's protocol, and the published results."""
    if searches is not None:
        for row in searches["rows"]:
            if row["data"] in NB201 and row["method"] in METHODS:
                yield from _row(
                    "nasbench201",
                    SEARCH,
                    NB201[row["data"]],
                    titled(row["method"]),
                    _FOUND,
                    row,
                    f"test@{MARK}",
                    HERE,
                    _named(searches),
                )
    if generator is not None:
        for row in generator["rows"]:
            if row.get("runs"):  # the authors' own logs have none, and are among the published rows
                source = f"{_named(generator)}; the authors' protocol"
                yield from _row(
                    "nasbench201",
                    SEARCH,
                    NB201[row["data"]],
                    titled(row["method"]),
                    _QUERIES,
                    row,
                    "final_test",
                    HERE,
                    source,
                )
    for space, data, system, measure, value, spread, seeds, source in OTHERS:
        found = {"value": value, "value_sd": spread, "seeds": seeds}
        yield from _row(space, SEARCH, data, system, measure, found, "value", PUBLISHED, source)


def digits_rows(content: Mapping[str, Any] | None) -> Iterator[PlainRow]:
    """Searches of RandWire by real training on digits; nobody has published any, so they stand alone."""
    for row in [] if content is None else content["rows"]:
        data = f"RandWire-digits, {row['evaluations']} trained networks per run"
        for key, measure in TRAINED.items():
            yield from _row(
                "randwire", SEARCH, data, titled(row["method"]), measure, row, key, HERE, _named(content or {})
            )


def main(argv: list[str] | None = None) -> int:
    """Collect, print, save."""
    parser = argparse.ArgumentParser(prog="bench papers", description=__doc__)
    parser.add_argument(
        "--checkpoint", type=Path, default=Path("checkpoints/enas6/svge"), help="(default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args(argv)
    names = ("baselines", "latent_probe_enas6", "search", "graphpnas", "randwire")
    content = {name: read_results(name) for name in names}
    missing = [name for name, found in content.items() if found is None]
    for name in missing:
        sys.stderr.write(f"bench/results/{name}.json is not there: its rows are left out; run that benchmark first.\n")
    rows = [
        *enas_rows(content["baselines"]),
        *checkpoint_rows(arguments.checkpoint, content["latent_probe_enas6"]),
        *search_rows(content["search"], content["graphpnas"]),
        *digits_rows(content["randwire"]),
    ]
    rows.sort(key=lambda row: (GENERATIVE, PROBE, SEARCH).index(row["comparison"]))
    settings = {
        "reading": "measured and published rows of ENAS differ in size, epochs and optimiser; measured searches count "
        f"every label; SVGe-style begins with {PublishedOptions().initial} random cells, so that its rows after {MARK} "
        "evaluations are those of random search; ± is the sample standard deviation over the seeds named, of a "
        "published probe over probe seeds",
        "left out": ", ".join(missing) or "nothing",
    }
    save_results("papers", rows, settings, command("papers", argv))
    report(arguments, rows, COLUMNS)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
