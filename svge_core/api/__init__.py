"""The functions that ``import svge_core`` gives: thin, by name or object, text or path."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
