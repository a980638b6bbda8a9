"""The documentation says what the code does: generated parts are current, examples run, links lead somewhere."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import svge_core
from tests.support.paths import ROOT
from tools.docs import pages
from tools.docs.charts import CHARTS
from tools.docs.drawing import FOLDER, stamp
from tools.docs.search import paired

MOST_LINES = 150
DOCS = sorted(ROOT.glob("docs/**/*.md"))
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *DOCS]
RESULTS = [path for path in DOCS if path.parent.name == "results" and path.name != "index.md"]
TUTORIALS = sorted(ROOT.glob("docs/tutorials/*.py"))
#: packages of the core that are no part of the public interface
INNER = {"api", "checks", "cli", "files", "threads", "data/csv", "graphpnas/kernels"}


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


# ---- generated parts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(pages.BLOCKS))
def test_generated_parts_are_current(name: str) -> None:
    block = pages.BLOCKS[name]
    found = re.search(rf"<!-- {name}:begin[^>]*-->\n(.*?)\n?<!-- {name}:end -->", read(block.page), re.DOTALL)
    assert found, f"{block.page} has no block {name!r}"
    assert found[1] == block.make(ROOT), f"{block.page} is out of date: run `make docs`"


@pytest.mark.parametrize("path", TEXTS, ids=name_of)
def test_every_generated_part_has_a_maker(path: Path) -> None:
    for name in re.findall(r"<!-- (\w+):begin", path.read_text("utf-8")):
        assert pages.BLOCKS[name].page == name_of(path)


@pytest.mark.parametrize("name", list(CHARTS))
def test_charts_show_the_stored_values(name: str) -> None:
    assert stamp(CHARTS[name](ROOT)) in read(f"{FOLDER}/{name}.svg"), f"{name}.svg is out of date: run `make docs`"


@pytest.mark.parametrize("page", pages.PAGES)
def test_filling_replaces_every_block_of_a_page_and_nothing_else(page: str) -> None:
    names = [name for name, block in pages.BLOCKS.items() if block.page == page]
    text = "a\n<!-- {0}:begin (x) -->\nstale text\n<!-- {0}:end -->\nb\n"
    made = pages.fill_blocks(page, "".join(text.format(name) for name in names))
    assert "stale text" not in made
    assert len(re.findall(r"(?m)^a\n<!--", made)) == len(re.findall(r"-->\nb\n", made)) == len(names)
    assert pages.fill_blocks(page, made) == made
    with pytest.raises(SystemExit, match="no block"):
        pages.fill_blocks(page, "")


# ---- numbers ----------------------------------------------------------------------------------------------------


def opening(text: str) -> str:
    """The answer of a results page: what stands between its title and its chart."""
    return text.split("\n\n")[1]


@pytest.mark.parametrize("path", RESULTS, ids=name_of)
def test_a_results_page_opens_with_its_answer_in_two_sentences_and_a_chart(path: Path) -> None:
    parts = path.read_text("utf-8").split("\n\n")
    assert re.match(r"# .+\?$", parts[0]), "the title is the question"
    sentences = re.findall(r"[.:]$", parts[1], re.MULTILINE)
    assert len(parts[1].splitlines()) == len(sentences) == 2, "the answer has one sentence a line, two in all"
    assert re.fullmatch(r"!\[[^]]{20,}\]\(\.\./assets/charts/[a-z-]+\.svg\)", parts[2].strip())


@pytest.mark.parametrize("path", RESULTS, ids=name_of)
def test_the_numbers_of_an_answer_stand_in_the_tables_below(path: Path) -> None:
    text = path.read_text("utf-8")
    below = "".join(re.findall(r"<!-- \w+:begin.*?<!-- \w+:end -->", text, re.DOTALL))
    for number in re.findall(r"\d+\.\d+", opening(text)):
        assert re.search(rf"(?<![\d.]){re.escape(number)}(?!\d)", below), f"{number} is in no table of {path.name}"


# ---- examples ---------------------------------------------------------------------------------------------------


def examples() -> Iterator[tuple[str, str]]:
    """Every Python example with its page and number."""
    for path in [ROOT / "README.md", *DOCS]:
        for number, found in enumerate(re.findall(r"```python\n(.*?)```", path.read_text("utf-8"), re.DOTALL)):
            if not found.startswith("--8<--"):
                yield f"{name_of(path)}-{number}", found


@pytest.mark.parametrize(("where", "code"), list(examples()), ids=[where for where, _ in examples()])
def test_python_examples_run(where: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "checkpoints").symlink_to(ROOT / "checkpoints")
    (tmp_path / "labels.csv").write_text("index,accuracy\n6111,91.5\n12345,80.25\n", "utf-8")
    exec(compile(code, where, "exec"), {"__name__": "example"})


def run(*words: str) -> str:
    """What a Python process prints; it must end well."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.mark.parametrize("path", TUTORIALS, ids=name_of)
