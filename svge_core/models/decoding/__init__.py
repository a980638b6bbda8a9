"""Latents to cells: draws, runs of a whole batch, the masks of constrained decoding."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
