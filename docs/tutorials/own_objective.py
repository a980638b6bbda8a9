"""Your own objective: every search method as an Optuna sampler, and a durable run that survives a kill."""

import tempfile
from pathlib import Path

import optuna

import svge_core as svge

optuna.logging.set_verbosity(optuna.logging.WARNING)
space = svge.get_space("nasbench201")


# An objective takes a trial and returns a number. Yours would train the cell and return its validation accuracy.
def objective(trial: optuna.Trial) -> float:
    cell = svge.suggest_cell(trial, space)
    return float(cell.ops.count("nor_conv_3x3"))


# `cell_sampler` makes an Optuna sampler of a search method: here a Gaussian process on structure features.
study = optuna.create_study(direction="maximize", sampler=svge.cell_sampler("gp", space, seed=1))
study.optimize(objective, n_trials=20)
best = svge.suggest_cell(study.best_trial, space)
print(f"{study.best_value:g} of 6: {space.format(best)}")

# Optuna's own samplers work on the same objective.
rival = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=1))
rival.optimize(objective, n_trials=20)
print(f"random: {rival.best_value:g} of 6")

# For long runs there is a store. A value is durable the moment it is known, many workers may share the run, and
# `execute` goes on after a kill. A table of measured accuracies stands for the training here.
with tempfile.TemporaryDirectory() as folder:
    storage = f"sqlite:///{Path(folder) / 'searches.db'}"
    config = svge.search.SearchConfig(
        space="nasbench201", objective=("table:cifar10_valid",), method="local-search", budget=30, seed=1, name="first"
    )
    svge.search.create_run(storage, config)
    svge.search.execute(storage, "first")
    run = svge.search.read_run(storage, "first")
    values = [evaluation.values[0] for evaluation in run.done]
    print(f"{len(values)} evaluations, best {max(values):.2f} % validation accuracy on CIFAR-10")
    assert len(values) == 30
