"""Two to four cells side by side: what tells them apart, and files of it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
