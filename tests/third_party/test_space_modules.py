"""Where a space may be named: files, folders, packages, installed ones; what fails is one line, the rest goes on."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from svge_core import plugins
from svge_core.__main__ import main
from svge_core.errors import SvgeError
from svge_core.search.searchers import METHODS
from svge_core.spaces import SPACES, get_space
from tests.support.app_driver import open_app, words
from tests.support.cli import RunCommand
from tests.support.plugged import unplugged_after

RING = "ring:conv-gate-skip/skip-skip-conv"
#: a space of another name; registered by what imports it, if at all
CLASS = """
import svge_core as svge
from tests.third_party.ring_space import RingSpace

class Mine(RingSpace):
    name, title = "{name}", "My rings"
"""
REGISTERED = CLASS + "\nsvge.register_space(Mine())\n"
PROJECT = '[project.entry-points."svge_explorer.spaces"]\nmine = "{module}:Mine"\n'


@pytest.fixture(autouse=True)
def clean(tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """A folder of one's own; whatever is registered is forgotten."""
    with unplugged_after() as patch:
        patch.chdir(tmp_path)
        yield patch


def written(path: str, text: str) -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_a_file_is_named_and_processes_that_start_later_know_it(run: RunCommand, tmp_path: Path) -> None:
    written("folder/my_rings.py", REGISTERED.format(name="mine_file"))
    run("draw", RING, "--space", "mine_file", "--space-module", "folder/my_rings.py", "--out", "ring.svg")
    assert "My rings" in Path("ring.svg").read_text()
    assert os.environ[plugins.VARIABLE].split(",")[-1] == str(tmp_path / "folder" / "my_rings.py")
    assert sys.path[-1] == str(tmp_path / "folder"), "behind all others: it hides nothing"
    run("draw", RING, "--space", "mine_file", "--space-module=folder/my_rings.py", "--out", "ring.svg")
    assert os.environ[plugins.VARIABLE].count("my_rings") == 1


@pytest.mark.parametrize("below", ["", "src/"])
def test_a_folder_with_a_project_is_a_package_as_it_would_be_installed(run: RunCommand, below: str) -> None:
    module = f"rings_of_{below.strip('/') or 'mine'}"
    written(f"project/{below}{module}/__init__.py", CLASS.format(name="mine_project"))
    written("project/pyproject.toml", PROJECT.format(module=module))
    run("draw", RING, "--space", "mine_project", "--space-module", "project", "--out", "ring.svg")
    assert get_space("mine_project").title == "My rings"


def test_the_folder_of_a_package_and_a_module_inside_keep_their_own_names() -> None:
    written("rings_package/__init__.py", "")
    written("rings_package/inner.py", REGISTERED.format(name="mine_inner"))
    plugins.use_modules(["rings_package/inner.py"])
    assert get_space("mine_inner").__class__.__module__ == "rings_package.inner"
    written("rings_other/__init__.py", "from .inner import Mine\n")
    written("rings_other/inner.py", REGISTERED.format(name="mine_other"))
    plugins.use_modules(["rings_other"])
    assert get_space("mine_other").__class__.__module__ == "rings_other.inner"


def test_a_module_on_the_import_path_and_a_class_in_one(clean: pytest.MonkeyPatch, tmp_path: Path) -> None:
    written("library/rings_class.py", CLASS.format(name="mine_class"))
    clean.syspath_prepend(tmp_path / "library")
    plugins.use_modules(["rings_class:Mine"])
    assert get_space("mine_class").title == "My rings"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nowhere.py", "there is no such file or folder"),
        ("no.such.module", "ModuleNotFoundError"),
        ("json", "is the name of another module"),
        ("silent.py", "it was imported and registered nothing: let it call svge_core.register_space"),
        ("failing.py", "ZeroDivisionError: division by zero"),
        ("with-dash.py", "with-dash is no name of a module"),
        ("empty", "has no entry in \\[project.entry-points"),
        ("damaged", "TOMLDecodeError"),
        ("silent.py:Nothing", "No module named 'silent'"),
        ("ending.py", "SystemExit"),
    ],
)
def test_what_cannot_be_used_is_one_line(name: str, reason: str, fails: RunCommand) -> None:
    for file, text in {
        "json/__init__.py": "",
        "silent.py": "Nothing = 1\n",
        "failing.py": "1 / 0\n",
        "with-dash.py": "",
        "empty/pyproject.toml": "[project]\nname = 'x'\n",
        "damaged/pyproject.toml": "[project\n",
        "ending.py": "raise SystemExit\n",
    }.items():
        written(file, text)
    line = fails("search", "--list", "--space-module", name)
    assert line.startswith(f"svge: The plug-in {name} cannot be used (")
    with pytest.raises(SvgeError, match=reason):
        plugins.use_modules([name])
    assert name not in os.environ[plugins.VARIABLE]


def test_a_comma_and_a_missing_value_are_refused(fails: RunCommand) -> None:
    assert "without a comma; got 'a,b'" in fails("search", "--list", "--space-module", "a,b")
    assert "expected one argument" in fails("search", "--list", "--space-module")


def test_a_space_that_nobody_named_says_how(fails: RunCommand) -> None:
    assert "(--space-module MODULE)." in fails("data", "untrained", "--space", "mine_unknown")


def test_an_installed_package_that_fails_is_named_and_stops_nothing(
    clean: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for module, name, text in (
        ("rings_good", "good-rings", CLASS.format(name="mine_good")),
        ("rings_bad", "bad-rings", "import not_installed\n"),
    ):
        written(f"site/{module}.py", text)
        written(f"site/{module}-1.5.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n")
        written(f"site/{module}-1.5.dist-info/entry_points.txt", f"[svge_explorer.spaces]\n{module} = {module}:Mine\n")
    clean.syspath_prepend(tmp_path / "site")
    plugins._entries.cache_clear()
    try:
        assert main(["draw", RING, "--space", "mine_good", "--out", "ring.svg"]) == 0
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(
            "svge: The plug-in svge_explorer.spaces: rings_bad of the package bad-rings 1.5 cannot be used "
            "(ModuleNotFoundError: No module named 'not_installed'"
        )
        shown = words(open_app(space="nasbench201"))
        assert "rings_bad of the package bad-rings 1.5 cannot be used" in shown
        with pytest.raises(SvgeError, match="bad-rings 1.5"):
            plugins.load_plugins()
    finally:
        plugins._entries.cache_clear()


def test_a_method_counts_as_something_registered() -> None:
    written(
        "methods_of_mine.py",
        "import svge_core as svge\nfrom tests.third_party.coin_method import COIN\nsvge.register_method('m', COIN)\n",
    )
    plugins.use_modules(["methods_of_mine.py"])
    assert "m" in METHODS and "m" not in SPACES
