"""Paths against independent computations: closed forms, SciPy's rotations, networkx, brute force over node pairings."""

import csv
import io
import json
from dataclasses import replace
from itertools import permutations
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.spatial.transform import Rotation, Slerp

from svge_core.atlas.file import load_atlas
from svge_core.cells.cell import Cell
from svge_core.cells.differences import difference
from svge_core.checkpoints.checkpoint import load_checkpoint
from svge_core.data import load_scores
from svge_core.errors import DataError, SvgeError
from svge_core.explorer.explorer import Explorer
from svge_core.explorer.opening import open_explorer
from svge_core.figures.path import path_figure
from svge_core.interpolation.export import edits_before, path_to_csv, path_to_json
from svge_core.interpolation.geodesic import (
    End,
    cells_around,
    geodesic,
    graph_in_words,
    neighbour_graph,
    shortest_route,
)
from svge_core.interpolation.lines import linear, path_length, spherical
from svge_core.interpolation.path import LatentPath, lay_path
from svge_core.interpolation.scores import path_scores, score_titles
from svge_core.spaces.registry import get_space
from tests.support.paths import CHECKPOINTS
from tests.support.tiny_checkpoint import ChartPredictors, MadeUpPredictors, make_checkpoint, make_enas_checkpoint
from tests.support.untyped import drawn, there

SPACE = get_space("nasbench201")
SHIPPED = CHECKPOINTS / "nasbench201" / "svge"
BEST, OTHER = 6111, 12_345


@pytest.fixture(scope="module")
def explorer(tmp_path_factory: pytest.TempPathFactory) -> Explorer:
    """Untrained: it gives few cells back, and most of its graphs are no members."""
    checkpoint = load_checkpoint(make_checkpoint(tmp_path_factory.mktemp("path") / "tiny"))
    return Explorer(SPACE, checkpoint, load_atlas(checkpoint, SPACE), load_scores(SPACE), MadeUpPredictors())


@pytest.fixture(scope="module")
def trained() -> Explorer:
    return open_explorer(SHIPPED)


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Explorer:
    folder = make_enas_checkpoint(tmp_path_factory.mktemp("sampled") / "tiny")
    opened = open_explorer(folder)
    return replace(opened, predictors=ChartPredictors(opened.atlas.indices))


def lay(explorer: Explorer, kind: Any = "linear", stops=25, a=BEST, b=OTHER, **options: Any) -> LatentPath:
    return lay_path(explorer, explorer.space.from_index(a), explorer.space.from_index(b), kind, stops, **options)


# ---- lines ------------------------------------------------------------------------------------------------------


def test_a_straight_line_is_even_and_its_ends_are_exact() -> None:
    a, b = np.array([0.1, -2.0, 3.0], dtype=np.float32), np.array([1.1, 0.0, -3.0], dtype=np.float32)
    points = linear(a, b, 11)
    assert (points[0] == a).all() and (points[-1] == b).all()
    assert np.diff(points, axis=0) == pytest.approx(np.tile((b - a) / 10, (10, 1)), abs=1e-6)
    assert path_length(points)[-1] == pytest.approx(np.linalg.norm(b - a))


def test_an_arc_is_scipys_slerp_of_rotations() -> None:
    """A vector turned by SciPy's spherical interpolation from no rotation to the one that takes u to v."""
    rng = np.random.default_rng(5)
    for _ in range(20):
        u, v = (vector / np.linalg.norm(vector) for vector in rng.normal(size=(2, 3)))
        axis = np.cross(u, v)
        angle = np.arccos(np.clip(u @ v, -1, 1))
        turn = Rotation.from_rotvec(axis / np.linalg.norm(axis) * angle)
        between = Slerp([0.0, 1.0], Rotation.concatenate([Rotation.identity(), turn]))(np.linspace(0, 1, 9))
        points, reason = spherical((2 * u).astype(np.float32), (2 * v).astype(np.float32), 9)
        assert reason == ""
        assert points == pytest.approx(between.apply(2 * u), abs=1e-5)


