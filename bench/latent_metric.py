"""How well a Gaussian process ranks by a latent space: ``python -m bench.latent_metric --csv FILE --checkpoints A B``.

For each checkpoint: Kendall tau of the same process, fitted to few labels, on the latents, on the one-hot genotype, on
structure features, on these with the genotype and the size of the network (what the searches' process on structure
sees), on the shipped statistics of untrained networks with that size, and on features and latents. The process, its
targets (normal quantiles of the ranks) and its scaling are those of the Bayesian searches. No label is in a latent. Of
a latent with dimensions for what a cell computes, R2 of these against the numbers that they were trained towards stands
in a row of its own. Distances of equivalent cells and what nearest neighbours predict are measured by ``svge quality``.

Where all cells of the space are labelled, all others are held out; elsewhere labels and so many held-out cells are
drawn from the reporting half of the file (see :mod:`bench.predictor_partial`).
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import kendalltau

from bench.harness.results import command, print_table, results_path, save_results
from bench.predictor_partial import drawn_rows, half
from svge_core.cells import Cell
from svge_core.checkpoints import Checkpoint, load_checkpoint
from svge_core.data import load_scores
from svge_core.data.csv import Labels, read_labels
from svge_core.errors import SvgeError
from svge_core.evaluation import explained
from svge_core.features import log_sizes
from svge_core.predictors import GaussianProcess, fit_parameters
from svge_core.search import Domain
from svge_core.search.searchers.bayesian import Encodings, rank_normal
from svge_core.spaces import AbstractSearchSpace, get_space
from svge_core.tensors import to_batch
from svge_core.training import function_of

SCORES = ("cifar10_valid", "cifar100_valid", "imagenet16_valid")
LABELS = (78, 156, 781)
#: hyper-parameters are fitted on at most so many labels, as the predictors do
MOST = 300
COLUMNS = ["checkpoint", "representation", "score", "labels", "draws", "kendall_tau", "minus_structure", "pairs_sd"]
COLUMNS += ["components", "components_r2"]
Groups = list[np.ndarray]


def tau(groups: Groups, values: np.ndarray, seen: np.ndarray, others: np.ndarray) -> float:
    """Kendall tau on other cells of a process fitted to those that were seen, both by their rows."""
    targets = rank_normal(values[seen])
    chosen = seen[:MOST]
    parameters = fit_parameters([group[chosen] for group in groups], rank_normal(values[chosen]))
    process = GaussianProcess(parameters, [group[seen] for group in groups], targets)
    means, _ = process.predict([group[others] for group in groups])
    return float(np.asarray(kendalltau(means, values[others]))[0])


def components_r2(checkpoint: Checkpoint, cells: list[Cell], known: np.ndarray) -> float:
    """Share of the variance of the scaled components that the latent's own dimensions for them hold."""
    model = checkpoint.model
    return explained(known, function_of(model, to_batch(model.space, cells)).cpu().numpy())


def representations(encodings: Encodings, cells: list[Cell]) -> dict[str, Groups]:
    """What a process may see of all cells, by name."""
    found = {"one-hot": [encodings.one_hot(cells)], "structure": encodings.features(cells)}
    found["structure, genes, size"] = encodings.groups(cells, "structure")
    for name in encodings.representations:
        if name in ("function", "latent"):
            found[name] = encodings.groups(cells, name)
    found["both"] = [*found["structure"], *found["latent"]]
    return found


def statistics(space: AbstractSearchSpace) -> Groups:
    """Shipped statistics of untrained networks and the size of the network, each group of variance 1 over all cells."""
    frame = load_scores(space).frame
    names = [str(name) for name in frame if str(name).startswith("untrained_")]
    if not names:
        return []
    table = frame[names].to_numpy()
    table = np.where(np.isnan(table), np.nanmin(table, axis=0), table)  # nothing flows: the lowest there is
    sizes = log_sizes(space, [space.from_index(index) for index in range(len(table))])
    return [(group - group.mean(axis=0)) / group.std(axis=0) / group.shape[1] ** 0.5 for group in (table, sizes)]