def test_tutorials_run(path: Path) -> None:
    assert run(str(path))


@pytest.mark.parametrize("name", ["new_space", "function_space"])
def test_the_spaces_of_the_tutorial_pass_the_shipped_contract_without_our_fixtures(name: str) -> None:
    told = run("-m", "pytest", "--noconftest", "-p", "no:cacheprovider", f"docs/tutorials/{name}.py")
    assert re.search(r"\b2\d passed", told), told


def test_the_example_of_the_readme_is_short() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", read("README.md"), re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) <= 6  # the import and five lines


# ---- structure --------------------------------------------------------------------------------------------------


def test_the_readme_is_a_front_page() -> None:
    assert len(read("README.md").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", TEXTS, ids=name_of)
def test_links_and_pictures_lead_to_files(path: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", path.read_text("utf-8")):
        if target.startswith(("http", "#")):
            continue
        file = path.parent / target.partition("#")[0]
        shared = ROOT / "assets" / target.partition("assets/")[2]  # what the site's hooks put beside the pages
        assert file.is_file() or shared.is_file(), f"{name_of(path)} links to {target}"


def test_every_page_is_in_the_navigation_and_every_entry_is_a_page() -> None:
    named = re.findall(r"^ +- (?:[^:\n]+: )?([\w/-]+\.md)$", read("mkdocs.yml"), re.MULTILINE)
    assert sorted(named) == sorted(str(path.relative_to(ROOT / "docs")) for path in DOCS)


def test_every_package_is_in_the_reference() -> None:
    shown = re.findall(r"^::: (\S+)$", "".join(path.read_text("utf-8") for path in DOCS), re.MULTILINE)
    core = ROOT / "svge_core"
    packages = {path.parent.relative_to(core) for path in core.rglob("__init__.py")} - {Path()}
    packages = {str(name) for name in packages if not any(name.is_relative_to(inner) for inner in INNER)}
    assert packages <= {name.removeprefix("svge_core.").replace(".", "/") for name in shown}


def test_every_page_of_the_app_has_a_guide() -> None:
    for path in (ROOT / "pages").glob("*.py"):
        assert (ROOT / "docs" / "guide" / f"{path.stem}.md").is_file()


def test_the_site_loads_nothing_from_elsewhere() -> None:
    config = read("mkdocs.yml")
    assert "font: false" in config
    assert not re.search(r"https?://", config)


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/start.md"])
def test_make_targets_that_are_named_exist(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    assert set(re.findall(r"(?:`|^    )make ([a-z-]+)\b", read(name), re.MULTILINE)) <= targets


def test_the_versions_agree() -> None:
    versions = [
        found for found in re.findall(r"^## (\S+)", read("CHANGELOG.md"), re.MULTILINE) if found != "Unreleased"
    ]
    assert versions[0] == svge_core.__version__
    assert f"\nversion: {svge_core.__version__}\n" in read("CITATION.cff")


def test_the_licence_is_named_where_it_is_looked_for() -> None:
    assert "Apache License" in read("LICENSE")
    assert "license: Apache-2.0" in read("CITATION.cff")
    assert "Apache-2.0" in read("README.md")


@pytest.mark.parametrize("name", sorted(path.name for path in ROOT.glob("requirements*.txt")))
def test_every_requirement_is_pinned(name: str) -> None:
    for line in read(name).splitlines():
        wanted = line.partition("#")[0].strip()
        assert not wanted or re.fullmatch(r"[a-z0-9.-]+(\[[a-z]+\])?==[0-9][0-9a-z.]*", wanted), line


def test_pairs_of_runs_are_compared_seed_by_seed() -> None:
    ours = [{"seed": 1, "hit": 10}, {"seed": 2, "hit": 30}, {"seed": 3, "hit": None}, {"seed": 9, "hit": 1}]
    rival = [{"seed": 3, "hit": 100}, {"seed": 2, "hit": 30}, {"seed": 1, "hit": 25}]
    rows = [{"method": m, "data": "d", "runs": runs} for m, runs in (("latent-bo", ours), ("gp", rival))]
    found = paired(rows, "gp", "d", 400)
    assert (found.earlier, found.same, found.later) == (1, 1, 1)
    assert found.ours == (10 + 30 + 401) / 3 and found.rival == (25 + 30 + 100) / 3
    assert found.apart == (15 + 0 - 301) / 3
    variance = sum((d - found.apart) ** 2 for d in (15, 0, -301)) / 2
    assert abs(found.error - (variance / 3) ** 0.5) < 1e-9
