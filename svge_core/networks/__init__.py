"""Cells to trainable networks, those in which the authors of a space trained them; statistics of untrained ones."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
