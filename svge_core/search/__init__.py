"""Searching a space for good architectures: searchers (ask), objectives, and the store every evaluation is kept in.

``history``    what is known: finished evaluations and those under way
``domain``     which cells may be proposed, and their one-edit neighbours within that
``searchers``  one file per method: a history goes in, proposals come out
``objectives`` what a cell is worth: a measured table, a predictor, a user's labels or function
``runs``       one search is one Optuna study: every evaluation is durable the moment it is known
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
