"""The measures of the latent-quality panel against scikit-learn, scipy, networkx, brute force and closed forms."""

import math
from itertools import combinations, permutations

import networkx as nx
import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr
from sklearn.manifold import trustworthiness
from sklearn.metrics import r2_score
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsRegressor

from svge_core.atlas.neighbours import nearest_rows
from svge_core.cells.cell import Cell
from svge_core.cells.differences import difference
from svge_core.errors import DataError
from svge_core.evaluation.latent.dimension import dimension
from svge_core.evaluation.latent.edits import (
    band_rows,
    distances,
    edit_distances,
    edits_are_exact,
    flat_codes,
    random_walk,
    rank_correlation,
    slots,
    walk_pairs,
)
from svge_core.evaluation.latent.knn import best_rows, fit_quality, measure_preservation
from svge_core.spaces.registry import get_space
from svge_core.tensors import to_batch
from tests.support.core import TINY, TinySpace, random_cells
from tests.support.untyped import statistic, there

NB201, NB101, ENAS = (get_space(name) for name in ("nasbench201", "nasbench101", "enas6"))


# edits


def fewest_edits(a: Cell, b: Cell) -> int:
    """Over every way to pair inner nodes of the smaller cell with those of the larger one, set by set."""
    small, large = sorted((a, b), key=lambda cell: cell.num_nodes)
    best = 10**6
    for chosen in permutations(range(1, large.num_nodes - 1), small.num_nodes - 2):
        to = dict(enumerate((0, *chosen, large.num_nodes - 1)))
        moved = {(to[u], to[v]) for u, v in small.edges}
        labels = sum(small.ops[node] != large.ops[place] for node, place in to.items())
        best = min(best, labels + large.num_nodes - small.num_nodes + len(moved ^ set(large.edges)))
    return best


@pytest.mark.parametrize("space", [NB201, NB101, ENAS, TINY], ids=lambda s: s.name)
def test_edit_distances_are_those_of_all_pairings(space) -> None:
    a, b = random_cells(space, 60, 1), random_cells(space, 60, 2)
    b[0] = a[0]
    found = edit_distances(space, slots(to_batch(space, a)), slots(to_batch(space, b)))
    assert found[0] == 0
    if space in (NB201, ENAS):
        assert found.tolist() == [difference(x, y).edits for x, y in zip(a, b, strict=True)]
        hamming = [np.not_equal(space.genotype(x), space.genotype(y)).sum() for x, y in zip(a, b, strict=True)]
        assert found.tolist() == hamming
    else:
        assert found.tolist() == [fewest_edits(x, y) for x, y in zip(a, b, strict=True)]


def test_edit_distances_agree_with_networkx(rng: np.random.Generator) -> None:
    cells = [cell for cell in random_cells(TINY, 60, 3) if cell.num_nodes <= 4][:10]

    def graph(cell: Cell) -> nx.DiGraph:
        made = nx.DiGraph(cell.edges)
        made.add_nodes_from((node, {"op": op}) for node, op in enumerate(cell.ops))
        return made

    forms = slots(to_batch(TINY, cells))
    rows = np.array(list(combinations(range(len(cells)), 2))).T
    found = edit_distances(TINY, forms.select(rows[0]), forms.select(rows[1]))
    for (a, b), edits in zip(rows.T, found, strict=True):
        exact = nx.graph_edit_distance(
            graph(cells[a]),
            graph(cells[b]),
            node_match=lambda x, y: x == y,
            node_subst_cost=lambda x, y: 100 * ({x["op"], y["op"]} & {"input", "output"} != set() and x != y) or x != y,
        )
        assert edits == exact


