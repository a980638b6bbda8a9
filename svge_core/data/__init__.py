"""Label tables: the bundled benchmark values and a user's own file, both as columns that carry their meaning."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
