"""What shows itself in a notebook, and the tutorial notebook cell by cell."""

import ast
import json
from dataclasses import replace
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

SVG = "{http://www.w3.org/2000/svg}svg"
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
    found.append({"explorer": names["explorer"], "runs": names["runs"]})
    return found


def test_the_tutorial_shows_a_map_a_cell_a_path_a_comparison_and_a_race(shown: list[dict[str, Any]]) -> None:
    best, chart, cell, path, compared, race, *_ = shown
    assert "#6111, 91.61 %" in best["text/plain"]
    points = chart["application/vnd.plotly.v1+json"]["data"][0]
    assert len(points["text"]) == 15_625 and points["text"][42].startswith("#42: ")
    for picture in (chart, path, compared, race):
        assert ElementTree.fromstring(picture["image/svg+xml"]).tag.endswith("svg")
    html = cell["text/html"]
    assert "<svg" in html and "91.61 %" in html and "predicted" in html and "<script" not in html
    assert "Gap to the optimum" in race["image/svg+xml"]


def test_a_comparison_a_path_and_a_run_show_drawings_and_tables(shown: list[dict[str, Any]]) -> None:
    compared, way, run = (each["text/html"] for each in shown[6:9])
    for html in (compared, way, run):
        document = ElementTree.fromstring(html)  # well-formed: whatever a text holds, it stays a text
        assert not {element.tag for element in document.iter()} & {"script", "link", "img", "iframe", "style"}
        assert document.findall(f".//{SVG}") and document.findall(".//table")
        for drawing in document.findall(f".//{SVG}/.."):  # dark lines, on whatever ground the notebook has
            assert "background:#ffffff" in drawing.attrib["style"]
    text = " ".join("".join(ElementTree.fromstring(compared).itertext()).split())
    assert "2 architectures of NAS-Bench-201" in text and "91.61 %" in text and "#6111" in text
    guessed = [each.text or "" for each in ElementTree.fromstring(compared).iter("i")]
    assert guessed and all(each.startswith("≈ ") for each in guessed)
    rows = ElementTree.fromstring(way).findall(".//tbody/tr")
    path = svge.interpolate(shown[-1]["explorer"], *(shown[-1]["explorer"].space.from_index(i) for i in (42, 6111)))
    assert len(rows) == len(path.frames) and f"{len(path.stops)} stops" in way
    assert [row[2].text for row in rows] == [path.space.format(frame.cell) for frame in path.frames]
    view = shown[-1]["runs"][0]
    rows = ElementTree.fromstring(run).findall(".//tbody/tr")
    expected = sorted(view.done, key=lambda each: (-each.values[0], each.number))[:5]
    assert [row[1].text for row in rows] == [each.notation for each in expected]
    assert "20 of 20 evaluations" in run and f"{view.best.values[0]:,.5g} %" in run


def test_no_text_of_a_run_is_read_as_markup(shown: list[dict[str, Any]]) -> None:
    view = shown[-1]["runs"][0]
    nasty = "<img src=x onerror=alert(1)>&"
    found = replace(view, problem=nasty, domain_title=nasty, config=replace(view.config, method="evolution"))
    html = found._repr_html_()
    assert "<img" not in html and html.count("&lt;img src=x onerror=alert(1)&gt;&amp;") == 2
    several = replace(view, goals=(view.goals[0], replace(view.goals[0], key="again")))
    doubled = [each if each.values is None else replace(each, values=each.values * 2) for each in view.evaluations]
    shown_front = replace(several, evaluations=tuple(doubled))._repr_html_()
    assert "Pareto front: 1 of 20" in shown_front
    assert "No evaluation is finished" in replace(view, evaluations=())._repr_html_()


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
