"""The predictors beside a checkpoint: fitted for real on a tiny model, stored, read back, and refused when foreign."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kendalltau
from sklearn.metrics import root_mean_squared_error

from svge_core.atlas.atlas import build_atlas
from svge_core.atlas.file import save_atlas
from svge_core.checkpoints.checkpoint import Checkpoint, load_checkpoint
from svge_core.data.meaning import ScoreMeaning
from svge_core.errors import CheckpointError, DataError
from svge_core.evaluation.card import write_card
from svge_core.files.columns import read_columns, write_columns
from svge_core.models.head import HeadConfig
from svge_core.predictors.checkpoint_predictors import fit_predictor, held_out_results, load_predictors
from svge_core.predictors.interval_refit import refit_intervals
from svge_core.predictors.surrogate_file import load_surrogate, save_surrogate
from svge_core.spaces.registry import get_space
from tests.support.core import tiny_model, write_sampled_checkpoint
from tests.support.tiny_checkpoint import make_checkpoint
from tests.support.untyped import statistic, there

SPACE, ENAS = get_space("nasbench201"), get_space("enas6")
MEANING = ScoreMeaning(
    "made_up",
    "Made-up score",
    "%",
    "max",
    "CIFAR-10",
    "test",
    3,
    "one",
    "measured",
    "nowhere",
    role="other",
    origin="imported",
    single_run=False,
)
QUICK = HeadConfig(layers=2, epochs=1)


def made_up_scores() -> np.ndarray:
    """More 3x3 convolutions are better; a third of the cells has no label."""
    scores = np.array([80.0 + 2 * cell.ops.count("nor_conv_3x3") for cell in SPACE.enumerate()])
    scores += np.random.default_rng(0).normal(scale=0.3, size=len(scores))
    scores[::3] = np.nan
    return scores


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    checkpoint = load_checkpoint(make_checkpoint(tmp_path_factory.mktemp("ck"), atlas=False))
    scores = made_up_scores()
    fit_predictor(checkpoint, MEANING, np.arange(len(scores)), scores, labels=40, head=HeadConfig(epochs=3))
    return checkpoint


def test_stored_and_fresh_predictions_agree(fitted: Checkpoint) -> None:
    predictors = load_predictors(fitted, SPACE)
    assert predictors.score_keys == ("made_up",)
    whole = predictors.whole_space("made_up")
    rows = [0, 17, 15_000]
    fresh = predictors.predict("made_up", [SPACE.from_index(i) for i in rows])
    assert len(fresh) == len(rows)
    for number, index in enumerate(rows):
        one = fresh.row(number)
        assert one.mean == pytest.approx(whole.mean[index], abs=1e-3)
        assert one.low == pytest.approx(whole.low[index], abs=1e-3)
        assert one.high == pytest.approx(whole.high[index], abs=1e-3)
        assert one.joint == pytest.approx(there(whole.joint)[index], abs=1e-3)
        assert one.low < one.mean < one.high
        assert one.labels == 40


def test_no_accuracy_is_predicted_that_cannot_be(fitted: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    predictors, cells = load_predictors(fitted, SPACE), [SPACE.from_index(9930), SPACE.from_index(0)]
    free = predictors.whole_space("made_up"), predictors.predict("made_up", cells)
    assert all(found.high.max() > 80 for found in free), "of a score that is no accuracy, any value can be"
    fractions = replace(MEANING, unit="fraction", role="accuracy")
    monkeypatch.setattr(type(predictors), "meaning", lambda *_: fractions)
    for before, found in zip(
        free, (predictors.whole_space("made_up"), predictors.predict("made_up", cells)), strict=True
    ):
        for name in ("mean", "low", "high", "joint"):
            assert getattr(found, name).tolist() == np.minimum(getattr(before, name), 1.0).clip(0.0).tolist()


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
    assert result["surrogate"].of == len(unseen) == 179
    assert result["surrogate"].kendall_tau == pytest.approx(statistic(kendalltau(mean[unseen], truth[unseen])))
    assert result["joint"].kendall_tau == pytest.approx(-there(result["surrogate"].kendall_tau))
    assert result["surrogate"].rmse == pytest.approx(root_mean_squared_error(truth[unseen], mean[unseen]))
    assert result["surrogate"].coverage == pytest.approx(np.mean(np.abs(mean[unseen] - truth[unseen]) <= 1))
    assert result["surrogate"].mean_width == pytest.approx(2.0)
    order = np.array(unseen)[np.argsort(mean[unseen])]
    inside = np.abs(mean - truth)[order] <= 1
    assert there(result["surrogate"].coverage_fifths) == pytest.approx([p.mean() for p in np.array_split(inside, 5)])
    assert result["joint"].coverage_fifths is None
    assert result["joint"].coverage is None and result["joint"].mean_width is None, "it has no interval"
    equal = held_out_results(truth, rows, {**columns, "joint": np.zeros(200)})["joint"]
    assert equal.kendall_tau is None, "there is no rank, and JSON has no NaN"
    assert held_out_results(truth[:6], np.arange(4), {name: c[:6] for name, c in columns.items()}) == {}


def test_too_few_labels_and_unknown_scores_are_named(fitted: Checkpoint) -> None:
    scores = made_up_scores()
    with pytest.raises(DataError, match=r"Asked for 99999 labels of 'made_up', but only 10416 cells have one\."):
        fit_predictor(fitted, MEANING, np.arange(len(scores)), scores, labels=99_999)
    with pytest.raises(DataError, match="Every cell has one label of 'made_up'; cell 7 has more"):
        fit_predictor(fitted, MEANING, np.array([7, 3, 7]), np.array([1.0, 2.0, 3.0]), labels=2)
    with pytest.raises(DataError, match=r"No predictor for 'nothing': this checkpoint has made_up\."):
        load_predictors(fitted, SPACE).predict("nothing", [SPACE.from_index(0)])


def test_intervals_are_fitted_again_and_predictions_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("svge_core.predictors.surrogate.has_kernel", lambda space: False)  # nor had those of before
    checkpoint = load_checkpoint(make_checkpoint(tmp_path / "ck", atlas=False))
    scores, indices = made_up_scores(), np.arange(15_625)
    info = fit_predictor(checkpoint, MEANING, indices, scores, labels=60, head=QUICK, command="made so")
    folder = checkpoint.folder / "predictors" / "made_up"
    wanted = load_predictors(checkpoint, SPACE).whole_space("made_up")
    # a predictor of before: one factor for all cells, version 1, no coverage by fifths
    save_surrogate(replace(load_surrogate(folder / "surrogate.npz"), predicted=None), folder / "surrogate.npz")
    plain = json.loads((folder / "predictor.json").read_text())
    fifths = plain["held_out"]["surrogate"].pop("coverage_fifths")
    (folder / "predictor.json").write_text(json.dumps(plain | {"format_version": 1}))
    write_columns(
        folder / "whole_space.safetensors",
        {name: getattr(wanted, name) for name in ("mean", "joint")} | {"low": wanted.mean - 1, "high": wanted.mean + 1},
    )
    before = load_predictors(checkpoint, SPACE)
    assert before.info("made_up").held_out["surrogate"].coverage_fifths is None
    cells = [SPACE.from_index(index) for index in range(0, 15_625, 500)]
    old = before.predict("made_up", cells)

    again = refit_intervals(checkpoint, MEANING, indices, scores)
    assert again == info
    assert list(there(again.held_out["surrogate"].coverage_fifths)) == fifths
    after = load_predictors(checkpoint, SPACE)
    new, stored = after.predict("made_up", cells), after.whole_space("made_up")
    assert np.array_equal(new.mean, old.mean)
    assert not np.allclose(new.low, old.low)
    for name in ("mean", "low", "high", "joint"):
        assert np.array_equal(getattr(stored, name), getattr(wanted, name))
    with pytest.raises(DataError, match=r"fitted on 60 labels that are not all among these 10,416: give those of"):
        refit_intervals(checkpoint, MEANING, indices, scores + 1.0)
    with pytest.raises(DataError, match="No predictor for 'other'"):
        refit_intervals(checkpoint, replace(MEANING, key="other"), indices, scores)


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


def test_the_meaning_of_the_score_is_stored_and_checked(fitted: Checkpoint, tmp_path: Path) -> None:
    predictors = load_predictors(fitted, SPACE)
    assert predictors.meaning("made_up") == MEANING
    assert predictors.info("made_up").description == MEANING.describe()
    folder = tmp_path / "predictors" / "made_up"
    folder.mkdir(parents=True)
    elsewhere = replace(fitted, folder=tmp_path)
    info = json.loads((fitted.folder / "predictors/made_up/predictor.json").read_text())
    (folder / "predictor.json").write_text(json.dumps({**info, "meaning": {"key": "made_up"}}))
    with pytest.raises(CheckpointError, match="The meaning of a score has the fields"):
        load_predictors(elsewhere, SPACE)
    (folder / "predictor.json").write_text(json.dumps({name: info[name] for name in info if name != "meaning"}))
    assert load_predictors(elsewhere, SPACE).meaning("made_up") is None, "predictors of before stay readable"


def test_columns_of_large_charts_are_stored_in_steps(
    fitted: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("svge_core.files.columns.STEPS_FROM", 10)
    whole = load_predictors(fitted, SPACE).whole_space("made_up")
    path = tmp_path / "columns.safetensors"
    write_columns(path, {"mean": whole.mean, "low": whole.low})
    assert path.stat().st_size < 2.1 * 2 * SPACE.size  # type: ignore[operator]
    for column, again in zip((whole.mean, whole.low), read_columns(path, ("mean", "low")), strict=True):
        assert again.dtype == np.float32
        np.testing.assert_allclose(again, column, atol=0.51 * np.ptp(column) / 65_535)
    with pytest.raises(CheckpointError, match=r"is damaged \('joint'\)\. Fit the predictor again"):
        read_columns(path, ("joint",))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(CheckpointError, match=r"is damaged \(not safetensors: .*\)\. Fit the predictor again"):
        read_columns(path, ("mean",))
    path.unlink()
    with pytest.raises(CheckpointError, match=r"columns\.safetensors is missing\. Fit the predictor again"):
        read_columns(path, ("mean",))


def test_a_sampled_space_predicts_its_chart_and_is_judged_on_all_labels(tmp_path: Path) -> None:
    checkpoint = write_sampled_checkpoint(tmp_path / "enas", tiny_model(ENAS))
    labelled = np.random.default_rng(5).integers(ENAS.size, size=60)  # type: ignore[arg-type]
    values = np.array([ENAS.from_index(int(index)).ops.count("conv_5x5") for index in labelled]) + 0.5
    with pytest.raises(CheckpointError, match="python -m svge_core atlas"):
        fit_predictor(checkpoint, MEANING, labelled, values, labels=30, head=QUICK)
    atlas = build_atlas(checkpoint, planes=("pca",), charted=70)
    save_atlas(checkpoint.folder, atlas)
    info = fit_predictor(checkpoint, MEANING, labelled, values, labels=30, head=QUICK)
    assert info.held_out["surrogate"].of == 30
    assert set(info.training_indices) <= set(labelled.tolist())
    predictors = load_predictors(checkpoint, ENAS)
    whole = predictors.whole_space("made_up")
    assert len(whole.mean) == 70
    cells = [ENAS.from_index(int(index)) for index in atlas.indices[:5]]
    assert predictors.predict("made_up", cells).mean.tolist() == pytest.approx(whole.mean[:5].tolist())
    # the chart's columns do for the labels where all labelled cells are charted
    again = fit_predictor(checkpoint, MEANING, labelled, values, labels=30, head=QUICK, chart=np.sort(labelled))
    assert again.held_out["surrogate"].rmse == pytest.approx(info.held_out["surrogate"].rmse, rel=1e-4)


def test_the_model_card_states_the_stored_numbers(fitted: Checkpoint) -> None:
    text = write_card(fitted).read_text()
    held = load_predictors(fitted, SPACE).info("made_up").held_out["surrogate"]
    assert f"| {held.kendall_tau:.3f} | {held.rmse:.3f} | {100 * (held.coverage or 0):.1f} % (of 90 %) |" in text
    assert fitted.meta.command in text
    assert "Not measured yet" in text
