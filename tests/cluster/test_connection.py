"""Which cluster a word names, what a task needs, and what is said without Ray. No cluster is started."""

import sys
from argparse import Namespace
from contextlib import nullcontext
from pathlib import Path

import pytest

from svge_core.cli import cluster_parts
from svge_core.cluster.connection import load_ray, ray_address
from svge_core.cluster.evaluations import Needs
from svge_core.errors import DataError, SvgeError
from svge_core.search.objectives import make_objective
from svge_core.spaces import get_space
from tests.support.cli import RunCommand

SEARCH = ("search", "--objective", "table:cifar10_valid", "--budget", "3")


def test_words_name_clusters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert ray_address("ray") is None and ray_address("ray:local") is None
    assert ray_address("ray://head:10001") == "ray://head:10001"
    assert ray_address("ray:10.0.0.1:6379") == "10.0.0.1:6379"
    assert ray_address("ray:auto") == "auto"
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.2:6379")
    assert ray_address("ray") == "10.0.0.2:6379"
    for word in ("", "dask", "ray:", "ray://", "Ray", "slurm://head", "ray:///"):
        with pytest.raises(SvgeError, match="A cluster is named ray"):
            ray_address(word)


def test_needs_say_how_many_fit() -> None:
    assert Needs(2, 1).places({"CPU": 16.0, "GPU": 4.0}) == 4
    assert Needs(8, 1).places({"CPU": 16.0, "GPU": 4.0}) == 2
    assert Needs(1).places({"CPU": 3.0}) == 3 and Needs(1, 1).places({"CPU": 3.0}) == 0
    assert Needs(0, 1 / 3).places({"GPU": 1.0}) == 3 and Needs(0.5).places({"CPU": 2.0}) == 4
    for wrong in ((0, 0), (-1, 1), (1, float("nan")), (float("inf"), 0)):
        with pytest.raises(DataError, match="0 or more processors"):
            Needs(*wrong)


def test_without_ray_there_is_one_line(fails: RunCommand, storage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)  # as if it were not installed
    with pytest.raises(SvgeError, match="not installed"):
        load_ray()
    said = fails(*SEARCH, "--on", "ray", "--storage", storage)
    assert 'pip install "svge-explorer[cluster]"' in said


def test_options_of_a_cluster_need_one(fails: RunCommand, storage: str) -> None:
    said = fails(*SEARCH, "--storage", storage, "--gpus-per-evaluation", "1", "--ship", ".")
    assert "leave --gpus-per-evaluation, --ship away" in said
    assert "(--on CLUSTER)" in fails(*SEARCH, "--storage", storage, "--on", "dask")
    assert "leave --on away" in fails("search", "--list", "--on", "ray", "--storage", storage)
    assert "--cpus-per-evaluation N" in fails(
        *SEARCH, "--storage", storage, "--on", "ray", "--cpus-per-evaluation", "0"
    )


def test_code_that_is_sent_can_be_imported_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "only_in_the_sent_folder.py").write_text("def value(cell):\n    return 4.5\n")
    monkeypatch.setattr(cluster_parts, "connected", lambda word, ship: nullcontext())
    word, space, before = "python:only_in_the_sent_folder:value", get_space("nasbench201"), list(sys.path)
    with cluster_parts.on_cluster(Namespace(on="ray", ship=tmp_path)):
        with pytest.raises(DataError, match="agree to that first"):
            make_objective([word], space)
        assert make_objective([word], space, allow_python=True).evaluate(space.from_index(0)) == (4.5,)
    assert sys.path == before
    with pytest.raises(DataError, match="cannot be imported"):
        make_objective([word], space, allow_python=True)
