"""z -> cells: sampling forwards, backwards, or with both directions voting; raw or constrained to the space.

Raw decoding draws whatever the model says, so a result may be no member of the space. Constrained decoding masks what
the space's `DecodingRules` forbid before drawing, so every result is one. A model that writes cells in one direction
alone has no vote: for it, "both" is that direction.
"""

from typing import Any

import torch
from torch import Tensor

from svge_core.models.options import DecodeOptions
from svge_core.models.vae import GraphVAE
from svge_core.tensors import CellBatch, joined


@torch.inference_mode()
def decode(
    model: GraphVAE,
    z: Tensor,
    options: DecodeOptions,
    generator: torch.Generator | None = None,
    *,
    chunk: int = 512,
    weights: Any = None,
) -> CellBatch:
    """Decode latents (batch, latent) to cells in input-to-output order.

    Args:
        model: whose decoder writes the cells.
        z: the latents.
        options: direction, argmax or draws, inside the space or not.
        generator: source of randomness, on the model's device; equal seeds give equal cells. Unused for argmax.
        chunk: latents decoded at a time; small enough that a step's tensors stay in the processor's cache.
        weights: ``model.prepare()`` made before, to spare it on many small calls.

    Raises:
        SvgeError: if the model cannot write cells in that direction.
    """
    model.check_direction(options)
    z = z.to(model.device, torch.float32)
    weights = weights or model.prepare()
    parts = [model.decode_chunk(weights, part, options, generator) for part in z.split(chunk)]
    return parts[0] if len(parts) == 1 else joined(parts)