@settings(max_examples=50)
@given(st.integers(2, 40), st.integers(3, 60), st.integers(0, 2**32 - 1))
def test_an_arc_turns_at_constant_speed_and_its_length_changes_evenly(width: int, stops: int, seed: int) -> None:
    a, b = np.random.default_rng(seed).normal(size=(2, width)).astype(np.float32)
    points, reason = spherical(a, b, stops)
    if reason:
        return
    assert (points[0] == a).all() and (points[-1] == b).all()
    lengths = np.linalg.norm(points.astype(float), axis=1)
    assert np.diff(lengths) == pytest.approx((lengths[-1] - lengths[0]) / (stops - 1), abs=1e-5)
    directions = points / lengths[:, None]
    angles = 2 * np.arcsin(np.clip(np.linalg.norm(np.diff(directions, axis=0), axis=1) / 2, 0, 1))
    assert angles == pytest.approx(angles.mean(), abs=2e-4)
    whole = np.arccos(np.clip(directions[0] @ directions[-1], -1, 1))
    assert angles.sum() == pytest.approx(whole, abs=2e-3)


@pytest.mark.parametrize(
    ("b", "words"),
    [([2.0, 0, 0], "same direction"), ([-3.0, 0, 0], "opposite"), ([0.0, 0, 0], "no direction"), ([1.0, 0, 0], "same")],
)
def test_where_there_is_no_arc_the_line_is_straight_and_says_why(b: list[float], words: str) -> None:
    start, end = np.array([1.0, 0, 0], dtype=np.float32), np.array(b, dtype=np.float32)
    points, reason = spherical(start, end, 7)
    assert words in reason
    assert (points == linear(start, end, 7)).all() and np.isfinite(points).all()


# ---- the neighbour graph ----------------------------------------------------------------------------------------


def networkx_graph(latents: np.ndarray, k: int) -> nx.Graph:
    """The same graph from the definition: distances of all pairs, the k smallest of every row."""
    table = np.linalg.norm(latents[:, None].astype(float) - latents[None], axis=-1)
    np.fill_diagonal(table, np.inf)
    graph = nx.Graph()
    graph.add_nodes_from(range(len(latents)))
    for node, row in enumerate(table):
        for other in np.argsort(row, kind="stable")[:k].tolist():
            graph.add_edge(node, other, weight=row[other])
    return graph


@pytest.mark.parametrize("k", [3, 5, 9])
def test_the_graph_and_its_shortest_paths_are_those_of_networkx(k: int) -> None:
    latents = np.random.default_rng(k).normal(size=(160, 4)).astype(np.float32)
    graph, oracle = neighbour_graph(latents, k, piece=37), networkx_graph(latents, k)
    ours = {tuple(sorted((node, other))) for node, row in enumerate(graph.neighbours.tolist()) for other in row}
    assert ours == {tuple(sorted(edge)) for edge in oracle.edges}
    for a, b in np.random.default_rng(1).integers(160, size=(25, 2)).tolist():
        route = shortest_route(graph, End(latents[a], a), End(latents[b], b))
        if not nx.has_path(oracle, a, b):
            assert route is None
            continue
        assert route is not None
        assert route.length == pytest.approx(nx.shortest_path_length(oracle, a, b, weight="weight"), rel=1e-5)
        assert list(route.rows) == nx.shortest_path(oracle, a, b, weight="weight")
        assert path_length(route.latents)[-1] == pytest.approx(route.length, rel=1e-5)


def test_an_end_that_is_not_charted_joins_its_nearest_cells() -> None:
    rng = np.random.default_rng(3)
    latents = rng.normal(size=(120, 3)).astype(np.float32)
    new = rng.normal(size=3).astype(np.float32)
    route = shortest_route(neighbour_graph(latents, 6), End(new, None), End(latents[7], 7))
    oracle = networkx_graph(latents, 6)
    lengths = np.linalg.norm(latents - new, axis=1)
    for node in np.argsort(lengths)[:6].tolist():
        oracle.add_edge("new", node, weight=float(lengths[node]))
    expected = nx.shortest_path(oracle, "new", 7, weight="weight")
    assert route is not None and list(route.rows) == [None, *expected[1:]]
    assert "One end is not charted" in graph_in_words(route)


def test_neighbours_are_doubled_until_islands_join_and_words_say_so() -> None:
    rng = np.random.default_rng(4)
    near, far = rng.normal(size=(30, 3)), rng.normal(size=(30, 3)) + 40
    latents = np.vstack([near, far]).astype(np.float32)
    route = geodesic(latents, End(latents[0], 0), End(latents[59], 59))
    assert route.graph.k == 48 and "more than the usual 24" in graph_in_words(route)
    crowd = np.vstack([rng.normal(size=(120, 3)), rng.normal(size=(120, 3)) + 90]).astype(np.float32)
    with pytest.raises(SvgeError, match="islands, even with 96 neighbours"):
        geodesic(crowd, End(crowd[0], 0), End(crowd[239], 239))
    with pytest.raises(SvgeError, match="at least 2 cells"):
        neighbour_graph(latents[:1], 3)


