"""What the shipped checkpoints predict stays what it was: 200 cells of each space, drawn once and kept in ``golden``.

Columns are mean, low, high and the joint head. The reference was written before predictions became one type, its low
and high when intervals came to depend on the prediction; on the machine that wrote it the numbers agreed to the last
bit. Other processors sum in another order, hence the tolerance.
"""

import numpy as np
import pytest

from svge_core.checkpoints import load_checkpoint
from svge_core.predictors import load_predictors
from svge_core.spaces import get_space
from tests.support.paths import CHECKPOINTS, ROOT
from tests.support.untyped import there

REFERENCE = np.load(ROOT / "tests/predictors/golden/shipped_predictions.npz")
COLUMNS = ("mean", "low", "high", "joint")


@pytest.mark.parametrize("name", ["nasbench201", "nasbench101", "enas6"])
def test_shipped_predictions_are_what_they_were(name: str) -> None:
    space = get_space(name)
    predictors = load_predictors(load_checkpoint(CHECKPOINTS / name / "svge"), space)
    keys = {path.split("/")[1] for path in REFERENCE if path.startswith(f"{name}/") and not path.endswith("/cells")}
    assert set(predictors.score_keys) == keys
    cells = [space.from_index(int(index)) for index in REFERENCE[f"{name}/cells"]]
    for key in sorted(keys):
        found = predictors.predict(key, cells)
        fresh = np.stack([getattr(found, column) for column in COLUMNS], axis=1)
        bounds = there(predictors.meaning(key)).bounds  # the reference is of before they were heeded
        wanted = np.clip(REFERENCE[f"{name}/{key}/fresh"], *bounds)
        np.testing.assert_allclose(fresh[:, :3], wanted[:, :3], rtol=1e-8)
        np.testing.assert_allclose(fresh[:, 3], wanted[:, 3], rtol=1e-4)
        assert found.row(3) == (key, *fresh[3, :3], found.level, found.model, found.labels, fresh[3, 3])
        stored = predictors.whole_space(key)
        rows = np.linspace(0, len(stored.mean) - 1, 50).astype(int)
        table = np.stack([getattr(stored, column) for column in COLUMNS], axis=1)[rows]
        assert np.array_equal(table, np.clip(REFERENCE[f"{name}/{key}/stored"], *bounds))
