"""Fixtures and policies shared by all tests: seeded randomness, commands run; warnings from our own code are errors."""

import gc
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import settings

import tests.support.type_checks  # noqa: F401  before anything of the core
from svge_core.__main__ import main
from tests.support.cli import RunCommand
from tests.support.scheduling import group_of, order

#: packages and files whose warnings fail a test; those of third parties are theirs to mend
OUR_CODE = ("svge_core", "ui", "pages", "bench", "app", "tests")

# reproducible runs: the same examples every time, and no time limit per example on a busy machine
settings.register_profile("svge", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("svge")


def pytest_configure(config: pytest.Config) -> None:
    """Warnings attributed to our modules are errors; other packages' deprecations are not shown."""
    # the models here are tiny: on a busy machine several threads wait for each other longer than they compute
    torch.set_num_threads(1)
    config.addinivalue_line("filterwarnings", "ignore::DeprecationWarning")
    config.addinivalue_line("filterwarnings", "ignore::PendingDeprecationWarning")
    # beartype looks at random items of long containers, also of those that strategies build
    config.addinivalue_line("filterwarnings", "ignore:Do not use the `random` module inside strategies")
    for package in OUR_CODE:
        config.addinivalue_line("filterwarnings", rf"error:::{package}(\.|$)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest."""
    place = {group: number for number, group in enumerate(order(item.nodeid for item in items))}
    items.sort(key=lambda item: place[group_of(item.nodeid)])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Whole groups go to one process each, in the order above."""
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    config.option.loadscopereorder = False
    return Groups(config, log)


def pytest_collection_finish() -> None:
    """What is imported by now stays: the garbage collector need not look through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def nothing_imported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Benchmark files that a developer has imported on this machine stay out of the tests."""
    folder = tmp_path_factory.mktemp("nothing-imported")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("svge_core.data.importers.cache.cache_dir", lambda: folder)
        yield


@pytest.fixture(autouse=True, scope="session")
def runs_of_their_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the app writes while it is tested, also served ones, does not come among what a developer has made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SVGE_RUNS", str(tmp_path_factory.mktemp("runs")))
        yield


@pytest.fixture
def generator() -> torch.Generator:
    """A seeded torch generator; nothing in the core reads torch's global one."""
    return torch.Generator().manual_seed(20210407)


@pytest.fixture
def rng() -> np.random.Generator:
    """A seeded numpy generator."""
    return np.random.default_rng(20210407)


@pytest.fixture
def storage(tmp_path: Path) -> str:
    """A new SQLite store of search runs."""
    return f"sqlite:///{tmp_path / 'runs' / 'searches.db'}"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> RunCommand:
    """Run a command that must succeed; JSON output comes back parsed."""

    def call(*words: object, expect_json: bool = True) -> Any:
        capsys.readouterr()
        given = [str(word) for word in words]
        code = main([*given, "--json"] if expect_json else given)
        out, err = capsys.readouterr()
        assert (code, err) == (0, "")
        return json.loads(out) if expect_json else out

    return call


@pytest.fixture
def fails(capsys: pytest.CaptureFixture[str]) -> RunCommand:
    """Run a command that must fail as a user's mistake; its one line comes back."""

    def call(*words: object) -> str:
        capsys.readouterr()
        try:
            code = main([str(word) for word in words])
        except SystemExit as stop:  # argparse leaves like this
            code = stop.code
        out, err = capsys.readouterr()
        assert code == 2, err
        assert out == ""
        assert err.count("\n") == 1, err
        assert "Traceback" not in err
        assert err.startswith("svge")
        return err

    return call
