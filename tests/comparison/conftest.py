"""A small chart with a measured score of all cells but one, and made-up predictions."""

from dataclasses import replace

import numpy as np
import pytest

from svge_core.data import ScoreMeaning, scores_from_columns
from svge_core.explorer import Explorer, open_explorer
from tests.support.tiny_checkpoint import ChartPredictors, make_enas_checkpoint

#: row without a measured value, and rows whose values are equal
MISSING, EQUAL = 5, (7, 8)


def own_meaning(key: str, title: str, **changes: object) -> ScoreMeaning:
    plain = ScoreMeaning(
        key,
        title,
        "%",
        "max",
        "CIFAR-10",
        "validation",
        12,
        "one run",
        "measured",
        "made up",
        role="accuracy",
        origin="imported",
        single_run=True,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def explorer(tmp_path_factory: pytest.TempPathFactory) -> Explorer:
    opened = open_explorer(make_enas_checkpoint(tmp_path_factory.mktemp("comparison") / "enas6" / "tiny"))
    accuracy = np.arange(len(opened.atlas), dtype=np.float64) / 4
    accuracy[MISSING], accuracy[EQUAL[1]] = np.nan, accuracy[EQUAL[0]]
    columns = {"accuracy": accuracy, "user_loss": -accuracy, "run_1": accuracy}
    meanings = {
        "accuracy": own_meaning("accuracy", "Validation accuracy"),
        "user_loss": own_meaning("user_loss", "=my <b>loss</b>", direction="min", role="other", origin="user", unit=""),
        "run_1": own_meaning("run_1", "Run 1", detail=True, role="other"),
    }
    scores = opened.scores.with_columns(scores_from_columns(opened.space.name, columns, meanings))
    return replace(opened, scores=scores, predictors=ChartPredictors(opened.atlas.indices))
