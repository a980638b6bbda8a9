"""Parts of NAS-Bench-101: graphs as codes, the md5 key, the table of all cells, the size of the network."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
