"""``bench NAME``: runs a script of the repository's ``bench`` folder, which is not part of the installed library."""

import argparse
import ast
import importlib
import sys
from pathlib import Path

from svge_core.cli.common import emit
from svge_core.errors import SvgeError

FOLDER = Path(__file__).resolve().parents[2] / "bench"


def scripts(folder: Path) -> dict[str, str]:
    """Name and first line of every script with a ``main``, without importing any."""
    found = {}
    for path in sorted(folder.glob("*.py")):
        try:
            tree = ast.parse(path.read_text("utf-8"))
        except (SyntaxError, ValueError):
            continue  # half written
        if any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body):
            found[path.stem] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return found


def bench(arguments: argparse.Namespace) -> int:
    """List the scripts, or hand over to one."""
    found = scripts(FOLDER)
    if not found:
        raise SvgeError(
            "There are no benchmarks here: they are in the repository's bench/ folder; run from a checkout."
        )
    if arguments.name is None:
        width = max(map(len, found))
        emit(arguments, found, "\n".join(f"{name:<{width}}  {line}" for name, line in found.items()))
        return 0
    if arguments.name not in found:
        raise SvgeError(f"No benchmark {arguments.name[:60]!r}: expected one of {', '.join(found)}.")
    root = str(FOLDER.parent)
    if root not in sys.path:
        sys.path.insert(0, root)
    passed = [*(["--json"] if arguments.json else []), *arguments.rest]
    return importlib.import_module(f"bench.{arguments.name}").main(passed)