def test_large_cells_without_fixed_places_are_paired_as_they_stand() -> None:
    """Too many pairings to try: an upper bound, and said to be one."""
    space, edges = TinySpace(9), tuple((i, i + 1) for i in range(8))
    chain = Cell(("input", *"a" * 7, "output"), edges)
    changed = Cell(("input", *"aab", *"a" * 4, "output"), edges)
    longer = Cell(chain.ops, tuple(sorted((*edges, (0, 8)))))
    first, second = (slots(to_batch(space, cells)) for cells in ([chain] * 3, [chain, changed, longer]))
    assert edit_distances(space, first, second).tolist() == [0, 1, 1]
    assert not edits_are_exact(space) and edits_are_exact(TinySpace(8))


@pytest.mark.parametrize("space", [NB201, NB101, ENAS], ids=lambda s: s.name)
def test_walks_move_to_neighbours(space) -> None:
    walk = random_walk(space, 6, np.random.default_rng(0))
    assert all(b in space.neighbours(a) for a, b in zip(walk, walk[1:], strict=False))
    again = random_walk(space, 6, np.random.default_rng(0))
    assert walk == again


def test_pairs_stay_on_their_walk() -> None:
    pairs = walk_pairs(2, 4, 2)
    assert sorted(map(tuple, pairs.T.tolist())) == [
        (0, 1),
        (0, 2),
        (1, 2),
        (1, 3),
        (2, 3),
        (4, 5),
        (4, 6),
        (5, 6),
        (5, 7),
        (6, 7),
    ]


def test_one_hot_distance_is_a_closed_form_of_edits() -> None:
    cells = random_cells(NB201, 200, 4)
    forms = slots(to_batch(NB201, cells))
    codes = flat_codes(forms)
    assert codes.shape[1] == 30  # six operations of five kinds; ends and edges never vary
    pairs = np.random.default_rng(0).integers(200, size=(2, 500))
    edits = edit_distances(NB201, forms.select(pairs[0]), forms.select(pairs[1]))
    assert distances(codes, pairs) == pytest.approx(np.sqrt(2 * edits))
    assert rank_correlation(edits, distances(codes, pairs)) == pytest.approx(1)


def test_correlation_is_that_of_scipy_and_none_of_constants(rng: np.random.Generator) -> None:
    edits, measured = rng.integers(1, 6, 300), rng.normal(size=300)
    assert rank_correlation(edits, measured) == pytest.approx(statistic(spearmanr(edits, measured)))
    assert rank_correlation(edits, np.zeros(300)) is None
    assert rank_correlation(np.ones(300, dtype=int), measured) is None


def test_bands_are_quantiles_in_units_of_the_scale() -> None:
    edits = np.repeat([1, 2, 9], [101, 5, 50])
    measured = np.concatenate([np.linspace(0, 10, 101), np.ones(55)])
    (row,) = band_rows(edits, measured, 2.0, most=8)
    assert row == {"edits": 1, "pairs": 101, "median": 2.5, "q10": 0.5, "q25": 1.25, "q75": 3.75, "q90": 4.5}
    assert [row["edits"] for row in band_rows(edits, measured, 0.0, most=8, least=5)] == [1, 2]


# neighbours


def test_neighbour_prediction_is_that_of_scikit_learn(rng: np.random.Generator) -> None:
    features, values = rng.normal(size=(150, 5)).astype(np.float32), rng.normal(size=150)
    predicted = values[nearest_rows(features, 10, seed=3)].mean(axis=1)
    theirs = cross_val_predict(KNeighborsRegressor(10), features, values, cv=LeaveOneOut())
    assert predicted == pytest.approx(theirs)
    fit = fit_quality(values, predicted)
    assert fit.kendall_tau == pytest.approx(statistic(kendalltau(values, theirs)))
    assert fit.r2 == pytest.approx(r2_score(values, theirs))
    assert fit.cells == 150


def test_permuted_labels_rank_nothing() -> None:
    rng = np.random.default_rng(5)
    features = rng.normal(size=(2_000, 4)).astype(np.float32)
    near = nearest_rows(features, 10)
    taus = []
    for _ in range(20):
        values = rng.permutation(features[:, 0].astype(float))
        taus.append(fit_quality(values, values[near].mean(axis=1)).kendall_tau)
    sd = math.sqrt(2 * (2 * 2_000 + 5) / (9 * 2_000 * 1_999))
    assert max(map(abs, taus)) < 6 * sd
    assert abs(np.mean(taus)) < 4 * 2 * sd / math.sqrt(20)
    truth = features[:, 0].astype(float)
    assert there(fit_quality(truth, truth[near].mean(axis=1)).kendall_tau) > 0.6


