"""Searches by real training on digits, with and without early stops: ``python -m bench.real_training``.

Every run trains its cells with the seed of the run, and chooses the best by validation accuracy. The cell that it chose
is trained again with three seeds that no search uses, and only those test accuracies are reported: the best of many
noisy numbers is too high. A training that was stopped early counts as an evaluation and has no value; no method sees
what it had reached. Finished runs are kept in the results file at once, and a second call goes on.
"""

import argparse
import contextlib
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.harness.results import command, print_table, read_results, save_results
from svge_core.checkpoints import Checkpoint, load_checkpoint
from svge_core.network_training import ImageData, TrainRecipe, read_recipe, train_network
from svge_core.search import Domain, History, Observation
from svge_core.search.objectives import PrunedError, TrainedInProcess
from svge_core.search.runs import PRUNERS, EarlyStops
from svge_core.search.searchers import METHODS, make_searcher, rng_for
from svge_core.spaces import AbstractSearchSpace, get_space

NAME = "real_training"
#: small enough that one training takes about a second; cells differ by more than a run's chance
RECIPES = {
    "nasbench201": "epochs=4,channels=4",
    "randwire": "epochs=3,channels=8,learning_rate=0.05,batch_size=32",
}
COMPARED = ("latent-bo", "gp", "local-search", "random")
#: the first seed of the trainings that are reported; no search uses it
FRESH, AGAIN = 1_000, 3
COLUMNS = ["space", "method", "early stops", "seeds", "test", "test_sd", "full", "stopped", "seconds", "cpu_seconds"]


class Judge:
    """A run's objective: trains with the run's seed, and stops poor cells early where it is told to."""

    def __init__(self, space: AbstractSearchSpace, recipe: str, seed: int, prune: str) -> None:
        self.objective = TrainedInProcess(f"digits:{recipe},seed={seed}", space)
        epochs = self.objective.recipe.epochs
        self.stops = EarlyStops(prune, epochs, "max") if prune else None
        self.space = space

    def __call__(self, cell: Any) -> float | None:
        """Validation accuracy in percent; None if the training was stopped early."""
        if self.stops is None:
            return self.objective.evaluate(cell)[0]
        staged, value = self.stops.begin(self.space.format(cell)), None
        with contextlib.suppress(PrunedError):
            value = self.objective.evaluate(cell, staged.go_on)[0]
        staged.end(value, pruned=value is None)
        return value


def played(
    space: AbstractSearchSpace, checkpoint: Checkpoint | None, method: str, seed: int, budget: int, prune: str
) -> dict[str, Any]:
    """One run: what it chose, and what that is worth."""
    recipe = RECIPES[space.name]
    domain = Domain(space, distinct=True)
    searcher = make_searcher(method, domain, checkpoint)
    judge = Judge(space, recipe, seed, prune)
    history, clock, cpu = History(), time.monotonic(), os.times()
    while len(history) + len(history.failed) < budget:
        at = len(history) + len(history.failed)
        proposals = searcher.propose(history, 1, rng_for(seed, at))
        if not proposals:
            break
        cell = proposals[0].cell
        value = judge(cell)
        if value is None:
            history = replace(history, failed=(*history.failed, cell))
        else:
            history = replace(history, observations=(*history.observations, Observation(at, cell, (value,))))
    seconds, now = time.monotonic() - clock, os.times()
    best = max(history.observations, key=lambda each: each.values[0])
    again = trained_again(space, best.cell, judge.objective.data, read_recipe(recipe))
    return {
        "seed": seed,
        "cell": space.format(best.cell),
        "validation": best.values[0],
        "test again": again,
        "full": len(history),
        "stopped": len(history.failed),
        "seconds": seconds,
        "cpu_seconds": now.user - cpu.user + now.system - cpu.system,
    }


def trained_again(space: AbstractSearchSpace, cell: Any, data: ImageData, recipe: TrainRecipe) -> list[float]:
    """Test accuracies in percent with seeds that no search uses."""
    found = train_network(space, cell, data, replace(recipe, seed=FRESH, seeds=AGAIN))
    return [run.test for run in found.runs]


def rows_of(kept: dict[tuple[str, str, str, int], dict[str, Any]]) -> list[dict[str, Any]]:
    """One row per space, method and way of early stops, with its runs."""
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for (space, method, prune, _), found in sorted(kept.items(), key=lambda item: item[0][3]):
        groups.setdefault((space, method, prune), []).append(found)
    rows = []
    for (space, method, prune), runs in sorted(groups.items()):
        tests = [float(np.mean(found["test again"])) for found in runs]
        means = {name: float(np.mean([found[name] for found in runs])) for name in ("full", "stopped")}
        means |= {name: float(np.mean([found[name] for found in runs])) for name in ("seconds", "cpu_seconds")}
        spread = float(np.std(tests, ddof=1)) if len(tests) > 1 else None
        named = {"space": space, "method": method, "early stops": prune or "none", "seeds": len(runs)}
        rows.append({**named, "test": float(np.mean(tests)), "test_sd": spread, **means, "runs": runs})
    return rows


def main(argv: list[str] | None = None) -> int:
    """Run what is missing, print, save after every run."""
    parser = argparse.ArgumentParser(prog=f"python -m bench.{NAME}", description=__doc__)
    parser.add_argument("--spaces", nargs="+", default=list(RECIPES), choices=list(RECIPES))
    parser.add_argument("--methods", nargs="+", default=list(COMPARED), choices=list(METHODS))
    parser.add_argument("--early-stops", nargs="+", default=["none", "asha"], choices=["none", *PRUNERS])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--budget", type=int, default=60, help="evaluations, those that are stopped early included")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    settings = {
        "data": "digits: 897 trained on, 450 validation, 450 test images",
        "recipes": {name: read_recipe(words).to_dict() for name, words in RECIPES.items()},
        "budget": arguments.budget,
        "trained_again": f"{AGAIN} seeds from {FRESH}",
        "protocol": "chosen by validation; test of the chosen cell, trained again with other seeds",
    }
    before = read_results(NAME)
    kept = {}
    if before is not None and before["settings"] == settings:
        for row in before["rows"]:
            prune = "" if row["early stops"] == "none" else row["early stops"]
            kept |= {(row["space"], row["method"], prune, found["seed"]): found for found in row["runs"]}
    for seed in range(arguments.seeds):  # seeds outside: what is done at any time compares alike
        for name in arguments.spaces:
            space = get_space(name)
            for prune in ["" if way == "none" else way for way in arguments.early_stops]:
                for method in arguments.methods:
                    if (name, method, prune, seed) in kept:
                        continue
                    checkpoint = None
                    if METHODS[method].needs_checkpoint:
                        checkpoint = load_checkpoint(Path("checkpoints") / name / "svge")
                    kept[name, method, prune, seed] = played(space, checkpoint, method, seed, arguments.budget, prune)
                    save_results(NAME, rows_of(kept), settings, command(NAME, []))
                    sys.stderr.write(f"{name} {method} {prune or 'none'} seed {seed}\n")
    print_table(rows_of(kept), COLUMNS)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
