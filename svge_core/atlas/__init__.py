"""The map: cells, their latents and their places on two-dimensional planes."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
