"""Searches on a real Ray cluster: the same proposals, a node and a driver killed, deaths and failures kept."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from svge_core.__main__ import main
from svge_core.cluster.connection import connected
from svge_core.cluster.evaluations import Needs, RayEvaluations, evaluations_on_ray
from svge_core.errors import SvgeError
from svge_core.search.runs.deaths import MAX_DEATHS
from svge_core.search.runs.dispatch import execute_elsewhere
from svge_core.search.runs.manage import create_run
from svge_core.search.runs.preparing import ObjectiveRecipe
from svge_core.search.runs.reading import read_run
from svge_core.search.runs.types import RunView, SearchConfig
from tests.cluster.conftest import STORE_BYTES
from tests.support.cluster_objectives import HERE, lines, log_of
from tests.support.paths import ROOT
from tests.support.runs import SPACE, config, consistent, execute, started
from tests.support.waiting import PATIENCE, until

#: proposals of this search depend on what was found before
RUN: dict[str, Any] = {"method": "local-search", "budget": 10, "batch": 3, "seed": 5}
EVALUATIONS = 40


def story(view: RunView) -> list[tuple[int, str, tuple[float, ...] | None]]:
    return [(e.number, e.notation, e.values) for e in view.evaluations]


def on_cluster(storage: str, name: str, most: int | None = None) -> str:
    return execute_elsewhere(storage, name, evaluations_on_ray(Needs(1), most), allow_python=True)


@pytest.mark.usefixtures("lasting")
def test_one_worker_proposes_what_the_single_machine_does(storage: str) -> None:
    here, there = (started(storage, **RUN) for _ in range(2))
    execute(storage, here)
    assert on_cluster(storage, there, 1) == "finished"
    assert story(read_run(storage, there)) == story(read_run(storage, here))
    consistent(storage, there)


@pytest.mark.usefixtures("lasting")
def test_a_node_is_killed_and_nothing_is_lost_or_evaluated_twice(storage: str, cluster: Any) -> None:
    log, doomed = log_of("noted"), cluster.add_node(num_cpus=2, object_store_memory=STORE_BYTES)
    name = started(storage, method="random", budget=EVALUATIONS, batch=4, objective=(f"{HERE}noted",))
    killed_at: list[int] = []

    def kill_in_the_middle(evaluation: object) -> None:
        begun = lines(log, "begin")
        if not killed_at and len(begun) >= EVALUATIONS // 2 and doomed.node_id in {node for _, node in begun}:
            cluster.remove_node(doomed, allow_graceful=False)
            killed_at.append(len(begun))

    place = evaluations_on_ray(Needs(1))
    assert execute_elsewhere(storage, name, place, kill_in_the_middle, allow_python=True) == "finished"
    consistent(storage, name)
    assert killed_at and killed_at[0] < EVALUATIONS
    view = read_run(storage, name)
    assert len(view.done) == EVALUATIONS == len({e.notation for e in view.done})
    begun, ended = ([cell for cell, _ in lines(log, kind)] for kind in ("begin", "end"))
    assert set(ended) == {e.notation for e in view.done}
    # again only if the node died before the value was known: at most the cells that it had room for
    assert len(begun) - len(set(begun)) <= 2 and len(ended) - len(set(ended)) <= 2
    assert len({node for _, node in lines(log, "begin")}) == 2


@pytest.mark.usefixtures("lasting")
def test_deaths_are_counted_and_a_failure_keeps_its_reason(storage: str) -> None:
    log = log_of("trying")
    name = started(storage, method="random", budget=4, batch=2, objective=(f"{HERE}trying",))
    assert on_cluster(storage, name) == "finished"
    view = read_run(storage, name)
    problems = {e.problem for e in view.evaluations if e.state == "failed"}
    assert view.evaluated == 4
    own = "tests.support.cluster_objectives:trying raised ValueError: the second one"
    assert problems == {"its worker died three times (last: its process ended)", own}
    begun = [cell for cell, _ in lines(log, "begin")]
    assert begun.count(begun[0]) == MAX_DEATHS and len(begun) == 4 + 1 + MAX_DEATHS


@pytest.mark.usefixtures("lasting")
def test_a_killed_driver_is_resumed_without_a_loss(storage: str, cluster: Any) -> None:
    """kill -9 for the command that searches; another one, here, goes on as if nothing had happened."""
    run, log = {**RUN, "objective": (f"{HERE}noted",)}, log_of("noted")
    whole, name = started(storage, **run), started(storage, **run)
    assert on_cluster(storage, whole, 1) == "finished"
    log_of("noted")
    command = [sys.executable, "-m", "svge_core", "search", "--resume", name, "--storage", storage, "--json"]
    command += ["--allow-python", "--on", f"ray:{cluster.address}", "--parallel", "1"]
    driver = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    until(lambda: driver.poll() is not None or read_run(storage, name).evaluated >= 3)
    driver.send_signal(signal.SIGKILL)
    assert driver.wait(PATIENCE) == -signal.SIGKILL
    known = set(read_run(storage, name).done)
    assert 3 <= len(known) < 10 and read_run(storage, name).state == "interrupted"
    assert on_cluster(storage, name, 1) == "finished"
    view = read_run(storage, name)
    assert known <= set(view.done) and story(view) == story(read_run(storage, whole))
    consistent(storage, name)
    assert len(lines(log, "begin")) <= 11  # the one that was under way, once more


@pytest.mark.usefixtures("lasting")
def test_a_table_comes_from_the_store(storage: str, tmp_path: Path) -> None:
    """Its file is gone before the cluster begins, and no path is in the store."""
    table = tmp_path / "mine.csv"
    cells = [SPACE.format(SPACE.from_index(index)) for index in range(0, 1500, 100)]
    table.write_text("architecture,worth\n" + "".join(f"{cell},{n}.5\n" for n, cell in enumerate(cells)), "utf-8")
    made = SearchConfig("nasbench201", (f"csv:{table}:worth:max",), "random", 6, restricted=True)
    name = create_run(storage, made)
    table.unlink()
    assert on_cluster(storage, name) == "finished"
    assert all(e.values == (cells.index(e.notation) + 0.5,) for e in read_run(storage, name).done)


@pytest.mark.usefixtures("lasting")
def test_what_cannot_be_had_there_is_said_before_a_cell_is_sent(storage: str) -> None:
    recipe = ObjectiveRecipe(config(objective=("python:not_there:f",)), "", {})
    with pytest.raises(SvgeError, match="on the machines of the cluster: The module 'not_there' cannot be imported"):
        RayEvaluations(recipe, Needs(1))
    with pytest.raises(SvgeError, match="has the 1 CPU and 1 GPU that one evaluation needs; the largest has 2 CPU"):
        RayEvaluations(recipe, Needs(1, 1))


@pytest.mark.usefixtures("lasting")
def test_the_command_prints_its_answer_and_nothing_of_rays(storage: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["search", "--objective", "table:cifar10_valid", "--budget", "3", "--storage", storage, "--json"]
    run = [*words, "--on", "ray", "--cpus-per-evaluation", "0.5"]
    with pytest.MonkeyPatch.context() as patch:
        # as Ray says of a lost machine what it knows
        real = RayEvaluations.submit
        patch.setattr(RayEvaluations, "submit", lambda *given: (sys.stdout.write("(raylet) lost\n"), real(*given))[1])
        assert main(run) == 0
    out, err = capsys.readouterr()
    assert [row["evaluated"] for row in json.loads(out)] == [3] and "(raylet) lost" in err


@pytest.mark.usefixtures("cluster")
def test_a_connection_that_is_there_is_kept() -> None:
    with connected("ray") as ray:
        address = ray.get_runtime_context().gcs_address
    assert ray.is_initialized() and ray.get_runtime_context().gcs_address == address
