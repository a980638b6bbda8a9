"""The documentation says what the code does: generated parts are current, links lead somewhere, versions are pinned."""

import re

import pytest

import svge_core
from tests.support.paths import ROOT
from tools.docs import pages as readme

README = (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("name", list(readme.BLOCKS))
def test_generated_parts_of_the_readme_are_current(name: str) -> None:
    found = re.search(rf"<!-- {name}:begin[^>]*-->\n(.*?)\n?<!-- {name}:end -->", README, re.DOTALL)
    assert found, f"README.md has no block {name!r}"
    assert found[1] == readme.BLOCKS[name](), "README.md is out of date: run `make readme`"


def test_every_core_file_page_and_command_is_named() -> None:
    for folder in ("svge_core", "pages"):
        for path in (ROOT / folder).rglob("*.py"):
            if path.name != "__init__.py":
                assert f"`{path.relative_to(ROOT)}`" in README, (
                    f"{path} has no docstring or is missing: run `make readme`"
                )


def test_filling_replaces_every_block_and_nothing_else() -> None:
    text = "a\n<!-- {0}:begin (x) -->\nstale text\n<!-- {0}:end -->\nb\n"
    made = readme.filled("".join(text.format(name) for name in readme.BLOCKS))
    assert "stale text" not in made
    assert len(re.findall(r"(?m)^a\n<!--", made)) == len(re.findall(r"-->\nb\n", made)) == len(readme.BLOCKS)
    assert readme.filled(made) == made
    with pytest.raises(SystemExit, match="no block"):
        readme.filled("")


def test_links_and_pictures_lead_to_files() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert targets
    for target in targets:
        assert target.startswith("http") or (ROOT / target).is_file(), target


def test_make_targets_that_are_named_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:`|^    )make ([a-z]+)\b", README, re.MULTILINE))
    assert {"app", "test"} <= named <= targets


def test_the_changelog_begins_with_this_version() -> None:
    versions = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert versions[0] == svge_core.__version__


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned(name: str) -> None:
    for line in (ROOT / name).read_text("utf-8").splitlines():
        wanted = line.partition("#")[0].strip()
        assert not wanted or re.fullmatch(r"[a-z0-9.-]+(\[[a-z]+\])?==[0-9][0-9a-z.]*", wanted), line
