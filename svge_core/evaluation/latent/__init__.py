"""How far the latent of a checkpoint can be trusted: six measures, each with its denominator and its controls."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
