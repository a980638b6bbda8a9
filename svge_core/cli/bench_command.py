"""``bench NAME``: runs a script of a checkout's ``bench`` folder, which is not part of the installed library."""

import argparse
import ast
import subprocess
import sys
from pathlib import Path

from svge_core.cli.common import emit
from svge_core.errors import SvgeError


def checkout(start: Path) -> Path:
    """The folder of the repository that a folder lies in: the nearest one with a package ``bench`` in a project.

    Raises:
        SvgeError: if there is none.
    """
    for folder in (start, *start.parents):
        if (folder / "bench" / "__init__.py").is_file() and (folder / "pyproject.toml").is_file():
            return folder
    raise SvgeError(f"There are no benchmarks in {start} or above: they are in the repository; run from a checkout.")


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
    """List the scripts, or run one as ``python -m bench.NAME``; its exit code is this command's."""
    root = checkout(Path.cwd())
    found = scripts(root / "bench")
    if arguments.name is None:
        width = max(map(len, found), default=0)
        emit(arguments, found, "\n".join(f"{name:<{width}}  {line}" for name, line in found.items()))
        return 0
    if arguments.name not in found:
        raise SvgeError(f"No benchmark {arguments.name[:60]!r}: expected one of {', '.join(found)}.")
    passed = [*(["--json"] if arguments.json else []), *arguments.rest]
    return subprocess.run([sys.executable, "-m", f"bench.{arguments.name}", *passed], cwd=root, check=False).returncode
