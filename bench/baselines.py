"""SVGe, D-VAE, GCN and DGMG with one-hot and learned operations on D-VAE's ENAS cells, beside the published rows.

``bench baselines --csv FILE`` (columns arch and ws_acc; rows with 0 in a column in_dvae_set are left out). All models
are trained on D-VAE's 17,118 training cells with the same settings (DGMG with a learning rate of 1e-3, since its loss
diverges at the others' 5e-3); held-out cells are D-VAE's 1,902. Reconstruction: held-out cells, ten decodings of each
of ten times the posterior mean, exact match. Validity and uniqueness: 1,000 prior points scaled to the mean and
deviation of the training latents, ten decodings each, unconstrained. Probe: a sparse Gaussian process on the training
cells' latents, RMSE of the standardised weight-sharing accuracy and Pearson's r on the held-out cells, ten seeds.

Training is kept at every minute below ``--state`` and every finished model at once in the results file: the same
command goes on after a kill.
"""

import argparse
import re
import shutil
import sys
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch

from bench.harness.baseline_runs import VARIANTS, Settings, dvae_split, measure
from bench.harness.results import command, read_results, report, save_results
from svge_core.errors import DataError, SvgeError
from svge_core.predictors import summarise_draws

NAME = "baselines"
COLUMNS = [
    "model",
    "source",
    "seeds",
    "reconstruction",
    "validity",
    "uniqueness",
    "novelty",
    "rmse_standardised",
    "pearson_r",
    "parameters",
    "cpu_seconds",
]
MEASURES = ("reconstruction", "validity", "uniqueness", "novelty", "rmse_standardised", "pearson_r", "cpu_seconds")
#: poster of Chatzianastasis et al. (2021): reconstruction, validity, uniqueness (per cent), RMSE, Pearson's r, each of
#: the last two with the deviation over ten seeds of the sparse Gaussian process; one training seed, 300 epochs
POSTER = {
    "D-VAE": (99.96, 100.0, 37.26, 0.384, 0.002, 0.920, 0.001),
    "GCN": (98.70, 99.53, 34.00, 0.485, 0.006, 0.870, 0.001),
    "S-VAE": (99.98, 100.0, 37.03, 0.478, 0.002, 0.873, 0.001),
    "GraphRNN": (99.85, 99.84, 29.77, 0.726, 0.002, 0.669, 0.001),
    "D-VAE-EMB": (99.99, 100.0, 39.15, 0.371, 0.003, 0.925, 0.001),
    "GCN-EMB": (98.87, 99.95, 32.63, 0.441, 0.002, 0.892, 0.001),
}
#: the probes differ, so a lower error here is not the model's merit alone
PUBLISHED = (
    "published: poster of Chatzianastasis et al. 2021 (hidden 501, latent 56, 300 epochs; D-VAE's sparse GP, Adam "
    "5e-4, 100 passes; ± over probe seeds)"
)
MEASURED = "measured here (sparse GP with a length scale per dimension, Adam 0.05; ± over training seeds)"


def published_rows() -> list[dict[str, Any]]:
    """The poster's table as shares."""
    names = ("reconstruction", "validity", "uniqueness")
    rows = []
    for model, (*shares, rmse, rmse_sd, r, r_sd) in POSTER.items():
        found = {name: round(value / 100, 6) for name, value in zip(names, shares, strict=True)}
        probe = {"rmse_standardised": rmse, "rmse_standardised_sd": rmse_sd, "pearson_r": r, "pearson_r_sd": r_sd}
        rows.append({"model": model, "source": PUBLISHED, **found, **probe})
    return rows


