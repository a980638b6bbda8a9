"""The third-party space and method, made known as a user would and unknown again, so that no other test sees them."""

import sys
from collections.abc import Iterator

import pytest

from svge_core import plugins
from svge_core.search.searchers import METHODS
from svge_core.spaces import SPACES

MODULES = ("tests.third_party.ring_space", "tests.third_party.coin_method")


@pytest.fixture(scope="package", autouse=True)
def plugged() -> Iterator[None]:
    """``SVGE_PLUGINS`` names both modules, for this process and those that it starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(plugins.VARIABLE, ", ".join(MODULES))
        plugins.load_plugins()
        yield
        del SPACES["ring"], METHODS["coin"]
        for name in MODULES:
            del sys.modules[name]
            plugins._loaded.remove(f"{plugins.VARIABLE}: {name}")
