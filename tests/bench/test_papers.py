"""``bench papers``: every row says where it is from, nothing published is invented, and the page shows it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from bench.baselines import MEASURES, all_rows
from bench.harness import results as results_table
from bench.papers import _FOUND, _QUERIES, QUESTIONS, main
from svge_core.errors import SvgeError
from svge_core.files.schema import to_record
from tests.support.app_driver import App, app_of
from tests.support.paths import ROOT
from ui.model import state as model_state
from ui.results.answers import answer
from ui.results.chart import axis_title, rows_figure
from ui.results.rows import ComparisonRow, number, pivot

PAGE = ROOT / "pages" / "results.py"

MIXED = [("s", "measured here"), ("t", "measured here"), ("s", "published")]


def runs() -> list[dict[str, Any]]:
    values = {("GCN", 1): 0.5, ("GCN-EMB", 1): 0.75, ("GCN", 2): 0.25, ("GCN-EMB", 2): 0.5}
    return [{"model": m, "seed": s, "parameters": 9, **dict.fromkeys(MEASURES, v)} for (m, s), v in values.items()]


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with some benchmarks' results."""
    folder = tmp_path / "bench" / "results"
    monkeypatch.setattr(results_table, "ROOT", tmp_path)
    monkeypatch.setattr(model_state, "ROOT", tmp_path)
    head = {"command": "python -m bench.x", "date": "2026-01-01", "settings": {}, "machine": {}}
    written = {
        "baselines": all_rows(runs()),
        "search": [{"data": "cifar10", "method": "random", "seeds": 40, "test@96": 93.8, "test@96_sd": 0.3}],
        "graphpnas": [
            {"data": "cifar100", "method": "GraphPNAS, authors' log", "seeds": 5, "final_test": 73.3, "runs": []},
            {"data": "cifar100", "method": "GraphPNAS", "seeds": 5, "final_test": 73.4, "runs": [{"seed": 0}]},
        ],
    }
    folder.mkdir(parents=True)
    for name, rows in written.items():
        (folder / f"{name}.json").write_text(json.dumps({"benchmark": name, **head, "rows": rows}))
    return tmp_path / "assets" / "results"


