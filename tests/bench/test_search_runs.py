"""What the search benchmark runs: its tasks, and that a run stops at the best value of the table."""

import argparse
from pathlib import Path

import pandas as pd
import pytest

from bench.harness.search_runs import run
from bench.search import tasks
from svge_core.spaces import get_space

PLAIN = Path("checkpoints/nasbench201/svge")


def asked(**given: object) -> argparse.Namespace:
    words = {"space": "nasbench201", "csv": Path("t.csv"), "score": "", "notation": "index", "checkpoint": PLAIN}
    return argparse.Namespace(**{**words, "data": ["cifar10", "cifar100"], **given})


def test_a_score_of_ones_own_takes_the_place_of_the_data_sets() -> None:
    assert list(tasks(asked())) == ["cifar10", "cifar100"]
    (task,) = tasks(asked(score="size")).values()
    assert (task.validation, task.test, task.restricted) == ("size", "", False)
    (task,) = tasks(asked(space="enas6", notation="genes", score="ws_acc")).values()
    assert (task.notation, task.restricted) == ("genes", True)


@pytest.mark.parametrize("method", ["random", "latent-bo, latents alone"])
def test_a_run_stops_at_the_best_value_of_the_table(method: str, tmp_path: Path) -> None:
    space = get_space("nasbench201")
    flops = [space.cost(space.from_index(index)).flops_m for index in range(15_625)]
    best = max(flops)
    # one of every eight cells is the best, so that any method meets one
    values = [best + 1 if index % 8 == 3 else flops[index] for index in range(15_625)]
    pd.DataFrame({"index": range(15_625), "size": values}).to_csv(tmp_path / "t.csv", index=False)
    (task,) = tasks(asked(csv=tmp_path / "t.csv", score="size")).values()
    found = run(task, method, 0, 100, 1)
    assert found["hit"] == found["evaluations"] <= 100
    assert found["validation"][-1] == pytest.approx(best + 1)
