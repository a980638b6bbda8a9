"""quality.json from the command to the page: complete, checked, in words that follow from the numbers."""

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from svge_core.atlas.atlas import build_atlas
from svge_core.atlas.file import save_atlas
from svge_core.checkpoints.checkpoint import META, load_checkpoint
from svge_core.data.csv.labels import Labels
from svge_core.data.meaning import ScoreMeaning
from svge_core.errors import CheckpointError, DataError, SvgeError
from svge_core.evaluation.latent.content import QualityContent
from svge_core.evaluation.latent.file import FILE, load, round_numbers, save
from svge_core.evaluation.latent.run import measure
from svge_core.evaluation.latent.settings import STEPS, QualityConfig
from svge_core.evaluation.latent.wording import readings
from svge_core.figures.quality import MEASURES, NAMES, bars, certainty_figure, edit_figure, variance_figure
from svge_core.files.schema import to_plain, to_record
from svge_core.spaces.registry import get_space
from tests.support.app_driver import App
from tests.support.core import tiny_model, write_sampled_checkpoint
from tests.support.model_checkpoint import make_checkpoint
from tests.support.model_page import open_model_page, words
from tests.support.paths import CHECKPOINTS
from tests.support.untyped import drawn

SMALL = QualityConfig(
    sample=300,
    walks=1,
    steps=40,
    lag=8,
    pairs=400,
    labelled=120,
    permutations=3,
    draws=40,
    places=20,
    decodings=8,
    copies=20,
    map_whole=100,
    map_rows=40,
)
MEANING = ScoreMeaning(
    "made_up",
    "Made-up <b>accuracy</b>",
    "%",
    "max",
    "none",
    "none",
    None,
    "made up",
    "measured",
    "a formula",
    role="other",
    origin="user",
    single_run=False,
)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of NAS-Bench-201 with untrained weights, a map, and the file beside it."""
    root = tmp_path_factory.mktemp("root")
    checkpoint = make_checkpoint(root)
    save_atlas(checkpoint.folder, build_atlas(checkpoint, planes=("pca",)))
    save(checkpoint.folder, measure(checkpoint, [scores("nasbench201")], SMALL, command="by hand", on_step=print))
    return checkpoint.folder


def scores(name: str, cells: int = 200) -> tuple[ScoreMeaning, Labels]:
    """A score that counts edges and operations, of some cells of a space."""
    space = get_space(name)
    indices = np.unique(np.random.default_rng(0).integers(space.size or 0, size=cells))
    values = [len(c.edges) + 2.0 * len(set(c.ops)) + c.num_nodes for c in map(space.from_index, indices.tolist())]
    return MEANING, Labels(indices, np.array(values) + np.arange(len(values)) / 1e4)


@pytest.fixture
def content(measured: Path) -> dict[str, Any]:
    return json.loads((measured / FILE).read_text())


# the file


def test_everything_has_its_denominator_and_its_controls(measured: Path, content: dict[str, Any]) -> None:
    assert content["checkpoint"] == load_checkpoint(measured).digest
    assert content["cells"] == {"charted": 15_625, "sample": 300, "words": "all 15,625 cells"}
    assert 0 < content["edits"]["walk"]["pairs"] <= 40 * 8
    assert content["edits"]["random"]["spearman"]["one_hot"] == pytest.approx(1)
    assert abs(content["edits"]["random"]["spearman"]["permuted"]) < 5 / np.sqrt(300)
    assert content["edits"]["nearest"]["one_edit"]["of"] == 300
    (score,) = content["neighbours"]
    assert score["labelled"] >= score["latent"]["cells"] == 120
    assert abs(score["permuted"]["kendall_tau"]) < 6 * score["single_permutation_sd"]
    for part, of in (("cycle", 40), ("certainty", 20)):
        shares = (
            [content[part]["same"]] if part == "cycle" else [content[part][s]["unsure"] for s in ("means", "prior")]
        )
        assert all(share["of"] == of and 0 <= share["count"] <= of for share in shares)
    assert content["collisions"]["close"]["of"] == 300
    assert content["collisions"]["copies"]["equal"] == {"count": 20, "of": 20}
    (plane,) = content["maps"]
    assert plane["rows"] == 40 and plane["cells"] == 15_625 and 0.4 < plane["permuted"] < 0.6
    assert content["dimension"]["one_hot"]["width"] == 30


@pytest.mark.parametrize("name", ["nasbench101", "enas6"])
def test_other_spaces_and_no_atlas(name: str, tmp_path: Path) -> None:
    checkpoint = write_sampled_checkpoint(tmp_path, tiny_model(get_space(name), 3))
    steps: list[str] = []
    save(tmp_path, measure(checkpoint, [scores(name)], SMALL, command="by hand", on_step=steps.append))
    assert tuple(steps) == STEPS
    found = load(tmp_path, name)
    assert found is not None and [row.score for row in found.neighbours] == [MEANING]
    assert found.maps == () and "random sample of 300" in found.cells.words
    assert found.collisions.equivalents.pairs == 0
    copied = found.collisions.copies.equal
    assert copied.count == copied.of and (copied.of == 0) == (name == "enas6")
    assert [row.key for row in readings(found)][-1] == "dimension"


def test_equal_seeds_give_equal_files(measured: Path, content: dict[str, Any]) -> None:
    again = round_numbers(
        to_plain(measure(load_checkpoint(measured), [scores("nasbench201")], SMALL, command="by hand"))
    )
    assert {**again, "seconds": 0} == {**content, "seconds": 0}


def test_the_file_says_what_is_wrong(measured: Path, content: dict[str, Any], tmp_path: Path) -> None:
    assert load(tmp_path, "nasbench201") is None
    path = tmp_path / FILE

    def refused(changed: Any, message: str) -> None:
        path.write_text(changed if isinstance(changed, str) else json.dumps(changed))
        with pytest.raises(CheckpointError, match=message):
            load(tmp_path, "nasbench201")

    refused("{", "damaged")
    refused("[]", "expected an object with the field 'format_version', got list")
    refused(" " * 200_001, "larger than")
    refused("[" * 100_000, "damaged")
    refused({**content, "format_version": 2}, "format_version: expected 1, which this version reads, got 2")
    refused({**content, "space": "enas6"}, "'space' is 'enas6'")
    for place, value, message in (
        (("edits", "walk"), None, r"\$\.edits\.walk: expected object, got null"),
        (("cycle", "same"), {"count": 1}, r"\$\.cycle\.same: object missing required field of"),
        (("maps",), {}, r"\$\.maps: expected array"),
        (("maps", 0, "trustworthiness"), "high", r"\$\.maps\[0\]\.trustworthiness: expected float, got str \('high'\)"),
        (("dimension", "latent", "cumulative"), ["a"], r"\$\.dimension\.latent\.cumulative\[0\]: expected float"),
        (("neighbours", 0, "key"), 3, r"\$\.neighbours\[0\]\.key: expected str"),
        (("neighbours", 0, "meaning"), {}, "The meaning of a score"),
    ):
        broken = copy.deepcopy(content)
        part: Any = broken
        for step in place[:-1]:
            part = part[step]
        part[place[-1]] = value
        refused(broken, message)
        del part[place[-1]]
        refused(broken, f"missing required field {place[-1]}" if isinstance(place[-1], str) else "is damaged")
    with pytest.raises(DataError, match="more than 200,000"):
        save(tmp_path, to_record({**content, "command": "x" * 200_000}, QualityContent))


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(SvgeError, match="'walks' must be at least 1"):
        QualityConfig(walks=0)


def test_numbers_are_kept_to_six_digits() -> None:
    assert round_numbers({"a": [1 / 3, 7], "b": ("x", True, None)}) == {"a": [0.333333, 7], "b": ["x", True, None]}


# the words


def test_the_words_follow_from_the_numbers(content: dict[str, Any]) -> None:
    def text(key: str, change: Any = None) -> str:
        changed = copy.deepcopy(content)
        if change is not None:
            change(changed)
        return next(row.text for row in readings(to_record(changed, QualityContent)) if row.key == key)

    def put(value: Any, *place: Any):
        def change(into: Any) -> None:
            for step in place[:-1]:
                into = into[step]
            into[place[-1]] = value

        return change

    rho = ("edits", "random", "spearman", "latent")
    assert "closely" in text("edits", put(0.9, *rho)) and "not at all" in text("edits", put(0.01, *rho))
    assert "says nothing about edits" in text("edits", put(None, *rho))
    tau = ("neighbours", 0, "latent", "kendall_tau")
    assert "worth using" in text("neighbours", put(0.999, *tau))
    assert "use structure features rather" in text(
        "neighbours", lambda c: (put(0.1, *tau)(c), put(0.8, "neighbours", 0, "structure", "kendall_tau")(c))
    )
    assert "as chance does" in text("neighbours")
    assert "do not trust" in text("neighbours", put(0.5, "neighbours", 0, "permuted", "kendall_tau"))
    same = ("cycle", "same")
    assert "is the one the latent stands for" in text("cycle", put({"count": 40, "of": 40}, *same))
    assert "says little" in text("cycle", put({"count": 1, "of": 40}, *same))
    assert "sure nearly everywhere" in text("certainty", put(0.99, "certainty", "prior", "mean"))
    assert "often gives different cells" in text("certainty", put(0.2, "certainty", "prior", "mean"))
    assert "has collapsed" in text("collisions", put(0.0, "collisions", "nearest"))
    assert "cannot be told apart" in text("collisions", put({"count": 7, "of": 300}, "collisions", "close"))
    assert "this must not be" in text("collisions", put({"count": 19, "of": 20}, "collisions", "copies", "equal"))
    assert "carries nothing" in text("dimension", put([], "dimension", "latent", "cumulative"))
    assert "can be believed" in text("maps", put(0.97, "maps", 0, "trustworthiness"))
    assert "often are not" in text("maps", put(0.6, "maps", 0, "trustworthiness"))


def test_every_reading_states_what_it_is_out_of(content: dict[str, Any]) -> None:
    rows = readings(to_record(content, QualityContent))
    assert [row.key for row in rows] == [
        "edits",
        "neighbours",
        "cycle",
        "certainty",
        "collisions",
        "dimension",
        "maps",
    ]
    assert all(any(c.isdigit() for c in row.denominator) and row.text.endswith(".") for row in rows)


# the charts


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_controls_are_hollow_or_dashed(theme, content: dict[str, Any]) -> None:
    read = to_record(content, QualityContent)
    figure = edit_figure(read.edits.curves, theme)
    lines: dict[Any, Any] = {trace.name: trace for trace in drawn(figure).data if trace.marker.symbol}
    assert lines[NAMES["latent"]].line.dash == "solid" and lines[NAMES["one_hot"]].line.dash != "solid"
    for measure_name in MEASURES:
        bar = drawn(bars(read.neighbours[0], measure_name, theme)).data[0]
        assert bar.marker.color[0] != bar.marker.color[1]
        assert len(bar.x) == (4 if measure_name == "r2_best" else 5)
    for trace in drawn(certainty_figure(read.certainty, theme)).data:
        assert sum(trace.y) == pytest.approx(1)
    assert max(drawn(variance_figure(read.dimension, theme)).data[0].y) == pytest.approx(1)


# the command


def test_the_command_takes_labels_as_fit_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from svge_core.__main__ import main

    space = get_space("enas6")
    checkpoint = write_sampled_checkpoint(tmp_path / "enas6", tiny_model(space, 1))
    meaning, labels = scores("enas6", 60)
    rows = [f"{index},{value}" for index, value in zip(labels.indices, labels.values, strict=True)]
    (tmp_path / "secret.csv").write_text("\n".join(["index,mine", *rows]))
    (tmp_path / "hidden.json").write_text(json.dumps(meaning.to_dict()))
    options = [f"--{name.replace('_', '-')}={value}" for name, value in vars(SMALL).items()]
    given = ["--csv", str(tmp_path / "secret.csv"), "--score", "mine", "--meaning", str(tmp_path / "hidden.json")]
    line = ["quality", "--checkpoint", str(checkpoint.folder), "--json", *options, *given]
    monkeypatch.setattr("sys.argv", ["svge_core", *line])
    assert main(line) == 0
    out = json.loads(capsys.readouterr().out)
    assert [row["key"] for row in out["neighbours"]] == ["made_up", "params_m"]
    text = (checkpoint.folder / FILE).read_text()
    assert "secret" not in text and "hidden" not in text and str(tmp_path) not in text
    assert "--csv FILE --score mine --meaning JSON" in json.loads(text)["command"]
    assert out["replaced"] is None
    again = [word for word in line if word != "--json"]
    assert main(again) == 0
    assert capsys.readouterr().out.startswith("replaced what was measured of made_up, params_m\n")
    assert main([*line[:-2]]) == 2
    assert "go together" in capsys.readouterr().err
    assert main([*line[:4], "--score", "nothing"]) == 2
    assert "nothing" in capsys.readouterr().err
    assert main([*line[:4], "--pairs", "3"]) == 2
    assert "'pairs' must be at least" in capsys.readouterr().err


# the page


@pytest.fixture
def folder(measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SVGE_CHECKPOINTS", str(tmp_path / "checkpoints"))
    monkeypatch.setenv("SVGE_RUNS", str(tmp_path / "runs"))
    return Path(shutil.copytree(measured, tmp_path / "checkpoints" / "nasbench201" / "svge"))


def unescaped(at: App) -> str:
    return words(at).replace("\\", "")


def test_the_panel_shows_every_measure_beside_its_controls(folder: Path, content: dict[str, Any]) -> None:
    at = open_model_page("Latent quality")
    text = unescaped(at)
    for row in readings(to_record(content, QualityContent)):
        assert row.text in text, row.key
    for part in ("One-hot codes (control)", "Untrained model (control)", "Shuffled latents (control)", "Random map"):
        assert part in text, part
    assert len(at.metric) == len(readings(to_record(content, QualityContent))) + 4
    assert "<b>" not in "".join(str(e.value) for e in at.markdown if "\\<b" not in str(e.value))
    for chart in at.get("plotly_chart"):
        assert chart.proto.alt
    at.get_by_key("model_quality_measure").set_value("r2_best").run()
    assert not at.exception
    assert "earlier weights" not in unescaped(at)


def test_a_file_of_other_weights_is_named(folder: Path, content: dict[str, Any]) -> None:
    (folder / FILE).write_text(json.dumps({**content, "checkpoint": "0123456789abcdef"}))
    at = open_model_page("Latent quality")
    assert "earlier weights" in at.warning[0].value and "01234567" in at.warning[0].value
    assert any("svge_core quality" in code.value for code in at.code)


def test_a_damaged_file_is_one_message(folder: Path) -> None:
    (folder / FILE).write_text("{")
    assert "is damaged" in open_model_page("Latent quality").error[0].value


def test_shipped_files_load_and_say_of_which_weights_they_are() -> None:
    root = CHECKPOINTS
    found = [path for path in root.glob(f"*/*/{FILE}") if (path.parent / META).is_file()]
    assert any(path.parent.parent.name == "nasbench201" for path in found)
    for path in found:
        quality = load(path.parent, path.parent.parent.name)
        assert quality is not None and quality.command.startswith("python -m svge_core quality")
        assert "/tmp" not in path.read_text()
        assert quality.checkpoint == load_checkpoint(path.parent).digest, f"{path} is of other weights"