def test_rows_are_collected_and_marked(results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", "--checkpoint", str(tmp_path / "none")]) == 0
    output = capsys.readouterr()
    rows = json.loads(output.out)
    assert "latent_probe_enas6.json is not there" in output.err
    assert rows == json.loads((results / "papers.json").read_text())["rows"]
    assert {row["origin"] for row in rows} == {"measured here", "published"}
    assert all(row["source"] for row in rows)

    def value(system: str, measure: str, origin: str) -> Any:
        (row,) = [
            r for r in rows if (r["system"], r["origin"]) == (system, origin) and r["measure"].startswith(measure)
        ]
        return row["value"], row["value_sd"], row["seeds"]

    assert value("GCN", "Pearson", "measured here") == (0.375, pytest.approx(0.1768, abs=1e-4), 2)
    assert value("GCN-EMB minus GCN", "Pearson", "measured here") == (0.25, 0.0, 2)
    assert value("GCN", "Pearson", "published") == (0.870, 0.001, None)
    assert value("Random search", "test", "measured here") == (93.8, 0.3, 40)
    ours = [r for r in rows if r["system"] == "GraphPNAS" and r["data"] == "CIFAR-100"]
    assert {(r["value"], r["origin"]) for r in ours} == {(73.4, "measured here"), (73.345, "published")}
    assert not [r for r in rows if "log" in r["system"]], "the authors' log stands once, as published"


def test_without_any_benchmark_only_published_rows_are_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(results_table, "ROOT", tmp_path)
    assert main(["--json", "--checkpoint", str(tmp_path)]) == 0
    assert {row["origin"] for row in json.loads(capsys.readouterr().out)} == {"published"}


def test_the_page_shows_every_comparison_the_chosen_space_first(results: Path, tmp_path: Path) -> None:
    def opened(*unfolded: str) -> App:
        at = app_of(PAGE)
        at.session_state["entered_by_app"] = True
        for space in unfolded:
            at.session_state[f"results-space-{space}"] = True
        at.run()
        assert not at.exception, at.exception
        return at

    assert "bench papers" in opened().code[0].value
    assert main(["--json", "--checkpoint", str(tmp_path / "none")]) == 0
    at = opened()
    assert [header.value for header in at.header] == ["NAS-Bench-201"]
    assert [header.value for header in at.subheader] == [QUESTIONS[_FOUND], QUESTIONS[_QUERIES]]
    assert "latent" in at.info[0].value
    assert "the best published value, GraphPNAS's 73.34 ± 0.23 %, is 0.06 points worse" in told(at)
    folded = [expander.label for expander in at.expander if expander.label != "Table"]
    assert folded == ["ENAS macro, 6 layers: 7 questions", "NAS-Bench-101: 1 question"]
    rows = [row for table in at.dataframe for row in table.value.to_dict("records")]
    assert {row["Origin"] for row in rows} == {"measured here", "published"}
    at = opened("enas6")
    assert len(at.subheader) == 9
    assert set(at.dataframe[-1].value["Origin"]) == {"published"}, "the last question of ENAS was not measured here"
    assert "Not measured here; the best published value is 95.35 %, by D-VAE-EMB" in told(at)
    (results / "papers.json").write_text("{")
    assert "damaged" in opened().error[0].value
    (results / "papers.json").write_text(json.dumps({"rows": [{"system": "x"}]}))
    assert "missing required field" in opened().error[0].value


def told(at: App) -> str:
    """The Markdown of the page as people read it."""
    return re.sub(r"\\(.)", r"\1", " ".join(element.value for element in at.markdown))


def row(system: str, value: float, origin: str = "measured here", **more: Any) -> ComparisonRow:
    """One number of a made-up question."""
    plain = {"comparison": "c", "data": "d", "measure": "a, share", "source": "p"}
    return to_record({**plain, "system": system, "value": value, "origin": origin, **more}, ComparisonRow)


def test_an_answer_is_what_the_rows_say() -> None:
    here = [row("S", 0.5), row("T", 0.75, value_sd=0.01), row("U minus T", 0.9)]
    assert answer(here) == "T is the best of 2 measured, at 75.00 ± 1.00 %."
    assert answer([*here, row("V", 0.80004, "published")]) == (
        "T is the best of 2 measured, at 75.00 ± 1.00 %; the best published value, V's 80.00 %, is 5.00 points better."
    )
    assert answer([row("S", 0.500001), row("V", 0.5, "published")]).endswith("V's 50.00 %, is the same.")
    less = {"measure": "error", "direction": "min"}
    assert answer([row("S", 2.0, **less), row("T", 1.0, **less), row("V", 0.5, "published", **less)]) == (
        "T is the best of 2 measured, at 1.000; the best published value, V's 0.500, is 0.500 better."
    )
    assert answer([row(name, 1.0) for name in "ABCDE"]) == "All 5 measured are equally good, at 100.00 %."
    assert answer([*(row(name, 1.0) for name in "ABCD"), row("E", 0.1)]) == (
        "A, B, C and 1 more are the best of 5 measured, at 100.00 %."
    )
    assert answer([row("A", 0.1)]) == "A reaches 10.00 %."
    assert answer([row("A minus B", 0.1)]) == ""


def test_dots_are_the_rows_and_published_ones_are_ticks() -> None:
    found = [
        row("low", 0.25, value_sd=0.02, seeds=3),
        row("high", 0.5),
        row("low", 0.375, "published"),
        row("a minus b", 1),
    ]
    figure: Any = rows_figure(found, "dark")
    dots, ticks = figure.data
    assert (list(dots.x), list(dots.y), list(dots.error_x.array)) == ([50.0, 25.0], ["high", "low"], [0.0, 2.0])
    assert (list(ticks.x), list(ticks.y), ticks.marker.symbol) == ([37.5], ["low"], "line-ns")
    assert list(figure.layout.yaxis.categoryarray) == ["low", "high"], "the best above"
    assert figure.layout.xaxis.title.text == "A (%), higher is better"
    assert "lower is better" in axis_title(row("s", 1.0, direction="min"))


def test_measures_become_columns() -> None:
    plain = {"comparison": "c", "data": "d", "system": "s", "origin": "published", "source": "p", "seeds": 3}
    first = to_record({**plain, "measure": "a, share", "value": 0.51234, "value_sd": 0.01}, ComparisonRow)
    rows = [first, to_record({**plain, "measure": "b", "value": 2.0}, ComparisonRow)]
    (line,) = pivot(rows, ["o", "p"])
    assert (line["a"], line["b"], line["Seeds"], line["Source"]) == ("51.23 ± 1.00 %", "2.000", "3", "2")
    assert number(replace(first, system="s minus t")) == "+51.23 ± 1.00 points"
    assert number(replace(first, measure="test accuracy, %, best", value=94.344, value_sd=None)) == "94.34"
    others = [
        to_record({**plain, "system": name, "measure": "b", "value": 1.0, "origin": origin}, ComparisonRow)
        for name, origin in MIXED
    ]
    assert [(line["System"], line["Origin"]) for line in pivot(others, ["p"])] == [MIXED[0], MIXED[2], MIXED[1]]
    with pytest.raises(SvgeError, match=r"\$\.origin: invalid enum value 'guessed'"):
        to_record({**plain, "measure": "b", "value": 1.0, "origin": "guessed"}, ComparisonRow)
