"""Many cells to posterior parameters, in chunks that fit a small machine."""

import torch
from jaxtyping import Float
from torch import Tensor

from svge_core.models.vae import GraphVAE
from svge_core.tensors import CellBatch

ENCODE_CHUNK = 512


@torch.inference_mode()
def encode_all(
    model: GraphVAE, cells: CellBatch
) -> tuple[Float[Tensor, "cells latent"], Float[Tensor, "cells latent"]]:
    """Posterior means and log-variances of many cells, in cache-sized pieces, on the CPU."""
    means, log_vars = [], []
    for start in range(0, max(1, len(cells)), ENCODE_CHUNK):  # no cells give one empty piece
        posterior = model.encode(cells.select(slice(start, start + ENCODE_CHUNK)).to(model.device))
        means.append(posterior.mean.cpu())
        log_vars.append(posterior.log_var.cpu())
    return torch.cat(means), torch.cat(log_vars)
