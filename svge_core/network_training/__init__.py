"""Networks trained on images: recipes, images, the loop, its state on disk, and what came out as a measured score."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
