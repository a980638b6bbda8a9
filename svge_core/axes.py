"""The axis vocabulary of this project. Shapes in signatures are jaxtyping annotations over these names.

Axis names: ``batch`` cells, ``nodes`` padded node positions, ``types`` node-type ids, ``hidden`` node state, ``latent``
dimensions of z, ``plane`` (= 2) map coordinates, ``cells`` rows of an atlas, ``features`` columns of a feature matrix.
"""

from jaxtyping import Bool, Float, Int
from torch import Tensor

NodeTypes = Int[Tensor, "batch nodes"]
Adjacency = Float[Tensor, "batch nodes nodes"]
NodeMask = Bool[Tensor, "batch nodes"]
Sizes = Int[Tensor, " batch"]
Latents = Float[Tensor, "batch latent"]
TypeLogits = Float[Tensor, "batch nodes types"]
EdgeLogits = Float[Tensor, "batch nodes nodes"]
PerCell = Float[Tensor, " batch"]
