"""What a cell is worth: a table, a predictor, labels or a function of the user."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
