"""The verdict that opens the Model page: before every number, with its commands, letter by letter."""

import json
from pathlib import Path

import pytest

from svge_core.checkpoints import load_checkpoint
from svge_core.evaluation.latent.file import FILE
from svge_core.evaluation.verdict import verdict_of
from tests.support.app_driver import App
from tests.support.model_checkpoint import SCORE, make_checkpoint
from tests.support.model_page import open_model_page
from tests.support.paths import CHECKPOINTS

SHIPPED = sorted(path.parent for path in CHECKPOINTS.glob("*/*/meta.json"))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SVGE_CHECKPOINTS", str(tmp_path / "checkpoints"))
    monkeypatch.setenv("SVGE_RUNS", str(tmp_path / "runs"))
    return tmp_path / "checkpoints"


def opening(at: App) -> str:
    """The verdict as it is written, escapes and all; it is the first text under the title's caption."""
    kinds = [element.type for element in at.main if element.type in ("title", "caption", "markdown", "metric")]
    assert kinds[:4] == ["title", "caption", "markdown", "metric"]
    return str(at.markdown[0].value)


def read(text: str) -> str:
    """As a browser shows it."""
    return text.replace("\\", "").replace("**", "")


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda path: "/".join(path.parts[-2:]))
def test_every_shipped_checkpoint_opens_with_its_verdict(folder: Path, root: Path) -> None:
    at = open_model_page(folder=folder)
    sentences = [str(sentence) for sentence in verdict_of(load_checkpoint(folder))]
    assert read(opening(at)).split("\n\n") == sentences
    # the numbers below are those of the first sentence
    for metric in at.metric:
        if " of " in str(metric.delta):
            assert f"{metric.value} " in sentences[0] and str(metric.delta) in sentences[0]


def test_what_is_missing_has_its_command(root: Path) -> None:
    checkpoint = make_checkpoint(root, full=False)
    at = open_model_page()
    first, second, third = opening(at).split("\n\n")
    for line, command in ((first, "evaluate"), (second, "quality"), (third, "fit")):
        assert f"`python -m svge_core {command} --checkpoint {checkpoint.folder}`" in line
        assert line.startswith("**") and line.endswith("`.")


def test_a_damaged_file_and_a_strangers_title_are_plain_text(root: Path) -> None:
    checkpoint = make_checkpoint(root)
    (checkpoint.folder / FILE).write_text('{"format_version": 1, "<b>*x*</b>": `rm`}')
    path = checkpoint.folder / "predictors" / SCORE / "predictor.json"
    held_out = {"surrogate": {"kendall_tau": 0.5, "rmse": 1.0, "of": 21}}
    path.write_text(
        json.dumps({**json.loads(path.read_text()), "held_out": held_out, "score": "<i>_s_</i> `c` :red[x]"})
    )
    first, second, third = opening(open_model_page()).split("\n\n")
    assert "155,000 of 156,200" in first and "cannot be read" in second and "damaged" in second
    assert r"by \<i\>\_s\_\</i\> \`c\` \:red\[x\] with" in third
