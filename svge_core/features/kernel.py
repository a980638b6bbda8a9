"""What an infinitely wide network of random weights makes of a few images: a signature without a hand-made feature.

In the limit of many channels the feature maps of a network with independent Gaussian weights are Gaussian processes
over images and positions (Novak et al. 2019, "Bayesian deep convolutional networks with many channels are Gaussian
processes"; cells and skip connections as in Yang 2019, "Tensor programs I"), so a cell's network is described by the
covariance of its output, in closed form and without a draw:

    convolution   K[p, q] <- mean over offsets d of K[p + d, q + d]
    ReLU          K <- sqrt(K_pp K_qq) / pi * (sin t + (pi - t) cos t),  cos t = K_pq / sqrt(K_pp K_qq)
                  (the arc-cosine kernel of order 1, Cho and Saul 2009, with He's scale)
    batch norm    K <- C K C, divided by the mean of its diagonal; C subtracts the mean over images and positions. One
                  variance for all channels, where a real batch norm divides each by its own
    identity, average pooling   linear: the field itself, or its mean over neighbours, so that what two paths share
                  adds up in amplitude and not in variance

Images have a single row of positions that closes into a ring; a convolution or pooling of 3x3 sees a position and its
two neighbours. Three cells are stacked, without the reductions of the real networks between them. Maximum pooling has
no closed form and stands as average pooling.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from svge_core.cells import Cell
from svge_core.errors import DataError
from svge_core.features.components import principal_components, representatives
from svge_core.features.scaling import reference_cells
from svge_core.features.structure import padded_cells
from svge_core.spaces import SPACES, AbstractSearchSpace, WideNetwork

#: probe images, positions of each, channels that they are drawn with
IMAGES, POSITIONS, CHANNELS = 6, 6, 16
STACKED = 3
_POINTS = IMAGES * POSITIONS
#: of a covariance's upper triangle
KERNEL_ENTRIES = _POINTS * (_POINTS + 1) // 2
#: how much more two images differ than two positions of one
_BETWEEN_IMAGES = 1.5
_SEED = 0
_CHUNK = 512
#: a field of less variance carries nothing on
_SILENT = 1e-9

Kernels = Float[Tensor, "... points points"]


def has_kernel(space: AbstractSearchSpace) -> bool:
    """Whether the covariance of a space's networks is known here."""
    return space.wide_network is not None


def relu_kernel(kernel: Kernels) -> Kernels:
    """Covariance after a ReLU scaled to keep the variance: the arc-cosine kernel of order 1 (Cho and Saul 2009)."""
    deviation = kernel.diagonal(dim1=-2, dim2=-1).clamp(min=0).sqrt()
    norms = deviation.unsqueeze(-1) * deviation.unsqueeze(-2)
    cosine = (kernel / norms.clamp(min=_SILENT**2)).clamp(-1, 1)
    return norms / math.pi * ((1 - cosine**2).clamp(min=0).sqrt() + (math.pi - cosine.acos()) * cosine)


def conv_kernel(kernel: Kernels) -> Kernels:
    """Covariance after a convolution over a position and its two neighbours, of weights of variance 1/3."""
    folded = kernel.unflatten(-1, (IMAGES, POSITIONS)).unflatten(-3, (IMAGES, POSITIONS))
    shifted = [folded.roll((offset, offset), dims=(-3, -1)) for offset in (-1, 0, 1)]
    return ((shifted[0] + shifted[1] + shifted[2]) / 3).reshape(kernel.shape)


def norm_kernel(kernel: Kernels) -> Kernels:
    """Covariance after batch normalisation over all images and positions; a constant field becomes 0."""
    centred = kernel - kernel.mean(-1, keepdim=True)
    centred = centred - centred.mean(-2, keepdim=True)
    variance = centred.diagonal(dim1=-2, dim2=-1).mean(-1)[..., None, None]
    return torch.where(variance > _SILENT, centred / variance.clamp(min=_SILENT), torch.zeros_like(centred))


def output_kernels(space: AbstractSearchSpace, cells: Sequence[Cell]) -> Float[np.ndarray, "cells entries"]:
    """Covariance of the output of three stacked cells over the probe images, its upper triangle row by row.

    Args:
        space: of the cells; see :func:`has_kernel`.
        cells: members.

    Raises:
        DataError: if nothing is known of the networks of the space, or a cell carries an unknown operation.
    """
    rules = _rules(space)
    upper = torch.triu_indices(_POINTS, _POINTS)
    found = [np.zeros((0, upper.shape[1]))]
    for start in range(0, len(cells), _CHUNK):
        chunk = _Cells.of(space, rules, cells[start : start + _CHUNK])
        kernel = probe_kernel().expand(len(chunk.nodes), _POINTS, _POINTS)
        for _ in range(STACKED):
            kernel = _through_cells(rules, kernel, chunk)
        kernel = norm_kernel(kernel)
        kernel = relu_kernel(kernel) if rules.activation_first else kernel
        found.append(kernel[:, upper[0], upper[1]].numpy().astype(np.float64))
    return np.concatenate(found)


