"""The two-sided graph variational autoencoder SVGe (Lukasik et al. 2021) and its predictor head."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
