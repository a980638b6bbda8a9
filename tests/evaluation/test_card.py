"""The model card: commands that fit together, other people's texts letter by letter, shares with denominators."""

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from markdown_it import MarkdownIt

from svge_core.__main__ import build_parser
from svge_core.checkpoints import META, Checkpoint, load_checkpoint
from svge_core.evaluation.card import card
from svge_core.evaluation.recipe import recipe
from svge_core.evaluation.shares import fifths_size
from svge_core.files import markdown_text
from tests.support.model_checkpoint import SCORE, make_checkpoint
from tests.support.paths import CHECKPOINTS

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def edited(checkpoint: Checkpoint, **fields: Any) -> Checkpoint:
    """The same checkpoint with other fields in its ``meta.json``."""
    path = checkpoint.folder / META
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, **fields}))
    return load_checkpoint(checkpoint.folder)


def fitted_by(checkpoint: Checkpoint, **fields: Any) -> None:
    """Change fields of its ``predictor.json``."""
    path = checkpoint.folder / "predictors" / SCORE / "predictor.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def parsed(line: str) -> Any:
    """A command as the command line reads it."""
    program, words = shlex.split(line)[:3], shlex.split(line)[3:]
    assert program == ["python", "-m", "svge_core"]
    return build_parser(words[0]).parse_args(words)


def named(lines: list[str]) -> set[Path]:
    """The folders of all commands: the one that the last training writes, and those that the others read."""
    train = [parsed(line) for line in lines if " train" in line]
    others = [parsed(line) for line in lines if " train" not in line]
    for before, after in zip(train, train[1:], strict=False):
        assert after.initial == before.out / before.space / before.name
    return {train[-1].out / train[-1].space / train[-1].name, *(one.checkpoint for one in others)}


@pytest.mark.parametrize("path", sorted(CHECKPOINTS.glob("*/svge")), ids=lambda path: path.parent.name)
def test_shipped_cards_are_current_and_their_commands_name_one_folder(path: Path) -> None:
    checkpoint = load_checkpoint(path)
    assert (path / "README.md").read_text() == card(checkpoint), "write the card again: python -m svge_core card"
    lines = recipe(checkpoint)
    assert named(lines) == {Path("checkpoints") / path.parent.name / "svge"}
    for name, command in (("quality", "quality"), ("extrapolation", "extrapolate"), ("atlas", "atlas")):
        there = any(path.glob(f"{name}.*"))
        assert sum(f" {command} " in line for line in lines) == there
    assert sum(" fit " in line for line in lines) == len(list(path.glob("predictors/*/predictor.json")))


@pytest.mark.parametrize(
    ("trained", "folder"),
    [
        ("train --space nasbench201 --name tiny --out models", "models/nasbench201/tiny"),
        ("train --out='my models' --name=tiny --json", "my models/nasbench201/tiny"),
        ("train", "checkpoints/nasbench201/svge"),
    ],
)
def test_a_checkpoint_that_lies_elsewhere_is_named_as_its_training_names_it(
    tmp_path: Path, trained: str, folder: str
) -> None:
    checkpoint = make_checkpoint(tmp_path / "moved", "elsewhere")
    fitted_by(checkpoint, command=f"python -m svge_core fit --checkpoint=elsewhere --score {SCORE} --labels 50")
    lines = recipe(edited(checkpoint, command=f"python -m svge_core {trained}"))
    assert [line.split()[3] for line in lines] == ["train", "evaluate", "fit", "card"]
    assert named(lines) == {Path(folder)}
    assert parsed(lines[2]).labels == 50 and parsed(lines[2]).score == SCORE


def test_what_was_not_typed_is_said_and_not_made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = make_checkpoint(tmp_path / "ck", "tiny")
    call = "svge_core.train('nasbench201', 'tiny', ModelConfig(hidden=8))"
    checkpoint = edited(checkpoint, command=call, metrics=[])
    monkeypatch.chdir(tmp_path)
    first, fit, last = recipe(checkpoint)
    assert first == call
    assert fit == f"# the predictor of {SCORE}: 50 labels; its command is not recorded"
    assert parsed(last).checkpoint == Path("ck/nasbench201/tiny")
    (tmp_path / "away").mkdir()
    monkeypatch.chdir(tmp_path / "away")
    assert str(tmp_path) not in card(checkpoint), "absolute folders are not given away"
    assert recipe(edited(checkpoint, command=""))[0] == "# the command that trained it is not recorded"


def test_what_was_not_measured_stands_with_its_command(tmp_path: Path) -> None:
    checkpoint = make_checkpoint(tmp_path, "tiny", full=False)
    opening = card(checkpoint).split("## How")[0]
    assert [line.rpartition("Command: ")[2] for line in opening.splitlines() if line.startswith("- ")] == [
        f"`python -m svge_core {command}`." for command in ("evaluate", "quality", "fit")
    ]


