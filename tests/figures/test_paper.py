"""Figures for papers: size, fonts, equal bytes, what they say; the command line draws the same as the Python call."""

import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from scipy.stats import percentileofscore, rankdata

import svge_core as svge
from svge_core.__main__ import main
from svge_core.atlas import select_in_polygon
from svge_core.comparison import compare_cells, score_rows
from svge_core.data import scores_from_columns
from svge_core.drawing import cell_strokes, to_svg
from svge_core.errors import SvgeError
from svge_core.explorer import CellFilter, Explorer, map_column, map_names
from svge_core.figures.notebook.views import MapView
from svge_core.figures.paper import WIDTHS, PaperFigure, PaperForm
from svge_core.figures.paper.colours import bar_values, placed, rank_shares
from svge_core.figures.paper.layers import draw_contours, draw_surface
from svge_core.figures.paper.protocol import row_lines
from svge_core.figures.paper.sheet import NOTE, wrapped
from svge_core.interpolation import path_scores
from svge_core.search.runs import RunView, SearchConfig, create_run, execute, read_run
from svge_core.spaces.registry import SPACES
from tests.support.meanings import made_up
from tests.support.paths import ROOT

FOLDER = ROOT / "checkpoints" / "nasbench201" / "svge"
OUTLINE = ((-1.5, 2.0), (3.0, 4.25), (5.0, -6.0))
SPACE = SPACES["nasbench201"]


@pytest.fixture(scope="module")
def explorer() -> Explorer:
    return svge.open_explorer(FOLDER)


