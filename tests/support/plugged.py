"""Spaces that a test makes known, unknown again afterwards."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from svge_core import plugins
from svge_core.search.searchers import METHODS
from svge_core.spaces import SPACES


@contextmanager
def unplugged_after() -> Iterator[pytest.MonkeyPatch]:
    """Undo every registration, import and addition to the import path that is made inside."""
    path, modules, loaded = list(sys.path), set(sys.modules), set(plugins._loaded)
    tables: tuple[dict[str, Any], ...] = (SPACES, METHODS)
    kept = [(known, dict(known)) for known in tables]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(plugins.VARIABLE, os.environ.get(plugins.VARIABLE, ""))
        try:
            yield patch
        finally:
            sys.path[:] = path
            folders = tuple(f"{folder}{os.sep}" for folder in {*sys.path} if folder)
            for name in set(sys.modules) - modules:
                file = getattr(sys.modules[name], "__file__", None) or ""
                if not file.startswith(folders):  # what is found without the additions may stay
                    del sys.modules[name]
            plugins._loaded.intersection_update(loaded)
            for known, before in kept:
                known.clear()
                known.update(before)