def test_of_a_large_chart_the_cells_around_both_ends_are_joined_and_words_say_so() -> None:
    latents = np.random.default_rng(6).normal(size=(900, 5)).astype(np.float32)
    ends = End(latents[3], 3), End(latents[800], 800)
    rows = cells_around(latents, *ends, 200)
    sums = np.linalg.norm(latents - latents[3], axis=1) + np.linalg.norm(latents - latents[800], axis=1)
    assert set(rows.tolist()) == set(np.argsort(sums, kind="stable")[:200].tolist()) and {3, 800} <= set(rows.tolist())
    route = geodesic(latents, *ends, around=200, largest=500)
    oracle = networkx_graph(latents[rows], 24)
    expected = nx.shortest_path(oracle, rows.tolist().index(3), rows.tolist().index(800), weight="weight")
    assert list(route.rows) == rows[expected].tolist()
    assert "the 200 of 900 cells" in graph_in_words(route)


def test_a_kept_graph_is_asked_for_and_gives_the_same_path(explorer: Explorer) -> None:
    asked = []

    def kept(k: int):
        asked.append(k)
        return neighbour_graph(explorer.atlas.latents, k)

    ours, again = lay(explorer, "graph", whole=kept), lay(explorer, "graph")
    assert asked == [24]
    assert [stop.index for stop in ours.stops] == [stop.index for stop in again.stops]
    assert "all 15,625 charted cells" in ours.note


# ---- stops ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["linear", "spherical", "graph"])
def test_a_trained_model_gives_both_ends_back(trained: Explorer, kind) -> None:
    path = lay(trained, kind)
    assert path.lost == () and path.stops[0].comes_back and path.stops[-1].comes_back
    assert (path.stops[0].cell, path.stops[-1].cell) == (SPACE.from_index(BEST), SPACE.from_index(OTHER))
    assert (path.stops[0].index, path.stops[-1].row) == (BEST, OTHER)
    assert (path.latents[[0, -1]] == trained.atlas.latents[[BEST, OTHER]]).all()
    if kind == "graph":
        assert all(stop.valid and stop.index is not None for stop in path.stops)
        assert (path.latents == trained.atlas.latents[[there(stop.row) for stop in path.stops]]).all()


def test_a_cell_that_does_not_come_back_is_named(explorer: Explorer) -> None:
    path = lay(explorer)
    assert {stop.number for stop in path.lost} == {0, 24}
    assert path.stops[0].cell != SPACE.from_index(BEST)
    graph = lay(explorer, "graph")
    assert graph.stops[0].cell == SPACE.from_index(BEST) and graph.stops[0].comes_back is False


def test_invalid_stops_stay_in_the_path_with_their_reason(explorer: Explorer) -> None:
    path = lay(explorer)
    invalid = [stop for stop in path.stops if not stop.valid]
    assert invalid and len(path.stops) == 25
    for stop in invalid:
        assert stop.reason == stop.raw_reason and stop.index is None and stop.row is None
        assert not SPACE.is_valid(stop.cell)
        assert stop.member is not None and SPACE.is_valid(stop.member)
    kept = lay(explorer, constrained=True)
    assert all(stop.valid for stop in kept.stops)
    numbers = kept.numbers(SPACE.key)
    assert (numbers.invalid, numbers.invalid_raw) == (0, path.numbers(SPACE.key).invalid)


def test_a_stop_is_what_the_map_decodes_there(trained: Explorer) -> None:
    path = lay(trained, stops=9, constrained=True)
    for stop in path.stops[1:-1]:
        assert trained.inspect_latent(stop.latent).cell == stop.cell


