"""Networks written as files: code a person would write, weights, programs that run without it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
