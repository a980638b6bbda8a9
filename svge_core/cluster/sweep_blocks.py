"""One block of a sweep: the cells at consecutive official indices, predicted as tensors, and what is kept of them.

A block depends on nothing but its number, so it may be made anywhere, in any order, and again after a loss.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from svge_core.checkpoints import load_checkpoint
from svge_core.cluster.sweep_limits import BLOCK, KEEP, MAX_BLOCK, MAX_KEPT, SAMPLE, Ranker
from svge_core.data import Direction, has_indices
from svge_core.devices import pick_device
from svge_core.errors import CheckpointError, DataError, SvgeError
from svge_core.predictors import Predictors, load_predictors
from svge_core.spaces import AbstractSearchSpace
from svge_core.tensors import index_batch


@dataclass(frozen=True)
class SweepConfig:
    """Everything that decides what a sweep finds.

    Attributes:
        checkpoint: folder of a model with predictors.
        score: key of the score that is predicted; empty for the only one there is.
        keep: how many of the best cells are kept.
        sample: how many cells are drawn uniformly from those that are predicted (all of the space, or the blocks within
            the limit), and kept whatever is predicted of them.
        seed: of the sample, and of the order of the blocks.
        block: cells predicted at one time; memory follows from it.
        by: what ranks the cells.
        limit: cells after which the sweep ends, rounded up to whole blocks in their random order; None for all.

    Raises:
        DataError: one clear line about the first field that cannot be used.
    """

    checkpoint: str
    score: str = ""
    keep: int = KEEP
    sample: int = SAMPLE
    seed: int = 0
    block: int = BLOCK
    by: Ranker = "joint"
    limit: int | None = None

    def __post_init__(self) -> None:
        bounds = {"keep": (1, MAX_KEPT), "sample": (0, MAX_KEPT), "seed": (0, 2**32 - 1), "block": (1, MAX_BLOCK)}
        for name, (low, high) in bounds.items():
            if not low <= (value := getattr(self, name)) <= high:
                raise DataError(f"The {name} of a sweep is a whole number from {low} to {high:,}; got {value}.")
        if self.limit is not None and self.limit < 1:
            raise DataError(f"The limit of a sweep is at least one cell; got {self.limit}.")


@dataclass(frozen=True)
class BlockResult:
    """What is kept of a block.

    Attributes:
        number: of the block.
        indices, values: of its best cells, at most as many as are kept in all.
        sample_indices, sample_values: of its cells that may be in the sample, at most as many as are drawn in all.
        sample_keys: their random numbers, the lowest first; the sample of a sweep is the cells with the lowest of all.
        total, squares: sums of the predicted values and of their squares.
        low, high: smallest and largest predicted value.
        cpu_seconds: processor time that it took.
    """

    number: int
    indices: Int[np.ndarray, " best"]
    values: Float[np.ndarray, " best"]
    sample_indices: Int[np.ndarray, " drawn"]
    sample_values: Float[np.ndarray, " drawn"]
    sample_keys: Float[np.ndarray, " drawn"]
    total: float
    squares: float
    low: float
    high: float
    cpu_seconds: float


def best_rows(
    indices: Int[np.ndarray, " cells"], values: Float[np.ndarray, " cells"], count: int, direction: Direction
) -> Int[np.ndarray, " best"]:
    """Rows of the best values, the best first; of equal ones the lower index, so that no order of blocks matters."""
    if not count:
        return np.empty(0, dtype=np.int64)
    signed = values if direction == "min" else -values
    rows = np.arange(len(values))
    if len(values) > count:  # all that may be among them, ties at the edge included
        rows = np.flatnonzero(signed <= np.partition(signed, count - 1)[count - 1])
    return rows[np.lexsort((indices[rows], signed[rows]))][:count]


def sample_keys(number: int, cells: int, config: SweepConfig) -> Float[np.ndarray, " cells"]:
    """One uniform random number per cell of a block, which follows from the seed and the block's number alone.

    The cells with the lowest numbers are a sample without repeats, uniform over whichever blocks were predicted: so it
    is uniform at every limit, and the same one wherever, and in whatever order, the blocks were made.
    """
    return np.random.default_rng([config.seed, 2, number]).random(cells)


class BlockPredictor:
    """The model and its predictors, opened once per process.

    Args:
        config: of the sweep.
        digest: that the weights and the predictors must have; None where a person here names them.
        device: as :func:`svge_core.devices.pick_device` takes it.

    Raises:
        SvgeError: if there is no such checkpoint or predictor, it is another one, or cells of the space have no index.
    """

    def __init__(self, config: SweepConfig, digest: str | None = None, device: str = "auto") -> None:
        checkpoint = load_checkpoint(Path(config.checkpoint), device=pick_device(device))
        self.config, self.space = config, checkpoint.model.space
        if self.space.size is None or not has_indices(self.space):
            raise SvgeError(
                f"Cells of {self.space.title} have no index of 64 bits, by which a sweep could go over them."
            )
        self.size: int = self.space.size
        self.predictors = load_predictors(checkpoint, self.space)
        self.score = _score(self.predictors, config)
        if digest is not None and digest != self.predictors.digest:
            raise CheckpointError(
                f"The checkpoint {config.checkpoint} on this machine, or one of its predictors, is not the one that "
                "the sweep began with."
            )
        meaning = self.predictors.meaning(self.score)
        self.direction: Direction = "max" if meaning is None else meaning.direction

    @property
    def blocks(self) -> int:
        """How many blocks the space has; the last one may be shorter."""
        return -(-self.size // self.config.block)

    def values(self, indices: Int[np.ndarray, " cells"]) -> Float[np.ndarray, " cells"]:
        """Predicted values of the cells at official indices, in the unit of the score."""
        if self.config.by == "joint":
            return self.predictors.joint_values(self.score, index_batch(self.space, indices))
        cells = [self.space.from_index(int(index)) for index in indices]
        return np.asarray(self.predictors.predict(self.score, cells).mean, dtype=np.float64)

    def __call__(self, number: int) -> BlockResult:
        """Predict a block.

        Raises:
            DataError: if a predicted value is no number.
        """
        start, began = number * self.config.block, time.process_time()
        indices = np.arange(start, min(start + self.config.block, self.size), dtype=np.int64)
        values = self.values(indices)
        if not np.isfinite(values).all():
            raise DataError(
                f"The predicted {self.score} of cell {indices[~np.isfinite(values)][0]:,} is no number: fit the "
                "predictor again."
            )
        best = best_rows(indices, values, self.config.keep, self.direction)
        keys = sample_keys(number, len(indices), self.config)
        drawn = best_rows(indices, keys, self.config.sample, "min")
        return BlockResult(
            number,
            indices[best],
            values[best],
            indices[drawn],
            values[drawn],
            keys[drawn],
            float(values.sum()),
            float(np.square(values).sum()),
            float(values.min()),
            float(values.max()),
            time.process_time() - began,
        )


def _score(predictors: Predictors, config: SweepConfig) -> str:
    keys = predictors.score_keys
    if not keys:
        raise SvgeError(
            f"{config.checkpoint} has no predictors. Fit one with: python -m svge_core fit --checkpoint "
            f"{config.checkpoint}"
        )
    if config.score:
        predictors.info(config.score)  # says which there are
        return config.score
    if len(keys) > 1:
        raise SvgeError(
            f"{config.checkpoint} has several predictors: name one of {', '.join(keys)}.", settings=("score",)
        )
    return next(iter(keys))


def block_order(blocks: int, config: SweepConfig) -> Int[np.ndarray, " wanted"]:
    """The blocks that a sweep makes, in a random order: wherever it is stopped, what it has seen is no corner."""
    order = np.random.default_rng([config.seed, 1]).permutation(blocks)
    return order if config.limit is None else order[: -(-config.limit // config.block)]


def block_sizes(space: AbstractSearchSpace, config: SweepConfig) -> Int[np.ndarray, " blocks"]:
    """Cells of every block."""
    assert space.size is not None
    starts = np.arange(0, space.size, config.block, dtype=np.int64)
    return np.minimum(starts + config.block, space.size) - starts
