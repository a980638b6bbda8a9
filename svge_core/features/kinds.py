"""What the last dimensions of a latent can be trained towards: names and words alone, which load nothing."""

from typing import Literal, TypeAlias

FunctionKind: TypeAlias = Literal["structure", "structure+size", "kernel"]

#: each kind in words
FUNCTION_WORDS: dict[FunctionKind, str] = {
    "structure": "main components of the structure features",
    "structure+size": "numbers of structure and size (main components of the structure features, logarithms of "
    "parameters and multiply-accumulates)",
    "kernel": "main components of the covariance of wide networks",
}