@lru_cache(maxsize=1)
def probe_kernel() -> Float[Tensor, "points points"]:
    """Covariance of the stem's output over the probe images: a convolution of :func:`probe_images`, normalised."""
    images = probe_images().permute(0, 2, 1).reshape(_POINTS, CHANNELS)
    return norm_kernel(conv_kernel(images @ images.T / CHANNELS))


def probe_images() -> Float[Tensor, "images channels positions"]:
    """Smooth random images, the same for everybody."""
    generator = torch.Generator().manual_seed(_SEED)
    rough = torch.randn(IMAGES, CHANNELS, POSITIONS, generator=generator)
    rough = rough + _BETWEEN_IMAGES * torch.randn(IMAGES, CHANNELS, 1, generator=generator)
    return rough + rough.roll(1, 2) + rough.roll(-1, 2)


@dataclass(frozen=True)
class _Cells:
    """Cells for the recursion, node by node.

    Attributes:
        nodes: kind of each node; the last is the output, nodes behind it are padding (cells, nodes).
        edges: from a node to a later one (cells, nodes, nodes).
    """

    nodes: np.ndarray
    edges: Bool[Tensor, "cells nodes nodes"]

    @classmethod
    def of(cls, space: AbstractSearchSpace, rules: WideNetwork, cells: Sequence[Cell]) -> "_Cells":
        padded = padded_cells(space, cells)
        names = np.array(["input", "output", *(rules.kinds[op] for op in space.operations), "padding"])
        return cls(names[padded.labels], torch.from_numpy(padded.edges))

    def of_kind(self, node: int, *kinds: str) -> Bool[Tensor, " cells"]:
        return torch.from_numpy(np.isin(self.nodes[:, node], kinds))


@lru_cache(maxsize=1)
def _ring() -> tuple[Float[Tensor, "points points"], Float[Tensor, " points"]]:
    """Basis in which pooling is a product, and what it multiplies with."""
    ring = torch.eye(POSITIONS, dtype=torch.float64)
    pooling = (ring + ring.roll(1, 0) + ring.roll(-1, 0)) / 3
    values, vectors = torch.linalg.eigh(pooling)
    basis = torch.kron(torch.eye(IMAGES, dtype=torch.float64), vectors.contiguous())
    return basis.float(), values.repeat(IMAGES).float()


def _through_cells(
    rules: WideNetwork, kernel: Float[Tensor, "cells points points"], chunk: _Cells
) -> Float[Tensor, "cells points points"]:
    """Second moments of the outputs of cells that read a field of second moments ``kernel``.

    What a node holds is a sum over independent fields (the cell's input, and the result of every convolution), each
    seen through identities and poolings. These share a basis: one factor per point of it tells how a node sees a field.
    """
    cells, width = chunk.nodes.shape
    _, pooling = _ring()
    slots = 2 * width if rules.projected else width  # the second half: the input as each node projects it
    fields = _Fields.zeros(cells, slots)
    factors = torch.zeros(cells, width, slots, _POINTS)
    every = torch.ones(cells, dtype=torch.bool)
    if rules.projected:
        for slot in range(width, slots):
            fields.put(every, slot, norm_kernel(kernel), rectified=True)
    else:
        fields.put(every, 0, kernel, rectified=False)
        factors[:, 0, 0] = 1
    output = torch.zeros_like(kernel)
    for node in range(1, width):
        reads = chunk.edges[:, :node, node].float()
        sums = torch.einsum("cn,cnfp->cfp", reads, factors[:, :node])
        if rules.projected:
            sums[:, width + node] = reads[:, :1]
        for kind in ("conv1", "conv3"):
            if (rows := chunk.of_kind(node, kind)).any():
                held = fields.moments(rows, sums[rows])
                held = relu_kernel(held) if rules.activation_first else held
                held = norm_kernel(conv_kernel(held) if kind == "conv3" else held)
                fields.put(rows, node, held, rectified=not rules.activation_first)
                factors[rows, node, node] = 1
        for kind, share in (("identity", torch.ones_like(pooling)), ("pool", pooling)):
            rows = chunk.of_kind(node, kind)
            factors[rows, node] = sums[rows] * share
        if (rows := chunk.of_kind(node, "output")).any():
            if not rules.projected:
                output[rows] = fields.moments(rows, sums[rows])
                continue
            projection = torch.zeros_like(sums[rows])
            projection[:, width + node] = reads[rows, :1]
            inner = reads[rows, 1:]
            parts = [
                inner[:, part - 1, None, None] * fields.moments(rows, factors[rows, part] + projection)
                for part in range(1, node)
            ]
            alone = (inner.sum(1) == 0)[:, None, None] * fields.moments(rows, projection)
            output[rows] = sum(parts, alone) / inner.sum(1).clamp(min=1)[:, None, None]
    return output


