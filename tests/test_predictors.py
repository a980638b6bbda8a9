"""The predictors beside a checkpoint: fitted for real on a tiny model, stored, read back, and refused when foreign."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kendalltau
from sklearn.metrics import root_mean_squared_error

from svge_core.checkpoints import Checkpoint, load_checkpoint
from svge_core.errors import CheckpointError, DataError
from svge_core.model_card import write_card
from svge_core.models.head import HeadConfig
from svge_core.predictors import fit_predictor, held_out_results, load_predictors
from svge_core.spaces import get_space
from tests.tiny_checkpoint import make_checkpoint

SPACE = get_space("nasbench201")


def made_up_scores() -> np.ndarray:
    """More 3x3 convolutions are better; a third of the cells has no label."""
    scores = np.array([80.0 + 2 * cell.ops.count("nor_conv_3x3") for cell in SPACE.enumerate()])
    scores += np.random.default_rng(0).normal(scale=0.3, size=len(scores))
    scores[::3] = np.nan
    return scores


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    checkpoint = load_checkpoint(make_checkpoint(tmp_path_factory.mktemp("ck"), atlas=False))
    fit_predictor(checkpoint, "made_up", "made-up score", made_up_scores(), labels=40, head=HeadConfig(epochs=3))
    return checkpoint


def test_stored_and_fresh_predictions_agree(fitted: Checkpoint) -> None:
    predictors = load_predictors(fitted, SPACE)
    assert predictors.score_keys == ("made_up",)
    whole = predictors.whole_space("made_up")
    rows = [0, 17, 15_000]
    for index, one in zip(rows, predictors.predict("made_up", [SPACE.from_index(i) for i in rows]), strict=True):
        assert one.mean == pytest.approx(whole.mean[index], abs=1e-3)
        assert one.low == pytest.approx(whole.low[index], abs=1e-3)
        assert one.high == pytest.approx(whole.high[index], abs=1e-3)
        assert one.joint == pytest.approx(whole.joint[index], abs=1e-3)
        assert one.low < one.mean < one.high
        assert one.labels == 40


def test_only_labelled_cells_were_used(fitted: Checkpoint) -> None:
    indices = load_predictors(fitted, SPACE).training_indices("made_up")
    assert len(set(indices.tolist())) == 40
    assert np.isfinite(made_up_scores()[indices]).all()


def test_held_out_results_equal_other_implementations(rng: np.random.Generator) -> None:
    truth = rng.normal(size=200)
    truth[5] = np.nan
    rows = np.arange(10, 30)
    mean = np.nan_to_num(truth) + rng.normal(size=200)
    columns = {"mean": mean, "joint": -mean, "low": mean - 1, "high": mean + 1}
    result = held_out_results(truth, rows, columns)
    unseen = [i for i in range(200) if i != 5 and i not in rows]
    assert result["surrogate"]["of"] == len(unseen) == 179
    assert result["surrogate"]["kendall_tau"] == pytest.approx(kendalltau(mean[unseen], truth[unseen]).statistic)
    assert result["joint"]["kendall_tau"] == pytest.approx(-result["surrogate"]["kendall_tau"])
    assert result["surrogate"]["rmse"] == pytest.approx(root_mean_squared_error(truth[unseen], mean[unseen]))
    assert result["surrogate"]["coverage"] == pytest.approx(np.mean(np.abs(mean[unseen] - truth[unseen]) <= 1))


def test_too_few_labels_and_unknown_scores_are_named(fitted: Checkpoint) -> None:
    with pytest.raises(DataError, match=r"Asked for 99999 labels of 'x', but only 10416 cells have one\."):
        fit_predictor(fitted, "x", "", made_up_scores(), labels=99_999)
    with pytest.raises(DataError, match=r"No predictor for 'nothing': this checkpoint has made_up\."):
        load_predictors(fitted, SPACE).predict("nothing", [SPACE.from_index(0)])


def test_a_predictor_of_other_weights_is_refused(fitted: Checkpoint, tmp_path: Path) -> None:
    copied = load_checkpoint(make_checkpoint(tmp_path / "ck", atlas=False))
    folder = copied.folder / "predictors" / "made_up"
    folder.mkdir(parents=True)
    info = json.loads((fitted.folder / "predictors/made_up/predictor.json").read_text())
    (folder / "predictor.json").write_text(json.dumps({**info, "checkpoint": "elsewhere"}))
    with pytest.raises(CheckpointError, match="field 'checkpoint' is 'elsewhere'"):
        load_predictors(copied, SPACE)
    (folder / "predictor.json").write_text("{")
    with pytest.raises(CheckpointError, match="is damaged"):
        load_predictors(copied, SPACE)


def test_the_model_card_states_the_stored_numbers(fitted: Checkpoint) -> None:
    text = write_card(fitted).read_text()
    held = load_predictors(fitted, SPACE).info("made_up")["held_out"]["surrogate"]
    assert f"| {held['kendall_tau']:.3f} | {held['rmse']:.3f} | {100 * held['coverage']:.1f} % |" in text
    assert fitted.meta.command in text
    assert "Not measured yet" in text
