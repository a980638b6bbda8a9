"""What shows itself in a notebook: a map to zoom into, a cell with its scores, a path."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