@dataclass
class _Fields:
    """Independent fields, in the basis in which pooling is a product.

    Attributes:
        covariance: of each (cells, fields, points, points).
        mean: of each; not zero after a ReLU, so that two such fields have second moments in common
            (cells, fields, points).
    """

    covariance: Float[Tensor, "cells fields points points"]
    mean: Float[Tensor, "cells fields points"]

    @classmethod
    def zeros(cls, cells: int, count: int) -> "_Fields":
        return cls(torch.zeros(cells, count, _POINTS, _POINTS), torch.zeros(cells, count, _POINTS))

    def put(self, rows: Bool[Tensor, " cells"], number: int, kernel: Kernels, *, rectified: bool) -> None:
        """A Gaussian field of this covariance as it is, or after a ReLU."""
        basis, _ = _ring()
        if rectified:
            # the mean of a rectified Gaussian, with He's scale
            mean = (kernel.diagonal(dim1=-2, dim2=-1).clamp(min=0) / math.pi).sqrt()
            kernel = relu_kernel(kernel) - mean[..., :, None] * mean[..., None, :]
            self.mean[rows, number] = mean @ basis
        self.covariance[rows, number] = basis.T @ kernel @ basis

    def moments(
        self, rows: Bool[Tensor, " cells"], factors: Float[Tensor, "some fields points"]
    ) -> Float[Tensor, "some points points"]:
        """Second moments of the sum of all fields, each seen through its factors."""
        basis, _ = _ring()
        mean = (self.mean[rows] * factors).sum(1)
        found = mean[:, :, None] * mean[:, None, :]
        for number in range(factors.shape[1]):
            seen = factors[:, number]
            if seen.any():
                found += self.covariance[rows, number] * seen[:, :, None] * seen[:, None, :]
        return basis @ found @ basis.T


def _rules(space: AbstractSearchSpace) -> WideNetwork:
    if space.wide_network is None:
        known = [other.title for other in SPACES.values() if other.wide_network is not None]
        raise DataError(
            f"The covariance of the networks of {space.title} is not known; it is for {' and '.join(known)}."
        )
    return space.wide_network


@dataclass(frozen=True)
class KernelComponents:
    """Principal components of the output covariances, each of variance 1 over random cells.

    Attributes:
        space: of the cells.
        centre: mean of the entries over random cells (entries).
        directions: one column per component, largest variance first (entries, components).
    """

    space: AbstractSearchSpace
    centre: Float[np.ndarray, " entries"]
    directions: Float[np.ndarray, "entries components"]

    @classmethod
    def of(cls, space: AbstractSearchSpace, count: int) -> "KernelComponents":
        """The first components of a registered space, a function of the space alone.

        Raises:
            DataError: if nothing is known of the networks of the space, or there are fewer components.
        """
        _rules(space)
        return _of(space.name, count)

    def scores(self, cells: Sequence[Cell]) -> Float[np.ndarray, "cells components"]:
        """Where cells lie along the components; cells that compute the same (``space.equivalents``) lie together."""
        firsts = representatives(self.space, cells)
        row = {cell: number for number, cell in enumerate(dict.fromkeys(firsts))}
        found = (output_kernels(self.space, list(row)) - self.centre) @ self.directions
        return found[[row[cell] for cell in firsts]]


@lru_cache(maxsize=4)
def _of(space_name: str, count: int) -> KernelComponents:
    space = SPACES[space_name]
    entries = output_kernels(space, reference_cells(space_name))
    variances, directions = principal_components(entries)
    if not 1 <= count <= len(variances):
        raise DataError(
            f"The covariances of {space.title} have {len(variances)} components; expected 1 to {len(variances)}, got "
            f"{count}."
        )
    white = directions[:, :count] / np.sqrt(variances[:count])
    # in the precision in which they are stored
    centre, white = (array.astype(np.float32).astype(np.float64) for array in (entries.mean(axis=0), white))
    return KernelComponents(space, centre, white)
