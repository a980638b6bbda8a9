"""What a sweep knows so far, and its file, from which it goes on: as large at the end as at the beginning."""

import json
import math
from dataclasses import asdict
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int
from safetensors.numpy import save

from svge_core.cluster.sweep_blocks import BlockPredictor, BlockResult, best_rows, block_sizes
from svge_core.data import Direction
from svge_core.errors import CheckpointError, DataError
from svge_core.files import read_arrays, write_atomically

#: of the file; a sweep of another version begins anew
VERSION = 2


class SweepState:
    """The best cells, the sample and the moments of the blocks that are done.

    The sums are kept block by block and added in the order of the blocks, so that the result does not depend on the
    order in which they came.

    Args:
        predictor: of the blocks.
    """

    def __init__(self, predictor: BlockPredictor) -> None:
        self.config = predictor.config
        self.direction: Direction = predictor.direction
        self.sizes = block_sizes(predictor.space, predictor.config)
        self.indices: Int[np.ndarray, " best"] = np.empty(0, dtype=np.int64)
        self.values: Float[np.ndarray, " best"] = np.empty(0)
        #: of the sample, by ascending random number
        self.sample_indices: Int[np.ndarray, " drawn"] = np.empty(0, dtype=np.int64)
        self.sample_values: Float[np.ndarray, " drawn"] = np.empty(0)
        self.sample_keys: Float[np.ndarray, " drawn"] = np.empty(0)
        self.done: Bool[np.ndarray, " blocks"] = np.zeros(predictor.blocks, dtype=bool)
        #: sums of values and squares, smallest and largest value, (blocks, 4)
        self.moments: Float[np.ndarray, "blocks moments"] = np.zeros((predictor.blocks, 4))
        # a limit only says where to stop: a sweep goes on when it is raised
        known = {name: value for name, value in asdict(self.config).items() if name not in ("checkpoint", "limit")}
        self._identity = {
            **known,
            "score": predictor.score,
            "predictors": predictor.predictors.digest,
            "version": VERSION,
        }

    def add(self, block: BlockResult) -> None:
        """Take the result of a block in; one that is there already changes nothing."""
        if self.done[block.number]:
            return
        indices = np.concatenate([self.indices, block.indices])
        values = np.concatenate([self.values, block.values])
        best = best_rows(indices, values, self.config.keep, self.direction)
        self.indices, self.values = indices[best], values[best]
        indices = np.concatenate([self.sample_indices, block.sample_indices])
        keys = np.concatenate([self.sample_keys, block.sample_keys])
        drawn = best_rows(indices, keys, self.config.sample, "min")
        self.sample_indices, self.sample_keys = indices[drawn], keys[drawn]
        self.sample_values = np.concatenate([self.sample_values, block.sample_values])[drawn]
        self.moments[block.number] = block.total, block.squares, block.low, block.high
        self.done[block.number] = True

    @property
    def cells(self) -> int:
        """How many cells were predicted."""
        return int(self.sizes[self.done].sum())

    def summary(self) -> dict[str, float]:
        """Mean, standard deviation, smallest and largest predicted value of the cells that were predicted.

        Raises:
            DataError: if there are none.
        """
        count = self.cells
        if not count:
            raise DataError("No cell was predicted yet.")
        total, squares, low, high = self.moments[self.done].T
        mean = math.fsum(total) / count
        variance = max(math.fsum(squares) / count - mean * mean, 0.0)
        return {"mean": mean, "std": math.sqrt(variance), "min": float(low.min()), "max": float(high.max())}

    def write(self, path: Path) -> None:
        """Write what is known, whole or not at all."""
        tensors = {
            "done": self.done,
            "moments": self.moments,
            "indices": self.indices,
            "values": self.values,
            "sample_indices": self.sample_indices,
            "sample_values": self.sample_values,
            "sample_keys": self.sample_keys,
        }
        write_atomically(path, save(tensors, metadata={"sweep": json.dumps(self._identity, sort_keys=True)}))

    def read(self, path: Path) -> None:
        """Go on from a file that :meth:`write` has written.

        Raises:
            DataError: if it is of another sweep.
            CheckpointError: if it cannot be read.
        """
        header, tensors = read_arrays(path, "Delete it, and the sweep begins anew.")
        if header.get("sweep") != json.dumps(self._identity, sort_keys=True):
            raise DataError(
                f"{path} was written by a sweep with other settings, or of another model: give another output file, or "
                "begin anew.",
                settings=("fresh",),
            )
        wanted = {"done": self.done, "moments": self.moments}
        wrong = [name for name, array in wanted.items() if getattr(tensors.get(name), "shape", None) != array.shape]
        columns = (("indices", "values"), ("sample_indices", "sample_values", "sample_keys"))
        if wrong or any(len({getattr(tensors.get(name), "shape", None) for name in names}) > 1 for names in columns):
            raise CheckpointError(f"{path} is damaged. Delete it, and the sweep begins anew.")
        for name in (*wanted, *(name for names in columns for name in names)):
            setattr(self, name, tensors[name])