def test_constants_cannot_be_ranked() -> None:
    fit = fit_quality(np.ones(5), np.arange(5.0))
    assert fit.kendall_tau is None and fit.r2 is None
    assert fit_quality(np.arange(5.0), np.ones(5)).kendall_tau is None


def test_the_best_are_the_best_by_the_direction() -> None:
    values = np.array([3.0, 1.0, 2.0, 5.0])
    assert best_rows(values, 0.5, "max").tolist() == [0, 3]
    assert best_rows(values, 0.5, "min").tolist() == [1, 2]


def test_too_few_cells_for_neighbours() -> None:
    with pytest.raises(DataError, match="too small for 15"):
        measure_preservation(np.zeros((30, 3), dtype=np.float32), np.zeros((30, 2), dtype=np.float32))


# maps


def test_map_measures_are_those_of_scikit_learn(rng: np.random.Generator) -> None:
    latents = rng.normal(size=(300, 6)).astype(np.float32)
    xy = (latents[:, :2] + 0.3 * rng.normal(size=(300, 2))).astype(np.float32)
    found = measure_preservation(latents, xy, neighbours=15)
    assert found.trustworthiness == pytest.approx(trustworthiness(latents, xy, n_neighbors=15))
    # continuity is trustworthiness with the two sides exchanged (Venna and Kaski 2001)
    assert found.continuity == pytest.approx(trustworthiness(xy, latents, n_neighbors=15))
    assert (found.trustworthiness_se, found.continuity_se) == (0, 0)


def test_a_sample_of_rows_estimates_the_whole(rng: np.random.Generator) -> None:
    latents = rng.normal(size=(800, 6)).astype(np.float32)
    xy = latents[:, :2]
    whole = measure_preservation(latents, xy)
    part = measure_preservation(latents, xy, rows=rng.choice(800, 200, replace=False))
    assert part.rows == 200 and part.cells == 800
    assert 0 < part.trustworthiness_se < 0.02
    assert abs(part.trustworthiness - whole.trustworthiness) < 5 * part.trustworthiness_se
    assert abs(part.continuity - whole.continuity) < 5 * part.continuity_se


def test_a_faithful_map_has_one_and_a_random_one_a_half(rng: np.random.Generator) -> None:
    xy = rng.normal(size=(500, 2)).astype(np.float32)
    same = measure_preservation(np.concatenate([xy, np.zeros((500, 3), dtype=np.float32)], axis=1), xy)
    assert (same.trustworthiness, same.continuity) == pytest.approx((1, 1), abs=1e-6)
    chance = measure_preservation(xy, rng.permutation(xy))
    assert chance.trustworthiness == pytest.approx(0.5, abs=0.03)


# dimensions


def test_dimensions_of_known_spectra() -> None:
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(1_000, 4)))[0] * math.sqrt(1_000)
    basis -= basis.mean(0)
    basis = np.linalg.qr(basis)[0] * math.sqrt(999)
    codes = np.concatenate([basis * [2, 1, 1, 0.05], np.full((1_000, 2), 7.0)], axis=1)
    found = dimension(codes)
    variances = np.array([4, 1, 1, 0.0025])
    assert found.width == 6 and found.active == 3
    assert found.cumulative[:4] == pytest.approx(np.cumsum(variances) / variances.sum())
    assert found.effective == pytest.approx(variances.sum() ** 2 / (variances**2).sum())
    assert found.needed == (2, 3, 3, 3)


def test_a_collapsed_code_has_no_dimension() -> None:
    found = dimension(np.full((50, 4), 3.3, dtype=np.float32))
    assert (found.active, found.effective, found.cumulative) == (0, 0, ())
