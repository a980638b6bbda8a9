"""The share of variance that a read-out explains, against scikit-learn; a row where a model has such dimensions."""

import numpy as np
import pytest
from sklearn.metrics import r2_score

from svge_core.evaluation.function_readout import explained, function_row
from svge_core.features.components import StructureComponents
from svge_core.tensors import to_batch
from tests.models.test_rows import RANDWIRE, row_code
from tests.support.core import random_cells


def test_all_components_count_by_their_variance(rng: np.random.Generator) -> None:
    truth = rng.normal(size=(40, 3)) * [3.0, 1.0, 0.1]
    found = truth + rng.normal(size=(40, 3))
    expected = r2_score(truth, found, multioutput="variance_weighted")
    assert explained(found, truth) == pytest.approx(float(np.asarray(expected)))
    assert explained(truth, truth) == 1.0


def test_the_row_compares_the_last_dimensions_with_the_scaled_components() -> None:
    model, cells = row_code(latent=67, function=3, function_scale=2.0), random_cells(RANDWIRE, 20)
    batch = to_batch(RANDWIRE, cells)
    row = function_row(model, batch, "20 cells")
    truth = 2.0 * StructureComponents.of(RANDWIRE, 3).scores(cells)
    found = model.encode(batch).mean[:, 64:].detach().numpy()
    expected = r2_score(truth, found, multioutput="variance_weighted")
    assert row.value == pytest.approx(float(np.asarray(expected)), rel=1e-3)
    assert (row.what, row.n, row.split) == ("function", 20, "20 cells")
