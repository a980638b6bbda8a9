"""Values -> Plotly figures. A chart is an info (frozen, the very numbers drawn, tested) and a figure made from it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