@pytest.fixture(autouse=True)
def opened_once(explorer: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line gets what is open already: opening it again and again takes seconds."""

    def opened(folder: Path, device: object) -> Explorer:
        assert folder == FOLDER
        return explorer

    monkeypatch.setattr("svge_core.cli.own_parts.open_explorer", opened)


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('figures') / 'runs.db'}"


@pytest.fixture(scope="module")
def runs(storage: str) -> list[RunView]:
    """Two methods with two seeds each, with two goals: a race."""
    goals = ("table:cifar10_valid", "table:params_m")
    configs = [
        SearchConfig("nasbench201", goals, m, 12, seed=s, race="duel") for m in ("random", "evolution") for s in (0, 1)
    ]
    names = [create_run(storage, config) for config in configs]
    for name in names:
        execute(storage, name)
    return [read_run(storage, name) for name in names]


@pytest.fixture(scope="module")
def figures(explorer: Explorer, runs: list[RunView]) -> dict[str, tuple[PaperFigure, list[str]]]:
    """A figure of each kind, and the words of the command line that ask for the same."""
    cells = [SPACE.from_index(index) for index in (6_111, 9_930, 42)]
    where = ["--checkpoint", str(FOLDER)]
    return {
        "map": (
            svge.figure_map(
                explorer,
                "predicted-cifar10_valid",
                cells=cells[:1],
                outline=OUTLINE,
                ranks=True,
                contours=True,
                surface=True,
            ),
            ["--colour", "predicted-cifar10_valid", "--cell", "6111", "--ranks", "--contours", "--surface", *where]
            + ["--outline=" + ";".join(f"{x},{y}" for x, y in OUTLINE)],
        ),
        "path": (
            svge.figure_path(explorer, svge.interpolate(explorer, cells[2], cells[0], stops=7), "cifar100_valid"),
            ["#42", "6111", "--stops", "7", "--score", "cifar100_valid", *where],
        ),
        "race": (svge.figure_race(runs), ["duel"]),
        "front": (svge.figure_front(runs[::-1], width="text"), ["duel", "--width", "text"]),
        "compare": (
            svge.figure_compare(svge.compare(explorer, cells), reference=1),
            ["6111", "9930", "#42", "--reference", "2", *where],
        ),
        "cell": (svge.figure_cell(explorer, cells[0]), [SPACE.format(cells[0]), *where]),
    }


KINDS = ("map", "path", "race", "front", "compare", "cell")


def words_of(svg: str) -> str:
    return " ".join(
        "".join(part.itertext()) for part in ElementTree.fromstring(svg).iter() if part.tag.endswith("text")
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_command_line_draws_the_same_bytes(
    kind: str, figures: dict[str, tuple[PaperFigure, list[str]]], storage: str, tmp_path: Path
) -> None:
    figure, words = figures[kind]
    store = ["--storage", storage] if kind in ("race", "front") else []
    form: PaperForm = "svg" if kind == "map" else "png" if kind == "race" else "pdf"
    path = tmp_path / f"figure.{form}"
    assert main(["figure", kind, *words, *store, "--out", str(path)]) == 0
    assert path.read_bytes() == figure.to_bytes(form)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_as_wide_as_the_column_and_its_text_is_text(
    kind: str, figures: dict[str, tuple[PaperFigure, list[str]]]
) -> None:
    figure, _ = figures[kind]
    inches = WIDTHS[figure.width][0]
    pdf, svg = figure.to_bytes("pdf"), figure.to_bytes("svg").decode()
    box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ", pdf)
    assert box and float(box[1]) == pytest.approx(72 * inches)
    assert b"/Type3" not in pdf and b"/FontFile2" in pdf, "fonts as IEEE and arXiv ask for them"
    assert f'width="{72 * inches:g}pt"' in svg
    shown = words_of(svg)
    assert figure.protocol[-1].split()[-1] in shown, "what the numbers are stands below"
    assert any("epochs" in line and "seeds" in line for line in figure.protocol)
    outside = [
        part for part in re.findall(r'(?:href|src)="([^"]*)"', svg) if not part.startswith(("#", "data:image/png"))
    ]
    assert outside == [] and "<script" not in svg
    sizes = [float(size) for size in re.findall(r"font(?:-size)?: (?:\w+ )*([\d.]+)px", svg)]
    assert sizes and min(sizes) >= 5.0, "readable where it is printed"


def test_a_png_has_400_dots_an_inch(figures: dict[str, tuple[PaperFigure, list[str]]]) -> None:
    image = Image.open(io.BytesIO(figures["cell"][0].to_bytes("png")))
    assert image.width == 400 * 3.25 and image.getpixel((0, 0))[:3] == (255, 255, 255)  # type: ignore[index]
    assert figures["cell"][0].as_wide_as("double").width == "double"


def test_a_map_says_what_is_selected(explorer: Explorer, figures: dict[str, tuple[PaperFigure, list[str]]]) -> None:
    rows = select_in_polygon(explorer.atlas.planes["umap"].xy, np.asarray(OUTLINE))
    text = " ".join(figures["map"][0].protocol)
    assert f"In colour: {len(rows):,} cells inside the outline" in text and "Predicted: " in text
    assert "cifar10-valid" in text and ": predicted, validation" in text
    narrow = svge.figure_map(explorer, conditions=CellFilter(contains=("none",), held_out_only=True))
    kept = explorer.held_out & (explorer.operation_counts[:, SPACE.operations.index("none")] > 0)
    assert f"In colour: {int(kept.sum()):,} cells that pass the filter" in " ".join(narrow.protocol)


@pytest.mark.parametrize("ranks", [False, True])
def test_a_surface_has_the_interpolated_values_in_the_colours_of_the_points_and_contours_hold_their_shares(
    explorer: Explorer, ranks: bool
) -> None:
    from matplotlib.figure import Figure
    from matplotlib.path import Path as Outline

    layout, shown = explorer.atlas.planes["pca"], map_column(explorer, "params_m")
    axes = Figure().add_subplot()
    limits = (0.0, 1.0) if ranks else (shown.low, shown.high)
    among = np.sort(shown.values)
    draw_surface(axes, layout, shown, "viridis", limits, (lambda v: rank_shares(v, among)) if ranks else lambda v: v)
    (image,) = axes.images
    masked: Any = image.get_array()
    drawn, (left, right, low, high) = np.ma.getdata(masked), image.get_extent()
    assert image.get_clim() == limits
    rows, columns = np.nonzero(~np.ma.getmaskarray(masked))
    assert 1_000 < len(rows) < drawn.size
    for row, column in list(zip(rows, columns, strict=True))[::4_000]:
        # the middle of the pixel as it is printed
        at = [
            left + (column + 0.5) * (right - left) / drawn.shape[1],
            low + (row + 0.5) * (high - low) / drawn.shape[0],
        ]
        apart = np.linalg.norm(layout.xy.astype(np.float64) - at, axis=1)
        near = np.argsort(apart, kind="stable")[:8]
        weights = 1 / np.maximum(apart[near], 1e-9) ** 2
        value = (weights * shown.values[near]).sum() / weights.sum()
        expected = percentileofscore(among, value, "mean") / 100 if ranks else value
        assert drawn[row, column] == pytest.approx(expected, abs=2e-3)
    draw_contours(axes, layout)
    halo, lines = axes.collections
    assert len(lines.get_paths()) == len(halo.get_paths()) == 4
    for share, path in zip((0.95, 0.75, 0.5, 0.25), lines.get_paths(), strict=True):
        parts = path.to_polygons(closed_only=False)
        inside = (
            np.sum([Outline(part).contains_points(layout.xy) for part in parts], axis=0) % 2 == 1
        )  # holes count out
        assert inside.mean() == pytest.approx(share, abs=0.03)


def test_a_figure_says_what_lies_between_the_points(
    explorer: Explorer, figures: dict[str, tuple[PaperFigure, list[str]]]
) -> None:
    text = " ".join(figures["map"][0].protocol)
    assert "interpolated on the map, not measured" in text and "hold 25, 50, 75 and 95 % of the points" in text
    plain = " ".join(svge.figure_map(explorer).protocol)
    assert "interpolated" not in plain and "contours" not in plain


def test_selected_cells_without_a_value_are_not_in_colour(explorer: Explorer) -> None:
    values = np.full(len(explorer.atlas), np.nan)
    values[::2] = 1.0
    own = explorer.with_scores(
        scores_from_columns("nasbench201", {"user_x": values}, {"user_x": made_up("user_x", origin="user")})
    )
    rows = select_in_polygon(explorer.atlas.planes["umap"].xy, np.asarray(OUTLINE))
    text = " ".join(svge.figure_map(own, "user_x", plane="umap", outline=OUTLINE).protocol)
    assert f"In colour: {(rows % 2 == 0).sum():,} cells inside the outline" in text


def test_what_is_only_predicted_is_not_called_measured(explorer: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        row
        for row in score_rows(explorer, [explorer.inspect_cell(SPACE.from_index(6_111))])
        if row.meaning.key == "cifar10_valid"
    ]
    assert [row.kind for row in rows] == ["measured", "predicted"]
    assert ": measured, validation" in " ".join(row_lines(rows))
    alone = " ".join(row_lines(rows[1:]))
    assert ": predicted, validation" in alone and "measured" not in alone

    way = svge.interpolate(explorer, SPACE.from_index(42), SPACE.from_index(6_111), stops=3)
    assert ": measured, validation" in " ".join(svge.figure_path(explorer, way, "cifar10_valid").protocol)
    found = path_scores(explorer, way, "cifar10_valid")
    unknown = replace(found, known=np.full_like(found.known, np.nan))
    monkeypatch.setattr("svge_core.figures.paper.path.path_scores", lambda *_: unknown)
    assert ": predicted, validation" in " ".join(svge.figure_path(explorer, way, "cifar10_valid").protocol)


def test_runs_are_counted_by_method_and_race_and_seeds_are_those_there_are(runs: list[RunView]) -> None:
    later = [replace(view, config=replace(view.config, seed=view.config.seed + 5)) for view in runs]
    text = " ".join(svge.figure_race({"A": runs, "B": later}).protocol)
    assert "; 2 runs a method and race, seeds 0, 1, 5 and 6." in text
    three = [replace(view, config=replace(view.config, seed=seed)) for seed, view in enumerate(runs[:2] + runs[:1])]
    assert "seeds 0 to 2." in " ".join(svge.figure_race(three).protocol)


def test_a_front_names_all_goals_that_decide_it(runs: list[RunView]) -> None:
    more = replace(runs[0].goals[1], key="user_z", meaning=made_up("user_z", title="Third goal", direction="min"))
    wide = [
        replace(
            view,
            goals=(*view.goals, more),
            evaluations=tuple(
                replace(e, values=None if e.values is None else (*e.values, 1.0)) for e in view.evaluations
            ),
        )
        for view in runs
    ]
    text = " ".join(svge.figure_front(wide).protocol)
    assert "not dominated in the 3 goals" in text and "hird goal: less is better" in text


def test_ranks_are_those_of_scipy() -> None:
    values = np.random.default_rng(0).integers(0, 30, 200).astype(float)
    assert rank_shares(values, values) == pytest.approx((rankdata(values) - 0.5) / len(values))


@pytest.mark.parametrize("limits", [None, (60.0, 90.0)])
def test_ranks_between_ends_are_those_of_the_page(explorer: Explorer, limits: tuple[float, float] | None) -> None:
    shown = map_column(explorer, "cifar10_valid")
    low, high = limits or (shown.low, shown.high)
    assert shown.values.min() < low < high and (limits is None or high < shown.values.max())
    ends, place = placed(shown, limits, ranks=True)
    ranks = rankdata(np.clip(shown.values, low, high))
    assert ends == (0.0, 1.0)
    assert place(shown.values) == pytest.approx((ranks - ranks.min()) / (ranks.max() - ranks.min()), abs=1e-12)
    assert (placed(shown, (95.0, 96.0), ranks=True)[1](shown.values) == 0.5).all(), "all lie beyond one end"
    figure = svge.figure_map(explorer, "cifar10_valid", plane="pca", ranks=True, limits=limits)
    found = words_of(figure.to_bytes("svg").decode())
    assert f"≤ {low:.4g}" in found and (f"≥ {high:.4g}" in found) is (limits is not None)
    assert ("Values beyond 60 and 90 have" in " ".join(figure.protocol)) is (limits is not None)
    # the value at half of the bar has about half the cells between the ends below it
    middle = bar_values(shown.values, low, high, 3)[1]
    assert place(np.array([middle]))[0] == pytest.approx(0.5, abs=0.01)


def test_lines_fit_into_the_column() -> None:
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    text = "Validation accuracy (%), CIFAR-10: " + "|nor_conv_3x3~0|" * 12 + " 200 epochs, mean of 2-3 seeds"
    lines = wrapped(text, 2.0)
    font = FontProperties(family="DejaVu Sans", size=NOTE)
    assert max(TextPath((0, 0), line, prop=font).get_extents().x1 for line in lines) <= 72 * 2.0
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_strokes_are_those_of_the_drawing() -> None:
    cell = SPACE.from_index(6_111)
    svg = ElementTree.fromstring(to_svg(cell, SPACE))
    found = cell_strokes(cell, SPACE).strokes
    count = {tag: sum(part.tag.endswith(f"}}{tag}") for part in svg.iter()) for tag in ("text", "ellipse")}
    shapes = [stroke.shape for stroke in found]
    assert (shapes.count("text"), shapes.count("ellipse")) == (count["text"], count["ellipse"])
    labels = [text.text for text in svg.iter() if text.tag.endswith("}text")]
    assert sorted(stroke.text for stroke in found if stroke.text) == sorted(map(str, labels))


def test_what_users_write_is_shown_letter_by_letter(explorer: Explorer) -> None:
    title = "<b>$x^2$ & 'loss'</b>"
    values = np.linspace(0, 1, len(explorer.atlas))
    own = explorer.with_scores(
        scores_from_columns(
            "nasbench201", {"user_x": values}, {"user_x": made_up("user_x", title=title, origin="user")}
        )
    )
    assert title in words_of(svge.figure_map(own, "user_x").to_bytes("svg").decode())


TRUST = ["kept-neighbours-umap", "neighbours-differ-cifar10_valid"]


def test_columns_of_trust_filter_a_figure_and_colour_a_notebook(explorer: Explorer) -> None:
    assert set(TRUST) <= {name.key for name in map_names(explorer)}
    filtered = svge.figure_map(explorer, conditions=CellFilter(score_key=TRUST[0], score=(0.0, 50.0)))
    few = int((map_column(explorer, TRUST[0]).values <= 50).sum())
    assert f"In colour: {few:,} cells that pass the filter" in " ".join(filtered.protocol)
    shown: Any = MapView(explorer, TRUST[0], "pca").plotly()
    assert shown.layout.title.text == map_column(explorer, TRUST[0]).name.title


@pytest.mark.parametrize("name", ["dominant-operation", "error-cifar10_valid", "decode-certainty", *TRUST])
def test_every_kind_of_column_can_be_drawn(name: str, explorer: Explorer) -> None:
    shown = map_column(explorer, name)
    figure = svge.figure_map(explorer, name, plane="pca")
    assert shown.name.title in figure.title
    if name in TRUST:
        assert "nearest in the latent space" in " ".join(figure.protocol)
    found = words_of(figure.to_bytes("svg").decode())
    assert all(category in found for category in shown.categories)


MISTAKES: list[tuple[Callable[[Explorer, list[RunView]], object], str]] = [
    (lambda explorer, runs: svge.figure_map(explorer, "speed"), "There is no column 'speed'"),
    (lambda explorer, runs: svge.figure_map(explorer, outline=((0.0, 0.0), (1.0, 1.0))), "three corners or more"),
    (lambda explorer, runs: svge.figure_map(explorer, limits=(2.0, 1.0)), "lower one first"),
    (lambda explorer, runs: svge.figure_map(explorer, "split", surface=True), "has categories"),
    (lambda explorer, runs: svge.figure_map(explorer, path="map.gif"), "expected .pdf, .svg, .png"),
    (lambda explorer, runs: svge.figure_race([]), "nothing to draw"),
    (lambda explorer, runs: svge.figure_race(runs, goal=2), "there is no number 2"),
    (lambda explorer, runs: svge.figure_race(runs, gap=True), "optimum of this search is not known"),
    (lambda explorer, runs: svge.figure_front(runs, across=0), "needs two of the goals"),
]


@pytest.mark.parametrize(("ask", "line"), MISTAKES, ids=[line for _, line in MISTAKES])
def test_mistakes_are_one_line(
    ask: Callable[[Explorer, list[RunView]], object], line: str, explorer: Explorer, runs: list[RunView]
) -> None:
    with pytest.raises(SvgeError, match=re.escape(line)) as error:
        ask(explorer, runs)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("compare", "1", "2", "--reference", "3"), "There are 2 architectures; there is no number 3."),
        (("path", "1", "nonsense"), "Architecture 2: "),
        (("map", "--outline=1,2;x,4"), "expected finite numbers"),
    ],
)
def test_mistakes_at_the_command_line(
    words: tuple[str, ...], line: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "figure.pdf"
    try:
        code = main(["figure", *words, "--checkpoint", str(FOLDER), "--out", str(out)])
    except SystemExit as stop:
        code = stop.code
    error = capsys.readouterr().err
    assert code == 2 and line in error and error.count("\n") == 1 and not out.exists()


def test_a_comparison_of_tall_cells_and_a_lone_path(explorer: Explorer) -> None:
    same = svge.figure_path(explorer, svge.interpolate(explorer, SPACE.from_index(5), SPACE.from_index(5), stops=3))
    assert same.to_bytes("pdf").startswith(b"%PDF")
    two = svge.figure_compare(compare_cells(explorer, [SPACE.from_index(1), SPACE.from_index(2)]), width="single")
    assert "1: #1" in words_of(two.to_bytes("svg").decode())
