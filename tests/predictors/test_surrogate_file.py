"""The surrogate on disk: arrays and text, never pickle."""

from pathlib import Path

import numpy as np
import pytest

from svge_core.errors import CheckpointError
from svge_core.predictors.surrogate import StructureSurrogate
from svge_core.predictors.surrogate_file import load_surrogate, save_surrogate
from svge_core.spaces.registry import get_space

SPACE = get_space("nasbench201")


def test_a_pickled_array_is_refused(tmp_path: Path) -> None:
    cells = [SPACE.from_index(index) for index in range(0, 15_625, 500)]
    fitted = StructureSurrogate.fit(SPACE, cells, np.linspace(60.0, 90.0, len(cells)), seed=0)
    path = tmp_path / "s.npz"
    save_surrogate(fitted, path)
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    arrays["values"] = np.array([{"a": 1}], dtype=object)
    np.savez(path, **arrays)
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_surrogate(path)
