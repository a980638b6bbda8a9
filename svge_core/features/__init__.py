"""What a cell is, in numbers that nobody trained: structure features, their scaling, and their main components."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
