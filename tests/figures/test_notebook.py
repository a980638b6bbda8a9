"""What shows itself in a notebook, and the tutorial notebook cell by cell."""

import ast
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import svge_core as svge
from svge_core.api import OpenExplorer
from svge_core.explorer import Explorer
from svge_core.figures.notebook.views import MOST_POINTS
from tests.support.paths import ROOT

NOTEBOOK = ROOT / "docs" / "tutorials" / "notebook.ipynb"


def bundle(value: Any) -> dict[str, Any]:
    """What Jupyter asks a value for, richest first."""
    if hasattr(value, "_repr_mimebundle_"):
        return dict(value._repr_mimebundle_())
    if hasattr(value, "_repr_html_"):
        return {"text/html": value._repr_html_()}
    return {"text/plain": repr(value)}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the cells of the tutorial show, run one after another as Jupyter would."""
    document = json.loads(NOTEBOOK.read_text("utf-8"))
    assert (document["nbformat"], document["nbformat_minor"]) == (4, 5)
    folder, names, found = tmp_path_factory.mktemp("notebook"), dict[str, Any](), []
    (folder / "checkpoints").symlink_to(ROOT / "checkpoints")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for cell in document["cells"]:
            assert set(cell) >= {"cell_type", "id", "metadata", "source"}
            if cell["cell_type"] != "code":
                continue
            assert cell["outputs"] == [] and cell["execution_count"] is None, "outputs are made anew, not kept"
            tree = ast.parse("".join(cell["source"]))
            last = tree.body[-1]
            assert isinstance(last, ast.Expr)
            kept = ast.Assign([ast.Name("shown", ast.Store())], last.value)
            tree.body[-1] = ast.fix_missing_locations(ast.copy_location(kept, last))
            exec(compile(tree, "notebook", "exec"), names)
            found.append(bundle(names["shown"]))
    found.append({"explorer": names["explorer"]})
    return found


def test_the_tutorial_shows_a_map_a_cell_a_path_a_comparison_and_a_race(shown: list[dict[str, Any]]) -> None:
    best, chart, cell, path, compared, race, _ = shown
    assert "#6111, 91.61 %" in best["text/plain"]
    points = chart["application/vnd.plotly.v1+json"]["data"][0]
    assert len(points["text"]) == 15_625 and points["text"][42].startswith("#42: ")
    for picture in (chart, path, compared, race):
        assert ElementTree.fromstring(picture["image/svg+xml"]).tag.endswith("svg")
    html = cell["text/html"]
    assert "<svg" in html and "91.61 %" in html and "predicted" in html and "<script" not in html
    assert "Gap to the optimum" in race["image/svg+xml"]


def test_an_opened_explorer_is_an_explorer(shown: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    explorer = shown[-1]["explorer"]
    assert isinstance(explorer, OpenExplorer) and issubclass(OpenExplorer, Explorer)
    assert explorer.cell("#3").cell == explorer.space.from_index(3)
    monkeypatch.setattr("svge_core.figures.notebook.views.MOST_POINTS", 100)
    few: Any = explorer.map("params_m", "pca").plotly()
    assert len(few.data[0].x) == 100 and "100 of 15,625 cells" in few.layout.title.text
    rows = [int(text[1:].split(":")[0]) for text in few.data[0].text]
    assert np.asarray(few.data[0].x) == pytest.approx(explorer.atlas.planes["pca"].xy[rows, 0])
    assert MOST_POINTS == 20_000
    with pytest.raises(svge.DataError, match="no column"):
        explorer.map("speed").plotly()


def test_the_tutorial_is_named_where_tutorials_are_listed() -> None:
    assert "notebook.ipynb" in Path(ROOT / "docs" / "tutorials" / "index.md").read_text("utf-8")