def test_frames_merge_repeats_and_numbers_count_them(trained: Explorer) -> None:
    path = lay(trained, "spherical", 41)
    cells = [stop.cell for stop in path.stops]
    assert [stop for frame in path.frames for stop in frame.stops] == list(path.stops)
    assert all(one.cell != other.cell for one, other in zip(path.frames, path.frames[1:], strict=False))
    assert [path.frame_of(n) for n in range(41)] == [
        next(i for i, frame in enumerate(path.frames) if frame.first <= n <= frame.last) for n in range(41)
    ]
    numbers = path.numbers(SPACE.key)
    assert numbers.distinct == len(set(cells)) and numbers.functions == len({SPACE.key(cell) for cell in cells})
    assert numbers.repeats == sum(a == b for a, b in zip(cells, cells[1:], strict=False))
    jumps = [sum(p != q for p, q in zip(a.ops, b.ops, strict=True)) for a, b in zip(cells, cells[1:], strict=False)]
    assert edits_before(path) == [None, *jumps]
    assert (numbers.edits, numbers.largest) == (sum(jumps), max(jumps))
    assert numbers.largest_to == jumps.index(max(jumps)) + 1
    assert numbers.direct == sum(
        p != q for p, q in zip(SPACE.from_index(BEST).ops, SPACE.from_index(OTHER).ops, strict=True)
    )
    assert numbers.length >= numbers.straight - 1e-6


def brute_edits(first: Cell, second: Cell) -> int:
    """Edits of the best of all pairings of inner nodes, padding the smaller cell with nodes that are not there."""
    few, many = sorted((first, second), key=lambda cell: cell.num_nodes)
    inner, best = many.num_nodes - 2, 10**9
    slots: list[int | None] = [*range(1, few.num_nodes - 1)]
    slots += [None] * (inner - len(slots))
    for order in set(permutations(slots)):
        to = {0: 0, many.num_nodes - 1: few.num_nodes - 1}
        to |= {node: slot for node, slot in enumerate(order, start=1) if slot is not None}
        nodes = sum(1 for node in range(many.num_nodes) if node not in to or many.ops[node] != few.ops[to[node]])
        moved = {(to.get(u, -u), to.get(v, -v)) for u, v in many.edges}
        best = min(best, nodes + len(moved ^ set(few.edges)))
    return best


def test_edits_are_those_of_the_best_of_all_pairings() -> None:
    rng, space = np.random.default_rng(8), get_space("nasbench101")
    for _ in range(40):
        a, b = space.random_cell(rng), space.random_cell(rng)
        found = difference(a, b).edits
        # where the structure fixes the order, positions correspond: more edits than the best pairing at most
        assert found >= brute_edits(a, b)
        if not any({(n, n + 1) for n in range(c.num_nodes - 1)} <= set(c.edges) for c in (a, b)) and a.edges != b.edges:
            assert found == brute_edits(a, b)


def test_the_same_cell_twice_is_one_frame(trained: Explorer) -> None:
    for kind in ("linear", "spherical", "graph"):
        path = lay(trained, kind, b=BEST)
        assert len(path.frames) == 1 and path.numbers(SPACE.key).edits == 0
        assert path.stops[-1].distance == 0.0 and path.numbers(SPACE.key).largest_to is None
    assert "same direction" in lay(trained, "spherical", b=BEST).fallback


def test_the_number_of_stops_has_limits(trained: Explorer) -> None:
    with pytest.raises(SvgeError, match="3 to 101 stops; got 2"):
        lay(trained, stops=2)
    assert len(lay(trained, stops=101).stops) == 101


def test_a_path_of_a_sampled_space_may_leave_the_chart(sampled: Explorer) -> None:
    charted = int(sampled.atlas.indices[4])
    path = lay(sampled, "graph", a=123_456_789, b=charted)
    assert path.stops[0].row is None and path.stops[0].index == 123_456_789 and path.stops[-1].row == 4
    assert all(stop.row is not None for stop in path.stops[1:])
    assert "One end is not charted" in path.note
    scores = path_scores(sampled, path, "enas6_ws_acc")
    assert np.isfinite(scores.predicted.mean).all() and not scores.any_known
    assert scores.predicted.mean.tolist() == [70.0 + stop.cell.ops.count("conv_5x5") for stop in path.stops]
    shares = replace(scores.predicted, mean=scores.predicted.mean / 100)
    assert scores.digits == 2 and replace(scores, predicted=shares).digits == 4
    costs = path_scores(sampled, path, "params_m")
    assert costs.known.tolist() == [sampled.space.cost(stop.cell).params_m for stop in path.stops]


# ---- scores, chart, export --------------------------------------------------------------------------------------


