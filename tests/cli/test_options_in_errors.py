"""The core's errors name the thing; the command line adds what the option is called, the app does not."""

import ast
import re
from pathlib import Path

import pytest

from svge_core.__main__ import OPTIONS, main, with_options
from svge_core.checkpoints import META
from svge_core.errors import DataError, SvgeError
from tests.support.paths import ROOT

CORE = ROOT / "svge_core"
#: an option by itself; one of a command that is quoted whole is the thing itself
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")


def raised_texts(path: Path) -> list[str]:
    """The literal parts of what a file raises."""
    raised = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Raise)]
    return [
        "".join(part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str))
        for node in raised
    ]


def test_no_error_of_the_core_names_an_option() -> None:
    inside = [path for path in sorted(CORE.rglob("*.py")) if CORE / "cli" not in path.parents]
    texts = [(path.name, text) for path in inside for text in raised_texts(path)]
    assert len(texts) > 300
    assert [found for found in texts if _OPTION.search(found[1]) and "svge_core" not in found[1]] == []


def test_every_setting_that_an_error_names_has_an_option() -> None:
    named: set[str] = set()
    for path in CORE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "settings" and isinstance(node.value, ast.Tuple):
                named |= {str(item.value) for item in node.value.elts if isinstance(item, ast.Constant)}
    assert named == set(OPTIONS)


def test_options_stand_behind_the_text() -> None:
    assert with_options(DataError("A thing is missing: give one.")) == "A thing is missing: give one."
    error = SvgeError("The folder is full: choose another.", settings=("name", "fresh", "unheard of"))
    assert str(error) == "The folder is full: choose another."
    assert with_options(error) == "The folder is full: choose another (--name NAME, --fresh)."


def test_a_finished_checkpoint_is_kept_and_both_ways_out_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "nasbench201" / "mine"
    folder.mkdir(parents=True)
    (folder / META).write_text("{}")
    assert main(["train", "--space", "nasbench201", "--name", "mine", "--out", str(tmp_path)]) == 2
    assert (folder / META).read_text() == "{}"
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("svge: ") and line.endswith("say that it may be replaced (--name NAME, --fresh).")
