"""Many cells to posterior parameters, in chunks that fit a small machine."""

import torch
from jaxtyping import Float
from torch import Tensor

from svge_core.models.vae import GraphVAE
from svge_core.tensors import CellBatch
from svge_core.threads import one_thread

ENCODE_CHUNK = 512


@torch.inference_mode()
def encode_all(
    model: GraphVAE, cells: CellBatch
) -> tuple[Float[Tensor, "cells latent"], Float[Tensor, "cells latent"]]:
    """Posterior means and log-variances of many cells, in cache-sized pieces, on the CPU.

    On one thread of PyTorch: pieces are small, and in a server whose machine also draws the page several threads wait
    for each other. So the sums are the same on any number of cores, too.
    """
    means, log_vars = [], []
    with one_thread():
        for start in range(0, max(1, len(cells)), ENCODE_CHUNK):  # no cells give one empty piece
            posterior = model.encode(cells.select(slice(start, start + ENCODE_CHUNK)).to(model.device))
            means.append(posterior.mean.cpu())
            log_vars.append(posterior.log_var.cpu())
    return torch.cat(means), torch.cat(log_vars)