def test_scores_know_measured_from_predicted(explorer: Explorer) -> None:
    path = lay(explorer, "graph", a=1, b=2)
    scores = path_scores(explorer, path, "cifar10_valid")
    for stop in path.stops:
        assert scores.known[stop.number] == explorer.scores.frame["cifar10_valid"].to_numpy()[stop.index]
        assert scores.predicted.mean[stop.number] == 80.0 + stop.cell.ops.count("nor_conv_3x3")
        assert scores.label_used[stop.number] == (stop.index in (1, 2, 3))
    assert (scores.predicted.level, scores.meaning.kind) == (0.9, "measured")
    assert not path_scores(explorer, path, "flops_m").any_predicted
    assert "cifar10_valid" in score_titles(explorer) and "cifar10_valid_777" not in score_titles(explorer)
    with pytest.raises(DataError, match="no score 'nonsense'"):
        path_scores(explorer, path, "nonsense")


def test_stops_without_a_member_have_no_score(explorer: Explorer) -> None:
    path = lay(explorer)
    scores = path_scores(explorer, path, "cifar10_valid")
    for stop in path.stops:
        assert np.isfinite(scores.predicted.mean[stop.number]) == np.isfinite(scores.known[stop.number]) == stop.valid


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_in_the_chart_measured_and_predicted_never_look_alike(explorer: Explorer, theme) -> None:
    path = lay(explorer)
    figure = path_figure(path, path_scores(explorer, path, "cifar10_valid"), theme, 3)
    traces: dict[Any, Any] = {trace.name: trace for trace in drawn(figure).data}
    invalid = [stop.number for stop in path.stops if not stop.valid]
    assert list(traces["no valid cell"].x) == invalid
    if len(invalid) < 25:
        predicted, measured = traces["predicted, with 90 % interval"], traces["measured"]
        assert predicted.marker.color != measured.marker.color and predicted.marker.symbol == "circle-open"
        assert predicted.line.dash == "dot" and measured.line.dash is None and measured.marker.symbol == "diamond"
    full = lay(explorer, "graph")
    scores = path_scores(explorer, full, "cifar10_valid")
    band = next(trace for trace in drawn(path_figure(full, scores, theme, 0)).data if trace.fill)
    assert list(band.y) == [*scores.predicted.high, *scores.predicted.low[::-1]]
    assert list(drawn(figure).layout.shapes)[0].x0 == 3


def test_json_holds_every_stop_and_every_architecture_once(explorer: Explorer) -> None:
    for path in (lay(explorer), lay(explorer, "graph"), lay(explorer, constrained=True)):
        document = json.loads(path_to_json(explorer, path))
        assert (document["format"], document["space"], document["start"]) == ("svge-explorer-path", SPACE.name, BEST)
        assert len(document["stops"]) == len(path.stops)
        for stop, written in zip(path.stops, document["stops"], strict=True):
            assert written["latent"] == pytest.approx(stop.latent.tolist())
            if stop.valid:
                cell = document["cells"][written["cell"]]
                assert cell["index"] == stop.index
                assert (
                    cell["measured"]["cifar10_valid"] == explorer.scores.frame["cifar10_valid"].to_numpy()[stop.index]
                )
                assert cell["predicted"][0]["low"] < cell["predicted"][0]["value"]
            else:
                assert written["cell"] is None and written["why_invalid"] and written["ops"] == list(stop.cell.ops)
        indices = [cell["index"] for cell in document["cells"]]
        assert len(indices) == len(set(indices)) == document["numbers"]["distinct"]
        assert {key for cell in document["cells"] for key in cell["measured"]} <= set(document["meanings"])


def test_csv_has_one_row_a_stop(explorer: Explorer) -> None:
    path = lay(explorer)
    rows = list(csv.DictReader(io.StringIO(path_to_csv(explorer, path))))
    assert [int(row["stop"]) for row in rows] == list(range(25))
    for stop, row, edits in zip(path.stops, rows, edits_before(path), strict=True):
        assert row["edits_from_previous"] == ("" if edits is None else str(edits))
        assert bool(int(row["valid"])) == stop.valid
        assert row["index"] == ("" if stop.index is None else str(stop.index))
        assert row["why_invalid"] == stop.reason
        if stop.valid:
            assert SPACE.parse(row["arch_str"]) == stop.cell and row["predicted_cifar10_valid_low"]
