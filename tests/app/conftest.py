"""The app on a tiny checkpoint with made-up predictors."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from svge_core.explorer.explorer import Explorer
from svge_core.jobs.search import SearchJobs
from tests.support.tiny_checkpoint import MadeUpPredictors, make_checkpoint


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of checkpoints with one tiny one."""
    folder = tmp_path_factory.mktemp("checkpoints")
    made = make_checkpoint(folder / "nasbench201" / "tiny")
    (made / "predictors").mkdir()
    return folder


@pytest.fixture
def environment(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The app looks there, and finds made-up predictors."""
    monkeypatch.setenv("SVGE_CHECKPOINTS", str(root))
    monkeypatch.setattr("svge_core.predictors.load_predictors", lambda checkpoint, space: MadeUpPredictors())
    yield


@pytest.fixture
def explorer(root: Path) -> Explorer:
    """The tiny checkpoint as the app opens it."""
    from ui.shared.loaders import explorer_for

    return explorer_for(root / "nasbench201" / "tiny", "cpu")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty store, whose runs nobody starts unless a test does."""
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    monkeypatch.setenv("SVGE_STORAGE", url)
    monkeypatch.setenv("SVGE_RUNS", str(tmp_path))
    monkeypatch.setattr("ui.search.state._jobs", lambda records, url: SearchJobs(Path(records), url, watch=False))
    yield url
