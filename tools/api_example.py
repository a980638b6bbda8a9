"""The public functions, one after another, as a user would call them; CI runs this with the installed wheel.

python api_example.py CHECKPOINT     (a folder of a NAS-Bench-201 model with atlas and predictors)
"""

import sys
from pathlib import Path

import numpy as np
import optuna

import svge_core as svge


def run(folder: str) -> dict[str, object]:
    """Call everything once on small sizes, writing into the working directory; returns what a reader may check."""
    space = svge.get_space("nasbench201")
    a, b = space.from_index(5_000), space.parse(space.format(space.from_index(9_000)))

    model = svge.load_checkpoint(folder, space=space, device="cpu")
    z = model.encode([a, b])
    decoded = model.decode(z, constrained=True, seed=0)
    table = model.predict([a, b], "cifar10_valid")

    explorer = svge.open_explorer(folder)
    inspected = explorer.inspect_cell(a)
    path = svge.interpolate(explorer, a, b, "spherical", stops=5)

    scores = svge.load_scores(space)
    Path("labels.csv").write_text(f"arch,score\n{space.format(a)},91.5\n{space.format(b)},90\n", encoding="utf-8")
    mine = svge.read_scores("labels.csv", space)

    def objective(trial: optuna.Trial) -> float:
        cell = svge.suggest_cell(trial, space)
        return float(scores.frame["cifar10_valid"][space.index(cell)])

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=svge.cell_sampler("evolution", space))
    study.optimize(objective, n_trials=3)

    storage = f"sqlite:///{Path('runs.db').resolve()}"
    config = svge.search.SearchConfig("nasbench201", ("table:cifar10_valid",), "random", budget=4)
    name = svge.search.create_run(storage, config)
    svge.search.execute(storage, name)

    svge.draw(a, space, "cell.svg")
    svge.export([a, b], "cells.json")
    network = svge.build_network(space, a, channels=4, cells_per_stage=1)

    settings = svge.TrainConfig(epochs=2, batch_size=4, cells_per_epoch=6)
    rows: list[object] = []
    trained = svge.train("randwire", "trained", svge.ModelConfig(8, 4, 1), settings, device="cpu", on_row=rows.append)
    small = svge.load_checkpoint(trained.folder, device="cpu")
    refused = False
    try:
        space.parse("no architecture")
    except svge.ParseError:
        refused = True
    return {
        "version": svge.__version__,
        "latents": (z.shape, str(z.dtype)),
        "decoded": decoded == [a, b],
        "predicted": len(table) == 2,
        "inspected": inspected.cell == a,
        "stops": len(path.stops),
        "labels": len(mine.frame),
        "trials": len(study.trials),
        "evaluated": svge.search.read_run(storage, name).evaluated,
        "parameters": sum(weights.numel() for weights in network.parameters()) > 0,
        "epochs": (len(rows), len(trained.meta.history)),
        "trained latents": small.encode([small.space.random_cell(np.random.default_rng(0))]).shape,
        "refused": refused,
    }


if __name__ == "__main__":
    for name, value in run(sys.argv[1]).items():
        sys.stdout.write(f"{name}: {value}\n")
