"""A tiny checkpoint to run commands on."""

from pathlib import Path

import pytest

from tests.support.cli import known_batch, known_scores, make


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes seconds under the run-time type checks is computed once: the score table and the whole space."""
    monkeypatch.setattr("svge_core.cli.cell_parts.load_scores", known_scores)
    monkeypatch.setattr("svge_core.data.load_scores", known_scores)
    monkeypatch.setattr("svge_core.cli.cell_commands.to_batch", known_batch)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that knows eight cells by heart, with an atlas and predictors of one score."""
    return make(tmp_path_factory.mktemp("cli") / "tiny")
