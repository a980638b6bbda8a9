"""GraphPNAS (Li et al. 2022): a learned distribution of good architectures, refitted to the best that were found."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
