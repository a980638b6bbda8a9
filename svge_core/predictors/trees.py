"""Gradient-boosted regression trees kept as plain arrays, so that no pickle is needed to store them.

scikit-learn grows them (Friedman 2001, 2002: squared loss, shrinkage, row and column subsampling); prediction walks the
arrays. Several ensembles grown from different seeds are averaged into one list of trees.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

if TYPE_CHECKING:  # scikit-learn takes a second to import
    from sklearn.ensemble import GradientBoostingRegressor

_ENSEMBLES = 3
_ROUNDS, _DEPTH, _RATE, _ROWS, _COLUMNS = 150, 3, 0.06, 0.6, 0.2
#: from so many labels on more and deeper trees are grown, more slowly: small ones can no longer follow the data
MANY_LABELS, _MANY_ROUNDS, _MANY_DEPTH, _MANY_RATE = 1_000, 600, 6, 0.03
_DECIMALS = 5
#: walks, rows times trees, that are under way at one time
_WALKS = 1_000_000


def grow_trees(
    model: "GradientBoostingRegressor", features: Float[np.ndarray, "rows columns"], targets: Float[np.ndarray, " rows"]
) -> "GradientBoostingRegressor":
    """Fit scikit-learn's trees to rows that are checked once; every tree would check them and its settings again.

    Raises:
        ValueError: if something is not finite.
    """
    from sklearn import config_context
    from sklearn.utils import assert_all_finite

    assert_all_finite(features)
    assert_all_finite(targets)
    with config_context(skip_parameter_validation=True, assume_finite=True):
        return model.fit(features, targets)


@dataclass(frozen=True)
class TreeEnsemble:
    """Regression trees; node 0 of each is its root.

    Attributes:
        base: what is predicted before any tree.
        left: child where the feature is at most the threshold; a leaf has itself (trees, nodes).
        right: child where it is greater; a leaf has itself (trees, nodes).
        feature: column compared; 0 at leaves (trees, nodes).
        threshold: compared with, in float32 as the trees were grown (trees, nodes).
        value: added where a walk ends, shrinkage included (trees, nodes).
    """

    base: float
    left: Int[np.ndarray, "trees nodes"]
    right: Int[np.ndarray, "trees nodes"]
    feature: Int[np.ndarray, "trees nodes"]
    threshold: Float[np.ndarray, "trees nodes"]
    value: Float[np.ndarray, "trees nodes"]

    @classmethod
    def fit(
        cls, features: Float[np.ndarray, "rows columns"], targets: Float[np.ndarray, " rows"], seed: int
    ) -> "TreeEnsemble":
        """Grow the ensembles.

        Args:
            features: one row per label.
            targets: standardised.
            seed: of the subsampling.
        """
        from sklearn.ensemble import GradientBoostingRegressor

        # equal splits are common among counts: rounding errors of the unit's scale must not choose between them
        targets = np.round(targets, _DECIMALS)
        many = len(targets) >= MANY_LABELS
        rounds, depth, rate = (_MANY_ROUNDS, _MANY_DEPTH, _MANY_RATE) if many else (_ROUNDS, _DEPTH, _RATE)
        models = [
            grow_trees(
                GradientBoostingRegressor(
                    n_estimators=rounds,
                    max_depth=depth,
                    learning_rate=rate,
                    subsample=_ROWS,
                    max_features=_COLUMNS,
                    random_state=seed * _ENSEMBLES + number,
                ),
                features,
                targets,
            )
            for number in range(1 if many else _ENSEMBLES)
        ]
        trees = [stage[0].tree_ for model in models for stage in model.estimators_]
        width = max(tree.node_count for tree in trees)
        left = np.tile(np.arange(width, dtype=np.int16), (len(trees), 1))
        right, feature = left.copy(), np.zeros_like(left)
        threshold = np.zeros(left.shape, dtype=np.float32)
        value = np.zeros(left.shape, dtype=np.float32)
        for row, tree in enumerate(trees):
            inner = np.flatnonzero(tree.children_left >= 0)
            left[row, inner], right[row, inner] = tree.children_left[inner], tree.children_right[inner]
            feature[row, inner] = tree.feature[inner]
            # scikit-learn compares float32 features with float64 thresholds: round down, so that "at most" stays true
            rounded = tree.threshold[inner].astype(np.float32)
            above = rounded.astype(np.float64) > tree.threshold[inner]
            threshold[row, inner] = np.where(above, np.nextafter(rounded, np.float32(-np.inf)), rounded)
            value[row, : tree.node_count] = tree.value[:, 0, 0] * rate / len(models)
        base = float(np.mean(targets))
        return cls(base, left, right, feature, threshold, value)

    def predict(self, features: Float[np.ndarray, "rows columns"]) -> Float[np.ndarray, " rows"]:
        """Sum of all trees at each row."""
        found = np.empty(len(features))
        trees = np.arange(len(self.left))[None, :]
        step = max(_WALKS // len(self.left), 1)
        for start in range(0, len(features), step):
            block = features[start : start + step].astype(np.float32)
            rows = np.arange(len(block))[:, None]
            at = np.zeros((len(block), len(self.left)), dtype=np.int64)
            while True:
                goes_left = block[rows, self.feature[trees, at]] <= self.threshold[trees, at]
                after = np.where(goes_left, self.left[trees, at], self.right[trees, at]).astype(np.int64)
                if np.array_equal(after, at):
                    break
                at = after
            found[start : start + step] = self.base + self.value[trees, at].sum(axis=1, dtype=np.float64)
        return found
