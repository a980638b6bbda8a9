"""Some damaged files of every importer; the benchmark has thousands."""

from pathlib import Path

import pytest

from bench.importer_files import FORMATS
from bench.importer_fuzz import run
from svge_core.data.importers.detection import KINDS


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "hpo-bench"])
def test_nothing_wrong_is_imported(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    row, faults = run(name, 25, 1, tmp_path / name)
    assert (faults, row["traceback"], row["files"]) == (0, 0, 25)


def test_every_kind_has_files() -> None:
    assert set(FORMATS) == {*KINDS, "hpo-bench"}
