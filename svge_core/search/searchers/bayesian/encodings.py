"""Numbers a surrogate sees of a cell: structure features, genes, network size, latent means; each row computed once.

A model whose latent has a part for what a cell computes (``config.function``) gives the code and each block of that
part as a group of its own; the part alone is one more representation.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Literal
from weakref import WeakKeyDictionary

import numpy as np
import torch
from jaxtyping import Float

from svge_core.cells import Cell
from svge_core.checkpoints import Checkpoint
from svge_core.features import FunctionTargets, feature_scaling, log_sizes, structure_features
from svge_core.models import encode_all
from svge_core.search.domain import Domain
from svge_core.tensors import to_batch

Representation = Literal["structure", "function", "latent", "both"]
FeatureMatrix = Float[np.ndarray, "cells columns"]

#: random cells a representation is standardised by; they need no label
_REFERENCE = 2_000
#: rows, and numbers, kept per encoding; older ones are dropped all at once
_ROWS, _NUMBERS = 200_000, 400_000_000
#: parts of a latent that has dimensions for what a cell computes
_PARTS = ("code", "function")


class Encodings:
    """Scaled feature groups of cells, each group divided by the root of its width so that distances are comparable.

    Args:
        domain: gives the space.
        checkpoint: gives the latents; without it there is no representation ``latent``, ``function`` or ``both``.
    """

    def __init__(self, domain: Domain, checkpoint: Checkpoint | None = None) -> None:
        self.space, self.checkpoint = domain.space, checkpoint
        self._rows: dict[str, dict[Cell, np.ndarray]] = {"structure": {}, "genes": {}, "size": {}, "latent": {}}
        self._scale: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._features = feature_scaling(self.space.name)
        sizes = "size" in structure_features(self.space, [domain.random_cell(np.random.default_rng(0))]).groups
        #: encodings besides the structure features; these already hold the size of the network in some spaces
        self._plain = ("genes",) if sizes or not self.space.has_cost else ("genes", "size")

    @property
    def representations(self) -> tuple[Representation, ...]:
        """What a surrogate may be fitted on."""
        if self.checkpoint is None:
            return ("structure",)
        return ("structure", "function", "latent", "both") if self._function else ("structure", "latent", "both")

    @property
    def _function(self) -> int:
        return 0 if self.checkpoint is None else self.checkpoint.model.config.function

    def groups(self, cells: Sequence[Cell], representation: Representation) -> list[FeatureMatrix]:
        """One scaled matrix per feature group."""
        found: list[FeatureMatrix] = []
        if representation in ("structure", "both"):
            found += self.features(cells)
            found += [self._standardised(name, cells) for name in self._plain]
        if representation in ("latent", "both"):
            found.append(self._standardised("code" if self._function else "latent", cells))
        if self._function and representation != "structure":
            values, stops = self._standardised("function", cells), np.cumsum(self._blocks)[:-1]
            found += np.split(values, stops, axis=1)
        return found

    @cached_property
    def _blocks(self) -> tuple[int, ...]:
        if self.checkpoint is None:
            return ()
        config = self.checkpoint.model.config
        return FunctionTargets.of(self.space, config.function_targets, config.function).blocks

    def features(self, cells: Sequence[Cell]) -> list[FeatureMatrix]:
        """The structure features alone, one scaled matrix per group."""
        return self._features.apply(self._raw("structure", cells))

    def one_hot(self, cells: Sequence[Cell]) -> FeatureMatrix:
        """The genotype, one column per choice of every gene, standardised."""
        return self._standardised("genes", cells)

    def latents(self, cells: Sequence[Cell]) -> Float[np.ndarray, "cells latent"]:
        """Posterior means, not scaled."""
        return self._raw("latent", cells)

    @cached_property
    def aggregate(self) -> tuple[Float[np.ndarray, " latent"], Float[np.ndarray, " latent"]]:
        """Mean and standard deviation of the codes of random cells, per latent dimension."""
        codes = self._reference_codes
        return codes.mean(axis=0), codes.std(axis=0)

    @cached_property
    def _reference_codes(self) -> FeatureMatrix:
        return self._encode(self._reference())

    def _reference(self) -> list[Cell]:
        rng = np.random.default_rng(0)
        return [self.space.canonical(self.space.random_cell(rng)) for _ in range(_REFERENCE)]

    def _standardised(self, name: str, cells: Sequence[Cell]) -> FeatureMatrix:
        if name not in self._scale:
            of_latent = name in ("latent", *_PARTS)
            values = self._part(name, self._reference_codes) if of_latent else self._compute(name)(self._reference())
            spread = values.std(axis=0)
            kept = spread > 1e-9
            if name == "function":  # main components: their proportions are part of the distance in a block
                totals = [np.sqrt((part**2).sum()) for part in np.split(spread, np.cumsum(self._blocks)[:-1])]
                divisor = np.maximum(np.repeat(totals, self._blocks), 1e-9)
            else:
                divisor = np.where(kept, spread * np.sqrt(max(int(kept.sum()), 1)), np.inf)
            self._scale[name] = (values.mean(axis=0), divisor)
        mean, divisor = self._scale[name]
        return (self._raw(name, cells) - mean) / divisor

    def _part(self, name: str, codes: FeatureMatrix) -> Float[np.ndarray, "cells _"]:
        """The code's or the function's columns of latents; all of them by any other name."""
        first = codes.shape[1] - self._function
        return {"code": codes[:, :first], "function": codes[:, first:]}.get(name, codes)

    def _raw(self, name: str, cells: Sequence[Cell]) -> FeatureMatrix:
        if name in _PARTS:
            return self._part(name, self._raw("latent", cells))
        rows = self._rows[name]
        new = [cell for cell in dict.fromkeys(cells) if cell not in rows]
        if new:
            width = len(next(iter(rows.values()))) if rows else 1
            if len(rows) + len(new) > min(_ROWS, _NUMBERS // width):
                rows.clear()
                new = list(dict.fromkeys(cells))
            rows.update(zip(new, self._compute(name)(new), strict=True))
        return np.stack([rows[cell] for cell in cells])

    def _compute(self, name: str) -> Callable[[Sequence[Cell]], FeatureMatrix]:
        makers: dict[str, Callable[[Sequence[Cell]], FeatureMatrix]] = {
            "structure": lambda cells: structure_features(self.space, cells).values,
            "genes": self._genes,
            "size": lambda cells: log_sizes(self.space, cells),
            "latent": self._encode,
        }
        return makers[name]

    def _genes(self, cells: Sequence[Cell]) -> FeatureMatrix:
        choices = self.space.gene_choices
        starts = np.concatenate([[0], np.cumsum(choices)[:-1]])
        table = np.zeros((len(cells), sum(choices)))
        for row, cell in enumerate(cells):
            table[row, starts + np.array(self.space.genotype(cell))] = 1.0
        return table

    def _encode(self, cells: Sequence[Cell]) -> FeatureMatrix:
        if self.checkpoint is None:
            raise ValueError("latents need a checkpoint")
        with torch.inference_mode():
            return encode_all(self.checkpoint.model, to_batch(self.space, cells))[0].cpu().numpy().astype(np.float64)


_SHARED: "WeakKeyDictionary[Domain, dict[str, Encodings]]" = WeakKeyDictionary()


def shared_encodings(domain: Domain, checkpoint: Checkpoint | None = None) -> Encodings:
    """The encodings of a domain under a model; searchers of one domain share them, as they hold nothing of a run."""
    found = _SHARED.setdefault(domain, {})
    digest = "" if checkpoint is None else checkpoint.digest
    if digest not in found:
        found[digest] = Encodings(domain, checkpoint)
    return found[digest]