def test_the_first_training_and_what_is_of_other_weights(tmp_path: Path) -> None:
    checkpoint = make_checkpoint(tmp_path, "tiny")
    first = "python -m svge_core train --name before --out /x/models"
    environment = {"initial_command": first, "initial_epochs": 2}  # as files said it before there were chains
    train = "python -m svge_core train --initial before --name tiny"
    checkpoint = edited(checkpoint, environment=environment, command=train, metrics=[])
    lines = recipe(checkpoint)
    assert lines[0] == first
    assert parsed(lines[1]).initial == Path("/x/models/nasbench201/before")
    (checkpoint.folder / "quality.json").write_bytes((CHECKPOINTS / "nasbench201/svge/quality.json").read_bytes())
    assert not any(" quality" in line for line in recipe(checkpoint)), "measured on other weights"


def test_trainings_that_start_from_each_other_stand_in_their_order(tmp_path: Path) -> None:
    checkpoint = make_checkpoint(tmp_path, "tiny")
    before = [
        "python -m svge_core train --name first",
        "python -m svge_core train --name second --initial elsewhere",
    ]
    environment = {"initial_commands": json.dumps(before), "initial_epochs": 9, "initial_longest": 6}
    train = "python -m svge_core train --initial /tmp/x --name tiny"
    checkpoint = edited(checkpoint, environment=environment, command=train)
    lines = recipe(checkpoint)
    assert lines[0] == before[0]
    assert parsed(lines[1]).initial == Path("checkpoints/nasbench201/first")
    assert parsed(lines[2]).initial == Path("checkpoints/nasbench201/second")
    own = checkpoint.meta.own_epochs
    assert own == checkpoint.meta.training["epochs"]
    assert checkpoint.meta.total_epochs == own + 9
    assert checkpoint.meta.longest_run == max(own, 6)
    assert f"{own} epochs after 9 of the commands before" in card(checkpoint)


@pytest.mark.parametrize("text", ["[", "7", '"train"', "nonsense"])
def test_earlier_commands_that_are_no_list_are_one(text: str, tmp_path: Path) -> None:
    meta = edited(make_checkpoint(tmp_path, "tiny"), environment={"initial_commands": text}).meta
    assert meta.commands == [text, meta.command]


HOSTILE = (
    "<script>alert(1)</script> &lt;b&gt;",
    "a | b\n| c |",
    "[click](javascript:alert(1)) ![x](y) <https://x.example>",
    "**bold** _it_ __x__ ~~gone~~ `code` $x^2$ :red[x] :smile: \\[x\\]",
    "``` # no heading\n\n## nor here",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_title_of_a_users_is_shown_letter_by_letter(text: str, tmp_path: Path) -> None:
    checkpoint = make_checkpoint(tmp_path, "tiny")
    held_out = {
        "surrogate": {"kendall_tau": 0.5, "rmse": None, "of": 21, "coverage": 0.5, "coverage_fifths": [0.5] * 5}
    }
    own = {"description": text, "score": text, "command": f"python -c '{text}'"}
    fitted_by(checkpoint, held_out=held_out, format_version=3, **own)
    tokens = READER.parse(card(checkpoint))
    (verdict,) = [token.children or [] for token in tokens if token.type == "inline" and "GP + trees" in token.content]
    assert {child.type for child in verdict} <= {"text", "text_special"}
    assert f" by {' '.join(text.split())} with Kendall tau 0.500" in "".join(child.content for child in verdict)
    cells = [token for token in tokens if token.type == "inline" and "Gaussian process" in token.content]
    assert len(cells) == 1
    children = cells[0].children or []
    assert {child.type for child in children} <= {"text", "text_special"}
    shown = "".join(child.content for child in children)
    assert shown.startswith(" ".join(text.split()) + ": ")
    row = "".join(token.content for token in tokens[tokens.index(cells[0]) :] if token.type == "inline")
    assert "50.0 % (of 90 %)" in row and "(n = 4 or 5)" in row
    headings = [tokens[place + 1].content for place, token in enumerate(tokens) if token.type == "heading_open"]
    assert headings[1:] == [
        "How it was made",
        "What it measures",
        "Predictors",
        "What it is good for, and what not",
    ]


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60))
def test_no_text_is_markup_inside_a_line(text: str) -> None:
    line = f"x {markdown_text(text)} x"
    (paragraph,) = (token for token in READER.parse(line) if token.type == "inline")
    assert {child.type for child in paragraph.children or []} <= {"text", "text_special"}
    assert "".join(child.content for child in paragraph.children or []) == f"x {' '.join(text.split())} x"


@pytest.mark.parametrize("count", [5, 20, 21, 24, 14_844])
def test_the_size_of_a_fifth_is_that_of_the_parts(count: int) -> None:
    sizes = sorted({len(part) for part in np.array_split(np.arange(count), 5)})
    assert fifths_size(count) == "n = " + " or ".join(f"{size:,}" for size in sizes)


def test_the_space_of_a_plugin_is_escaped_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = make_checkpoint(tmp_path, "tiny")
    monkeypatch.setattr(type(checkpoint.model.space), "title", "<b>my</b> `space`")
    (title,) = [token for token in READER.parse(card(replace(checkpoint))) if token.type == "inline"][:1]
    assert title.content.endswith("on \\<b\\>my\\</b\\> \\`space\\`")
