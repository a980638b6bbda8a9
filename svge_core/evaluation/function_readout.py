"""How well a model's last dimensions say what a cell computes, on cells it was never trained on."""

import numpy as np
from jaxtyping import Float

from svge_core.checkpoints import MetricRow
from svge_core.features import FunctionTargets
from svge_core.models import GraphVAE, encode_all
from svge_core.tensors import CellBatch
from svge_core.training import function_of


def explained(found: Float[np.ndarray, "cells columns"], truth: Float[np.ndarray, "cells columns"]) -> float:
    """Share of the variance of all columns together that predictions explain: R^2, 1 where all is right."""
    missed, spread = np.square(truth - found).sum(), np.square(truth - truth.mean(axis=0)).sum()
    return float(1 - missed / spread)


def function_row(model: GraphVAE, held_out: CellBatch, split: str) -> MetricRow:
    """R^2 of the read-out against the numbers that it is trained towards.

    Args:
        model: with ``config.function`` dimensions.
        held_out: cells never trained on.
        split: which these are, in words.
    """
    truth = function_of(model, held_out).cpu().numpy()
    found = encode_all(model, held_out)[0][:, model.config.code :].numpy()
    words = FunctionTargets.of(model.space, model.config.function_targets, model.config.function).words
    protocol = f"share of the variance of {words} that the last numbers of the latent explain, all together"
    return MetricRow(
        what="function", value=explained(found, truth), n=len(held_out), unit="R²", protocol=protocol, split=split
    )
