"""Surrogates that are fitted quickly, where it is not the point how good they are."""

from collections.abc import Sequence

import numpy as np

from svge_core.predictors import KernelParameters


def as_they_come(features: Sequence[np.ndarray], targets: np.ndarray) -> KernelParameters:
    """In place of ``fit_parameters``: every hyper-parameter is 1."""
    return KernelParameters.from_log(np.zeros(4 * len(features) + 2), len(features))
