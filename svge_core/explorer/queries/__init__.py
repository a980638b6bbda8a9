"""Questions in words: what a person types, read strictly, and the cells that it means."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