def rows_of(
    folder: Path, space: AbstractSearchSpace, tables: dict[str, Labels], labels: list[int], held_out: int, draws: int
) -> list[dict[str, Any]]:
    """All rows of one checkpoint; ``minus_structure`` is the mean paired difference, with its standard deviation."""
    checkpoint = load_checkpoint(folder, space=space.name)
    encodings = Encodings(Domain(space), checkpoint)
    name, known, rows = f"{folder.parent.name}/{folder.name}", statistics(space), []
    for score, table in tables.items():
        cells = [space.from_index(int(index)) for index in table.indices]
        seen_as = representations(encodings, cells)
        if known:
            seen_as["untrained statistics, size"] = [group[table.indices] for group in known]
        if (count := checkpoint.model.config.function) and not rows:
            r2 = components_r2(checkpoint, cells, encodings.latents(cells)[:, -count:])
            rows.append({"checkpoint": name, "representation": "function", "components": count, "components_r2": r2})
        for count in labels:
            drawn = [drawn_rows(table, count, held_out or len(cells) - count, draw) for draw in range(draws)]
            found = {
                what: np.array([tau(groups, table.values, *sides) for sides in drawn])
                for what, groups in seen_as.items()
            }
            for what, taus in found.items():
                apart = taus - found["structure"]
                rows.append(
                    {
                        "checkpoint": name,
                        "representation": what,
                        "score": score,
                        "labels": count,
                        "draws": draws,
                        "kendall_tau": float(taus.mean()),
                        "kendall_tau_sd": float(taus.std(ddof=1)) if draws > 1 else None,
                        "minus_structure": float(apart.mean()),
                        "pairs_sd": float(apart.std(ddof=1)) if draws > 1 else None,
                    }
                )
            sys.stderr.write(f"\r{name}, {score}, {count} labels ")
    return rows


def main(argv: list[str] | None = None) -> int:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(prog="python -m bench.latent_metric", description=__doc__)
    parser.add_argument("--csv", type=Path, required=True, help="label table")
    parser.add_argument("--space", default="nasbench201")
    parser.add_argument("--held-out", type=int, default=0, help="so many cells of the file's reporting half")
    parser.add_argument("--checkpoints", type=Path, nargs="+", default=[Path("checkpoints/nasbench201/svge")])
    parser.add_argument("--scores", nargs="+", default=list(SCORES))
    parser.add_argument("--labels", type=int, nargs="+", default=list(LABELS))
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--name", default="latent_metric", help="of the results file")
    arguments = parser.parse_args(argv)
    try:
        space, held_out = get_space(arguments.space), arguments.held_out
        tables = {score: read_labels(arguments.csv, score, space) for score in arguments.scores}
        tables = {score: half(table, design=False) if held_out else table for score, table in tables.items()}
    except SvgeError as error:
        parser.error(str(error))
    settings = {
        "labels": arguments.csv.name,
        "held_out": f"{held_out:,} cells of the reporting half" if held_out else "all other cells",
        "seeds": f"draws 0 to {arguments.draws - 1}, the same for every representation",
        "process": "sum of Matern-5/2 per group and of all, fitted anew to each draw; hyper-parameters on at most "
        f"{MOST} labels",
    }
    rows, so_far = list[dict[str, Any]](), f"{arguments.name}_so_far"
    for folder in arguments.checkpoints:
        try:
            rows += rows_of(folder, space, tables, arguments.labels, held_out, arguments.draws)
        except SvgeError as error:
            parser.error(str(error))
        # what took half an hour is not lost with the next one; under the name itself stand complete results alone
        save_results(so_far, rows, settings, command("latent_metric", argv))
    save_results(arguments.name, rows, settings, command("latent_metric", argv))
    results_path(so_far).unlink()
    print_table(rows, COLUMNS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
