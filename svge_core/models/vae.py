"""`GraphVAE`: what training, checkpoints, metrics and search ask of a graph variational autoencoder.

Objective per cell (both terms are sums, so nothing depends on batch size or padding)::

    loss = -log p(cell | z) + beta * KL(q(z | cell) || N(0, I)) - log N(f(cell) | z_f, function_noise^2 I)

the last term where the model has dimensions ``z_f`` for what a cell computes, f(cell).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from svge_core.errors import SvgeError
from svge_core.models.config import ModelConfig
from svge_core.models.encoder import OperationEncoding, Posterior
from svge_core.models.options import DecodeDirection, DecodeOptions
from svge_core.spaces import AbstractSearchSpace
from svge_core.tensors import CellBatch


@dataclass(frozen=True)
class Elbo:
    """Terms of the objective, one value per cell, in nats.

    Attributes:
        loss: what training minimises.
        types: negative log-likelihood of the node types, over all directions the model writes cells in.
        edges: negative log-likelihood of the edges, likewise.
        kl: KL divergence, not yet weighted.
        function: negative log-likelihood of what the cell computes, up to a constant; 0 where nothing is known of it.
    """

    loss: Float[Tensor, " batch"]
    types: Float[Tensor, " batch"]
    edges: Float[Tensor, " batch"]
    kl: Float[Tensor, " batch"]
    function: Float[Tensor, " batch"]


class GraphVAE(nn.Module, ABC):
    """A graph VAE over the cells of one search space, all methods batched.

    Attributes:
        kind: name of the model in checkpoints and on the command line.
        title: name shown to people.
        source: what it is, with its paper.
        directions: what it can decode with.
        has_function: whether it can have dimensions for what a cell computes (``config.function``).
    """

    kind: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[str]
    directions: ClassVar[tuple[DecodeDirection, ...]] = ("forward",)
    has_function: ClassVar[bool] = False

    def __init__(self, space: AbstractSearchSpace, config: ModelConfig) -> None:
        super().__init__()
        self.space = space
        self.config = config
        self.operations = OperationEncoding(len(space.vocabulary), config)

    @property
    def table(self) -> Tensor:
        """Rows of the operation encoding, (types, width); one table for encoder and decoder."""
        return self.operations.table  # type: ignore[return-value]

    @property
    def first_near(self) -> int:
        """The first dimension of z in which near cells are alike: maps and neighbours leave out those before it.

        None is left out, unless a model says more.
        """
        return 0

    def mixed(
        self,
        latents: Float[np.ndarray, "near latent"],
        weights: Float[np.ndarray, " near"],
        average: Float[np.ndarray, " latent"],
    ) -> Float[np.ndarray, " latent"]:
        """The latent of a place between known ones: their average, unless a model says more.

        Args:
            latents: of the known cells, nearest first.
            weights: of each, adding up to 1.
            average: of the latents as a whole.
        """
        return average

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    @abstractmethod
    def encode(self, batch: CellBatch) -> Posterior:
        """q(z | cell) for every cell."""

    @abstractmethod
    def terms(
        self, batch: CellBatch, z: Float[Tensor, "batch latent"], edge_reduction: str
    ) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
        """Negative log-likelihood of types and of edges per cell in nats, as training minimises them."""

    @abstractmethod
    def log_probability(self, batch: CellBatch, z: Float[Tensor, "batch latent"]) -> Float[Tensor, " batch"]:
        """Log-probability in nats that a forward, raw sampling run from ``z`` draws exactly the cell beside it."""

    @abstractmethod
    def decode_chunk(
        self,
        weights: Any,
        z: Float[Tensor, "batch latent"],
        options: DecodeOptions,
        generator: torch.Generator | None,
    ) -> CellBatch:
        """Decode some latents; see :func:`svge_core.models.decoding.decoding.decode`."""

    @abstractmethod
    def prepare(self) -> Any:
        """Products of weights alone that decoding needs, to be made once for many small calls."""

    @abstractmethod
    def node_tables(self) -> dict[str, Float[Tensor, "types width"]]:
        """By title, one row per node type: what each part of the model makes of the operation encoding."""

    def check_direction(self, options: DecodeOptions) -> None:
        """Raises SvgeError: if the model cannot write cells in that direction."""
        if options.direction == "backward" and "backward" not in self.directions:
            raise SvgeError(f"{self.title} writes cells forwards only; got direction 'backward'.")

    def elbo(self, batch: CellBatch, generator: torch.Generator | None) -> Elbo:
        """The objective for one draw of z per cell."""
        posterior = self.encode(batch)
        return self.elbo_from(batch, posterior, posterior.sample(generator, self.config.posterior_noise))

    def elbo_from(
        self,
        batch: CellBatch,
        posterior: Posterior,
        z: Float[Tensor, "batch latent"],
        function: Float[Tensor, "batch function"] | None = None,
    ) -> Elbo:
        """The objective at given latents.

        Args:
            batch: the cells.
            posterior: of them.
            z: drawn from it.
            function: what the cells compute; the term is left out where it is not given.
        """
        types, edges = self.terms(batch, z, self.config.edge_reduction)
        kl = posterior.kl()
        if function is None:
            apart = torch.zeros_like(kl)
        else:
            known = posterior.mean[:, self.config.code :]
            apart = 0.5 * (known - function).square().sum(1) / self.config.function_noise**2
        return Elbo(types + edges + self.config.beta * kl + apart, types, edges, kl, apart)
