"""The graph VAEs SVGe was measured against: D-VAE, D-VAE with a GCN encoder, DGMG. Same interface, same training."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
