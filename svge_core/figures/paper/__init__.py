"""Figures for papers: SVG, PDF and PNG in the width of a column, drawn by matplotlib, equal for equal input."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
