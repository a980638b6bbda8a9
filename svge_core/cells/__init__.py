"""One architecture as a value: a frozen labelled graph, its canonical form, differences of two."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
