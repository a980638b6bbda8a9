"""The three sentences of a checkpoint: every claim on both sides of its threshold, every number that of the files."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import svge_core as svge
from svge_core.checkpoints import MetricRow, edge_f1_key
from svge_core.evaluation import percent
from svge_core.evaluation.latent.content import QualityContent
from svge_core.evaluation.latent.file import FILE, load
from svge_core.evaluation.latent.wording import SAME_TAU
from svge_core.evaluation.verdict import follows, headline, predict_from, reconstructs, verdict
from svge_core.evaluation.verdict.reconstruction import MOST, NEARLY_ALL, SOME
from svge_core.files import markdown_text
from svge_core.files.schema import to_plain, to_record
from svge_core.predictors import Beside, HeldOut, PredictorInfo
from svge_core.predictors.predictor_info import stored_infos
from tests.support.model_checkpoint import SCORE, make_checkpoint
from tests.support.paths import CHECKPOINTS

SHIPPED = sorted(path.parent for path in CHECKPOINTS.glob("*/*/meta.json"))
SVGE = CHECKPOINTS / "nasbench201" / "svge"
STEP = 1e-4
Infos = dict[str, PredictorInfo]


def row(what: str, share: float | None, of: int | None = 100_000, **more: Any) -> MetricRow:
    count = None if share is None or of is None else round(share * of)
    return MetricRow(what=what, value=share, count=count, of=of, **more)


def exact(share: float | None, direction: Any = "both", draws: tuple[int, int] = (10, 10)) -> MetricRow:
    encodings, decodings = draws
    draws_of = {"encodings": encodings, "decodings": decodings}
    return row("reconstruction", share, direction=direction, mode="raw", how="sampled", **draws_of)


def valid(share: float | None, direction: Any = "both", decodings: int = 10) -> MetricRow:
    return row("valid", share, 10_000, direction=direction, mode="raw", latents=1_000, decodings=decodings)


# what it reconstructs


@pytest.mark.parametrize(
    ("share", "claim", "amount"),
    [
        (1.0, "every held-out cell", "all"),
        (1 - STEP, "nearly every held-out cell", "nearly all"),
        (NEARLY_ALL, "nearly every held-out cell", "nearly all"),
        (NEARLY_ALL - STEP, "most held-out cells", "most"),
        (MOST, "most held-out cells", "most"),
        (MOST - STEP, "some held-out cells", "some"),
        (SOME, "some held-out cells", "some"),
        (SOME - STEP, "few held-out cells", "few"),
        (STEP, "few held-out cells", "few"),
        (0.0, "no held-out cell", "none"),
    ],
)
def test_shares_are_graded(share: float, claim: str, amount: str) -> None:
    found = reconstructs([exact(share), valid(share)])
    assert found.claim == f"Reconstructs {claim}" and found.command == ""
    counted = f"{percent(share)} of decodings are exact ({round(share * 100_000):,} of 100,000, published protocol"
    assert counted in found.evidence
    of = f"{amount} of the raw prior samples are valid, {percent(share)} ({round(share * 10_000):,} of 10,000"
    assert of in found.evidence
    assert str(found) == f"{found.claim}: {found.evidence}."


def test_both_directions_come_first_and_the_forward_run_is_told_where_its_grade_is_another() -> None:
    rows = [exact(0.5, "forward"), exact(0.999), valid(0.85), valid(0.996, "forward")]
    found = headline(rows)
    assert found.reconstruction == rows[1] and found.valid == rows[2] and found.edge_f1 is None
    text = reconstructs(rows).evidence
    assert "50.00 %" not in text
    assert text.endswith("of one forward run nearly all, 99.60 % (9,960 of 10,000)")
    assert "of one forward run" not in reconstructs([exact(0.999), valid(0.85), valid(0.86, "forward")]).evidence
    forward = reconstructs([exact(0.999, "forward"), valid(0.9, "forward", 1)]).evidence
    assert forward.count("forwards)") == 2 and "of one forward run" not in forward


@pytest.mark.parametrize(
    ("draws", "words"),
    [((10, 10), "published protocol"), ((1, 1), "one decoding each"), ((1, 5), "1 encodings × 5 decodings each")],
)
def test_the_published_protocol_is_named_only_where_it_was_followed(draws: tuple[int, int], words: str) -> None:
    text = reconstructs([exact(0.5, draws=draws)]).evidence
    assert f"of 100,000, {words}, both directions)" in text
    assert ("published" in text) == (draws == (10, 10))


def test_wirings_have_their_edges_beside_those_of_another_latent() -> None:
    own = MetricRow(what="edge_f1", value=0.4, direction="both", mode="raw", how="frequent", group="all", n=600)
    other = MetricRow(what="edge_f1", value=0.3, direction="both", mode="raw", how="other_frequent", group="all", n=600)
    assert own.key == edge_f1_key("both", "frequent")
    text = reconstructs([exact(0.0), own, other]).evidence
    assert "edge F1 is 0.400 (n = 600, both directions), with another cell's latent 0.300" in text
    assert "another" not in reconstructs([exact(0.0), own]).evidence
    assert "edge F1 is 0.99999 " in reconstructs([own, MetricRow(**{**to_plain(own), "value": 0.99999})]).evidence


def test_what_of_reconstruction_is_not_recorded_is_said() -> None:
    nothing = reconstructs([])
    assert str(nothing) == "What it reconstructs has not been measured." and nothing.command == "evaluate"
    assert reconstructs([exact(None), valid(None)]) == nothing
    only_valid, only_exact = reconstructs([valid(0.5)]), reconstructs([exact(0.5)])
    assert only_valid.claim == "Exact reconstruction has not been measured" and only_valid.command == "evaluate"
    assert "most of the raw prior samples" in only_valid.evidence
    assert only_exact.evidence.endswith("the validity of prior samples has not been measured")
    assert only_exact.command == "evaluate"


# what distances follow


@pytest.fixture(scope="module")
def shipped() -> QualityContent:
    found = load(SVGE, "nasbench201")
    assert found is not None
    return found


def changed(
    quality: QualityContent,
    taus: tuple[float | None, float | None, float | None, float | None] | None = None,
    apart: float | None = 0.5,
    edit: float | None = 0.5,
) -> QualityContent:
    """The content with other taus (latent, one-hot, structure, untrained) and distances, in those of random pairs."""
    plain = to_plain(quality)
    (part, *_) = plain["neighbours"]
    plain["neighbours"] = [] if taus is None else [part]
    for name, tau in zip(("latent", "one_hot", "structure", "untrained"), taus or (), strict=False):
        part[name]["kendall_tau"] = tau
    plain["collisions"]["random"] = 4.0
    pairs = {"pairs": 0, "different": 0, "distance": None} if apart is None else {"pairs": 7, "distance": 4.0 * apart}
    plain["collisions"]["equivalents"] |= pairs
    (first, *others) = plain["edits"]["curves"]["latent"]
    first["median"] = edit
    plain["edits"]["curves"]["latent"] = others if edit is None else [first, *others]
    return to_record(plain, QualityContent)


NOTATION = "Distances follow the notation more than the function"
FUNCTION = "Distances follow the function more than the notation"
PARTLY = "Distances follow the notation in part and the function in part"
UNCLEAR = "It cannot be told whether distances follow the notation or the function"
UNTRAINED = "Distances say no more of notation or function than those of an untrained encoder"


@pytest.mark.parametrize(
    ("taus", "apart", "edit", "claim"),
    [
        # neighbours alone: one-hot codes .6, structure features .9, so .75 is halfway
        ((0.70, 0.6, 0.9, 0.1), None, 0.5, NOTATION),
        ((0.75 - SAME_TAU / 2 - STEP, 0.6, 0.9, 0.1), None, 0.5, NOTATION),
        ((0.75 - SAME_TAU / 2 + STEP, 0.6, 0.9, 0.1), None, 0.5, UNCLEAR),
        ((0.75 + SAME_TAU / 2 - STEP, 0.6, 0.9, 0.1), None, 0.5, UNCLEAR),
        ((0.75 + SAME_TAU / 2 + STEP, 0.6, 0.9, 0.1), None, 0.5, FUNCTION),
        ((0.95, 0.6, 0.9, 0.1), None, 0.5, FUNCTION),
        ((0.59, 0.9, 0.6, 0.1), None, 0.5, UNCLEAR),  # features that rank no better than codes say nothing
        # an encoder without training ranks as well
        ((0.70, 0.6, 0.9, 0.70 - SAME_TAU - STEP), None, 0.5, NOTATION),
        ((0.70, 0.6, 0.9, 0.70 - SAME_TAU + STEP), None, 0.5, UNTRAINED),
        ((0.70, 0.6, 0.9, 0.70), 0.4, 0.5, FUNCTION),
        ((0.70, 0.6, 0.9, None), None, 0.5, NOTATION),
        # equivalent cells alone, beside those one edit apart
        (None, 0.5 + STEP, 0.5, NOTATION),
        (None, 0.5 - STEP, 0.5, FUNCTION),
        (None, 0.5, 0.5, UNCLEAR),
        (None, 0.5, None, UNCLEAR),
        (None, None, 0.5, UNCLEAR),
        # both
        ((0.61, 0.6, 0.9, 0.1), 0.7, 0.5, NOTATION),
        ((0.89, 0.6, 0.9, 0.1), 0.3, 0.5, FUNCTION),
        ((0.61, 0.6, 0.9, 0.1), 0.3, 0.5, PARTLY),
        ((0.89, 0.6, 0.9, 0.1), 0.7, 0.5, PARTLY),
        ((None, 0.6, 0.9, 0.1), 0.7, 0.5, NOTATION),
        ((None, 0.6, 0.9, 0.1), None, 0.5, UNCLEAR),
        ((0.61, None, 0.9, 0.1), None, 0.5, UNCLEAR),
    ],
)
def test_what_distances_follow(shipped: QualityContent, taus: Any, apart: Any, edit: Any, claim: str) -> None:
    quality = changed(shipped, taus, apart, edit)
    found = follows(quality, quality.checkpoint)
    assert found.claim == claim and found.command == ""
    for tau in taus or ():
        assert ("none" if tau is None else f"{tau:.3f}") in found.evidence
    shown = (
        "no two of 15,625 cells are equivalent" if apart is None else f"(7 pairs) lie at {apart:.2f} of the distance"
    )
    assert shown in found.evidence
    assert ("one edit apart at" in found.evidence) == (apart is not None and edit is not None)


def test_the_first_accuracy_is_looked_at(shipped: QualityContent) -> None:
    plain = to_plain(shipped)
    plain["neighbours"] = plain["neighbours"][1:4]  # latency, training time, CIFAR-100 accuracy
    text = follows(to_record(plain, QualityContent), shipped.checkpoint).evidence
    assert "CIFAR-100 validation accuracy" in text and "0.711" in text
    plain["neighbours"] = plain["neighbours"][:1]
    assert "latency" in follows(to_record(plain, QualityContent), shipped.checkpoint).evidence


def test_distances_that_were_not_measured_are_said(shipped: QualityContent) -> None:
    assert follows(None, "x").command == follows(shipped, "of other weights").command == "quality"
    assert str(follows(None, "x")) == "What distances follow has not been measured."
    assert "earlier weights" in follows(shipped, "of other weights").claim
    unnumbered = follows(None, "x", indexed=False)
    assert unnumbered.command == "" and "no index" in unnumbered.evidence
    collapsed = to_plain(changed(shipped, None, 0.5))
    collapsed["collisions"]["random"] = 0.0
    text = follows(to_record(collapsed, QualityContent), shipped.checkpoint).evidence
    assert text == "7 pairs of equivalent cells cannot be compared, as random cells lie in one place"


# what to predict from


def fitted(
    base: PredictorInfo, surrogate: float | None, joint: float | None, **fields: Any
) -> dict[str, PredictorInfo]:
    taus = {"surrogate": surrogate, "joint": joint}
    held_out = {name: to_plain(HeldOut(kendall_tau=tau, rmse=1.0, of=5_000)) for name, tau in taus.items()}
    info = to_record({**to_plain(base), "held_out": held_out, **fields}, PredictorInfo)
    return {info.score: info}


@pytest.fixture(scope="module")
def base() -> PredictorInfo:
    return stored_infos(SVGE)["cifar10_valid"]


AWAY = ", not from distances in this latent"
BESIDE = "Predict from structure features with a fitted predictor; distances in this latent rank"
BOTH, ALL = (BESIDE.replace(" with", f"{more} and the covariance of wide networks with") for more in ("", ", latents"))


@pytest.mark.parametrize(
    ("surrogate", "joint", "near", "claim"),
    [
        (0.9, 0.7, 0.7, f"Predict from structure features{AWAY}"),
        (0.9, 0.9 - SAME_TAU - STEP, 0.7, f"Predict from structure features{AWAY}"),
        (0.9, 0.9 - SAME_TAU + STEP, 0.7, f"Predict from the latent as well as from structure features{AWAY}"),
        (0.9, 0.9 + SAME_TAU - STEP, 0.9, "Predict from the latent as well as from structure features"),
        (0.9, 0.9 + SAME_TAU + STEP, 0.9, "Predict from the latent"),
        (0.9, 0.95, 0.7, f"Predict from the latent{AWAY}"),
        (0.9, None, 0.7, f"Predict from structure features{AWAY}"),
        (0.9, 0.7, 0.85 - SAME_TAU - STEP, f"Predict from structure features{AWAY}"),
        (
            0.9,
            0.7,
            0.85 - SAME_TAU + STEP,
            f"{BESIDE} as well as those of structure features",
        ),
        (
            0.9,
            0.7,
            0.85 + SAME_TAU + STEP,
            f"{BESIDE} better than those of structure features",
        ),
        (0.9, 0.7, None, "Predict from structure features"),
        # no predictor: nearest neighbours alone
        (None, None, 0.85 - SAME_TAU - STEP, f"Predict from structure features{AWAY}"),
        (None, None, 0.85 - SAME_TAU + STEP, "Predict from the latent as well as from structure features"),
        (None, None, 0.85 + SAME_TAU - STEP, "Predict from the latent as well as from structure features"),
        (None, None, 0.85 + SAME_TAU + STEP, "Predict from the latent"),
        (None, None, None, "No predictor has been fitted"),
    ],
)
def test_what_to_predict_from(
    shipped: QualityContent, base: PredictorInfo, surrogate: Any, joint: Any, near: Any, claim: str
) -> None:
    quality = changed(shipped, (near, 0.6, 0.85, 0.1))
    infos = {} if surrogate is None else fitted(base, surrogate, joint)
    found = predict_from(quality, infos, shipped.checkpoint)
    assert found.claim == claim and found.command == ("fit" if surrogate is None else "")
    for tau in (surrogate, joint, near):
        assert tau is None or f"{tau:.3f}" in found.evidence
    if surrogate is not None:
        assert "fitted on 781 labels, rank 5,000 held-out cells by CIFAR-10 validation accuracy" in found.evidence
        assert ("no joint head is recorded" in found.evidence) == (joint is None)
    assert ("nearest latents alone" in found.evidence) == (surrogate is not None and near is not None)


def test_one_hot_codes_may_be_the_better_neighbours(shipped: QualityContent) -> None:
    found = predict_from(changed(shipped, (0.5, 0.6, 0.2, 0.1)), {}, shipped.checkpoint)
    assert found.claim == f"Predict from one-hot codes{AWAY}"


@pytest.mark.parametrize("beside", [(), ("latents",), ("covariance",), ("latents", "covariance")])
def test_what_a_surrogate_sees_beside_the_structure_is_named(base: PredictorInfo, beside: tuple[Beside, ...]) -> None:
    found = predict_from(None, fitted(base, 0.9, 0.7, beside=beside), base.checkpoint)
    for name, words in (("latents", "latents"), ("covariance", "covariance of wide networks")):
        assert (words in found.claim) == (words in found.evidence) == (name in beside)


def test_neighbours_of_another_score_say_nothing_of_a_predictor(shipped: QualityContent, base: PredictorInfo) -> None:
    quality = changed(shipped, (0.99, 0.6, 0.85, 0.1))
    other = fitted(base, 0.9, 0.7, score="mine", meaning=None)
    found = predict_from(quality, other, base.checkpoint)
    assert found.claim == "Predict from structure features" and "0.990" not in found.evidence
    assert "by mine with" in found.evidence
    assert "0.990" in predict_from(quality, {**other, **fitted(base, 0.9, 0.7)}, base.checkpoint).evidence


def test_predictors_that_say_nothing_are_told_apart(base: PredictorInfo) -> None:
    unseen = fitted(base, None, None)
    assert str(predict_from(None, {}, base.checkpoint)) == "No predictor has been fitted."
    assert str(predict_from(None, unseen, base.checkpoint)).startswith("No predictor records how it does on unseen")
    earlier = predict_from(None, fitted(base, 0.9, 0.7), "of other weights")
    assert str(earlier) == "Predictors are of earlier weights only." and earlier.command == "fit"
    unnumbered = predict_from(None, {}, "x", indexed=False)
    assert unnumbered.command == "" and "index" in unnumbered.evidence


# of files


CLAIMS = {
    "enas6/svge": (UNCLEAR, f"Predict from structure features and latents{AWAY}"),
    "enas6/svge-function": (UNCLEAR, f"Predict from structure features and latents{AWAY}"),
    "nasbench101/svge": (NOTATION, f"Predict from structure features and latents{AWAY}"),
    "nasbench101/svge-function": (FUNCTION, f"{ALL} better than those of structure features"),
    "nasbench201/svge": (NOTATION, f"Predict from structure features{AWAY}"),
    "nasbench201/svge-function": (FUNCTION, f"{BOTH} as well as those of structure features"),
    "randwire/rows": ("What distances follow cannot be measured", "There is nothing to predict from"),
    "randwire/svge": ("What distances follow cannot be measured", "There is nothing to predict from"),
}


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda path: "/".join(path.parts[-2:]))
def test_the_numbers_of_shipped_checkpoints_are_those_of_their_files(folder: Path) -> None:
    model = svge.load_checkpoint(folder)
    first, second, third = model.verdict()
    assert not any(sentence.command for sentence in (first, second, third))
    assert (second.claim, third.claim) == CLAIMS["/".join(folder.parts[-2:])]
    readme = (folder / "README.md").read_text()
    assert all(f"- {markdown_text(str(sentence))}\n" in readme for sentence in (first, second, third))
    # the files are read here as what they are, without the code that makes the sentences
    counts = set(counted(json.loads((folder / "meta.json").read_text())["metrics"]))
    told = re.findall(r"[\d,]+ of [\d,]*\d", first.evidence)
    assert told and set(told) <= counts
    quality = json.loads((folder / FILE).read_text()) if (folder / FILE).is_file() else None
    if quality is None:
        return
    score = quality["neighbours"][0]
    taus = [score[name]["kendall_tau"] for name in ("latent", "one_hot", "structure", "untrained")]
    assert re.findall(r"0\.\d{3}\b", second.evidence) == [f"{tau:.3f}" for tau in taus]
    same = quality["collisions"]["equivalents"]
    if same["pairs"]:
        distances = (
            same["distance"] / quality["collisions"]["random"],
            quality["edits"]["curves"]["latent"][0]["median"],
        )
        assert re.findall(r"at (0\.\d\d)\b", second.evidence) == [f"{one:.2f}" for one in distances]
    info = json.loads((folder / "predictors" / score["key"] / "predictor.json").read_text())
    held = info["held_out"]
    told = [held["surrogate"]["kendall_tau"], held["joint"]["kendall_tau"], taus[0]]
    assert re.findall(r"0\.\d{3}\b", third.evidence) == [f"{tau:.3f}" for tau in told]
    assert f"{info['labels']:,} labels" in third.evidence and f"{held['surrogate']['of']:,} held-out" in third.evidence


def counted(part: Any) -> Iterator[str]:
    """Every count with its denominator, wherever in a file."""
    if isinstance(part, dict) and {"count", "of"} <= part.keys():
        yield f"{part['count']:,} of {part['of']:,}"
    elif isinstance(part, dict | list):
        for one in part.values() if isinstance(part, dict) else part:
            yield from counted(one)


def test_what_cannot_be_read_is_said_in_its_sentence_and_the_others_stay(tmp_path: Path) -> None:
    checkpoint = make_checkpoint(tmp_path)
    (checkpoint.folder / FILE).write_text("{")
    (checkpoint.folder / "predictors" / SCORE / "predictor.json").write_text("{")
    first, second, third = svge.load_checkpoint(checkpoint.folder).verdict()
    assert first.claim == "Reconstructs nearly every held-out cell"
    assert second.claim.endswith("cannot be read") and "quality.json is damaged" in second.evidence
    assert third.claim.endswith("cannot be read") and "is damaged" in third.evidence
    assert (second.command, third.command) == ("quality", "fit")
    assert not str(second).endswith("..")


def test_the_whole_is_its_parts(shipped: QualityContent, base: PredictorInfo) -> None:
    rows, infos, digest = [exact(0.5)], {base.score: base}, shipped.checkpoint
    whole = verdict(rows, shipped, infos, digest=digest)
    assert whole == (reconstructs(rows), follows(shipped, digest), predict_from(shipped, infos, digest))


def test_a_title_of_a_users_is_kept_letter_by_letter(shipped: QualityContent) -> None:
    plain = to_plain(shipped)
    plain["neighbours"][0]["meaning"] |= {"title": "<b>*mine*</b>", "data_set": ""}
    text = follows(to_record(plain, QualityContent), shipped.checkpoint).evidence
    assert "<b>*mine*</b>" in text
