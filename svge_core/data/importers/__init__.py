"""Official benchmark files, read without TensorFlow and without running anything they contain, into a compact cache."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