def measured_rows(runs: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Per model the mean over training seeds; the runs themselves are kept in the row."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for run in sorted(runs, key=lambda run: (list(VARIANTS).index(run["model"]), run["seed"])):
        groups.setdefault(run["model"], []).append(run)
    return [
        {
            "model": model,
            "source": MEASURED,
            "seeds": [run["seed"] for run in group],
            **summarise_draws([{key: run[key] for key in MEASURES} for run in group], MEASURES),
            "parameters": group[0]["parameters"],
            "runs": group,
        }
        for model, group in groups.items()
    ]


def paired_rows(measured: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Learned minus one-hot operations of the same model at equal training seeds: mean and deviation of the pairs."""
    by_name = {row["model"]: {run["seed"]: run for run in row["runs"]} for row in measured}
    rows = []
    for name, learned in by_name.items():
        plain = by_name.get(name.removesuffix("-EMB"), {})
        shared = sorted(set(learned) & set(plain)) if name.endswith("-EMB") else []
        if shared:
            differences = [_minus(learned[seed], plain[seed]) for seed in shared]
            title = f"{name} minus {name.removesuffix('-EMB')}"
            source = "measured here, paired by training seed (± over pairs)"
            rows.append({"model": title, "source": source, "seeds": shared, **summarise_draws(differences, MEASURES)})
    return rows


def _minus(a: dict[str, Any], b: dict[str, Any]) -> dict[str, float | None]:
    """Differences of all measures; None where one of the two has none."""
    return {key: None if a[key] is None or b[key] is None else a[key] - b[key] for key in MEASURES}


def all_rows(runs: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Measured, paired, published."""
    measured = measured_rows(runs)
    return [*measured, *paired_rows(measured), *published_rows()]


def stored_runs(name: str, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Finished runs of earlier calls.

    Raises:
        DataError: if they were made with other settings.
    """
    content = read_results(name)
    if content is None:
        return []
    for key, value in settings.items():
        if content["settings"].get(key) != value:
            raise DataError(
                f"{name}.json holds runs with {key} {content['settings'].get(key)!r}, not {value!r}: "
                "give the same settings or another --name."
            )
    return [run for row in content["rows"] for run in row.get("runs", ())]


def main(argv: list[str] | None = None) -> int:
    """Run what is missing, print, save."""
    parser = argparse.ArgumentParser(prog="bench baselines", description=__doc__)
    parser.add_argument("--csv", type=Path, required=True, help="D-VAE's cells: columns arch and ws_acc")
    parser.add_argument("--models", nargs="+", default=list(VARIANTS), choices=list(VARIANTS), metavar="MODEL")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3], help="training seeds")
    parser.add_argument("--state", type=Path, default=Path("runs/baselines"), help="folder of unfinished trainings")
    parser.add_argument("--name", default=NAME, help="of the results file")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    for item in fields(Settings):
        parser.add_argument(f"--{item.name.replace('_', '-')}", type=type(item.default), default=item.default)
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    settings = Settings(**{item.name: getattr(arguments, item.name) for item in fields(Settings)})
    try:
        split = dvae_split(arguments.csv)
        shown = {
            "data": f"D-VAE's ENAS cells, {len(split.train):,} trained on and {len(split.test):,} held out (its split, "
            "seed 0); labels are weight-sharing accuracies, measured",
            "protocol": "same settings for all models, but DGMG's learning rate is 1e-3; one thread; seeds are "
            "training seeds, the probe's seeds are "
            f"0 to {settings.probe_seeds - 1}",
            **asdict(settings),
        }
        runs = stored_runs(arguments.name, shown)
        # the file gathers several calls: which models and seeds one of them asked for is no part of how it was made
        words = re.sub(r" --(models|seeds|state)( (?!--)\S+)+", "", command("baselines", argv))
        done = {(run["model"], run["seed"]) for run in runs}
        for seed in arguments.seeds:  # all models of a seed first: differences are paired by seed
            for model in arguments.models:
                if (model, seed) in done:
                    continue
                folder = arguments.state / f"{arguments.name}-{model}-{seed}"
                runs.append(measure(VARIANTS[model], seed, settings, split, folder))
                save_results(arguments.name, all_rows(runs), shown, words)
                shutil.rmtree(folder)
                sys.stderr.write("\n")
    except SvgeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    report(arguments, all_rows(runs), COLUMNS)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
