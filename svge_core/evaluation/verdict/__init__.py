"""What a checkpoint is good for in three sentences: what it reconstructs, what distances follow, what to predict from.

Every word follows from recorded numbers, which stand behind it. What was not recorded is said, with the command that
measures it in a field of its own. Texts hold titles of scores, which anybody may have written: escape them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
