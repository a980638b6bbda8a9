"""SVGe Explorer: search spaces, the two-sided graph VAE, its atlas, predictors, searches and exports.

Everything a user needs is a name of this package; it is loaded when it is first used. The app is not part of it.
"""

import lazy_loader

__version__ = "0.2.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]
