"""The shape of the code base: imports go one way, the core knows no Streamlit, pages no torch, heavy imports are lazy.

Every check is a function of a folder, so that the last test can plant a violation of each and see it caught.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.support.paths import ROOT

#: the modules of svge_core from the bottom up; a module imports from lower layers and, without cycles, from its own
LAYERS: tuple[frozenset[str], ...] = tuple(
    frozenset(names.split())
    for names in (
        "errors axes files quantised stored_columns tensor_files",
        "cells",
        "spaces differences",
        "tensors held_out data convert palette drawing geometry features features_local",
        "networks export export_json models patterns surrogates graphpnas calibration prediction_measures",
        "checkpoints metrics edge_f1 training training_state smoothness evaluation evaluation_edges randwire_digits",
        "chart atlas atlas_file projection predictors model_card extrapolation extrapolation_cells extrapolation_file "
        "extrapolation_run latent_quality",
        "path path_export path_graph path_lines path_scores search distribution explorer explorer_columns "
        "explorer_inspection explorer_opening explorer_select explorer_sources",
        "figures",
        "cli __main__",
    )
)
#: slow to import (2 to 26 seconds) or needed by few: imported inside the functions that use them
HEAVY = frozenset({"torch_geometric", "botorch", "gpytorch", "umap", "sklearn", "optuna", "xgboost", "onnx", "plotly"})
#: most lines of a file; over about 300 a file wants to be two
MAX_LINES = 400
LINE_CAPPED = ("app.py", "svge_core", "ui", "pages", "bench", "tests")


def python_files(root: Path, *names: str) -> Iterator[Path]:
    for name in names:
        path = root / name
        yield from [path] if path.suffix == ".py" and path.exists() else sorted(path.rglob("*.py"))


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports(path: Path, root: Path, *, only_at_import: bool = False) -> Iterator[str]:
    """Dotted names a file imports, relative ones resolved; with ``only_at_import`` without those inside functions."""
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"), filename=str(path))]
    while waiting:
        node = waiting.pop()
        if only_at_import and (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or is_type_checking(node)
        ):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = list(path.relative_to(root).parts[: -node.level or None]) if node.level else []
            base = ".".join([*package, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("importlib.import_module", "__import__"):
            yield from (str(argument.value) for argument in node.args if isinstance(argument, ast.Constant))
        waiting.extend(ast.iter_child_nodes(node))


def tops(names: Iterator[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def unit(path: Path, root: Path) -> str:
    """The part of svge_core a file belongs to: ``cells`` for svge_core/cells.py, ``spaces`` for all of spaces/."""
    return path.relative_to(root / "svge_core").parts[0].removesuffix(".py")


def core_imports(root: Path) -> Iterator[tuple[Path, str, str]]:
    """(file, its part, a part it imports) over all of svge_core, imports within one part left out."""
    for path in python_files(root, "svge_core"):
        own = unit(path, root)
        for name in imports(path, root):
            parts = name.split(".")
            if parts[0] == "svge_core" and len(parts) > 1 and parts[1] != own and own != "__init__":
                yield path, own, parts[1]


# the checks: each returns what is wrong, in words


def unplaced_modules(root: Path) -> list[str]:
    placed = frozenset().union(*LAYERS) | {"__init__"}
    found = {unit(path, root) for path in python_files(root, "svge_core")}
    return [f"svge_core/{name} has no layer: place it in LAYERS of {Path(__file__).name}" for name in found - placed]


def upward_imports(root: Path) -> list[str]:
    layer = {name: number for number, names in enumerate(LAYERS) for name in names}
    wrong = []
    graph: dict[str, set[str]] = {}
    for path, own, other in core_imports(root):
        if own not in layer or other not in layer:  # reported by unplaced_modules; or a name, not a module
            continue
        graph.setdefault(own, set()).add(other)
        message = f"{path.relative_to(root)} imports {other}, which lies above {own}"
        if layer[other] > layer[own] and message not in wrong:
            wrong.append(message)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        wrong.append(f"svge_core imports in a circle: {' <- '.join(error.args[1])}")
    return wrong


def outward_imports(root: Path) -> list[str]:
    """Streamlit, ui, pages, app, tests or bench imported by the core."""
    banned = {"streamlit", "ui", "pages", "app", "tests", "bench"}
    return [
        f"{path.relative_to(root)} imports {name}: svge_core stands on its own"
        for path in python_files(root, "svge_core")
        for name in sorted(banned & tops(imports(path, root)))
    ]


def torch_in_pages(root: Path) -> list[str]:
    return [
        f"{path.relative_to(root)} imports torch: a page that computes wants a core function"
        for path in python_files(root, "pages")
        if tops(imports(path, root)) & {"torch", "torch_geometric"}
    ]


def pages_imported(root: Path) -> list[str]:
    return [
        f"{path.relative_to(root)} imports pages: shared code belongs in ui"
        for path in python_files(root, "ui", "pages", "svge_core")
        if tops(imports(path, root)) & {"pages", "app"}
    ]


def heavy_imports(root: Path) -> list[str]:
    return [
        f"{path.relative_to(root)} imports {name} at import time: import it inside the function that needs it"
        for path in python_files(root, "svge_core", "ui", "pages", "app.py")
        for name in sorted(HEAVY & tops(imports(path, root, only_at_import=True)))
        # charts are what a page is for, and Plotly's figures are its values
        if not (name == "plotly" and unit_is_interface(path, root))
    ]


def unit_is_interface(path: Path, root: Path) -> bool:
    return path.relative_to(root).parts[0] in ("ui", "pages", "app.py")


def long_files(root: Path) -> list[str]:
    return [
        f"{path.relative_to(root)} has {lines} lines, more than {MAX_LINES}: split it"
        for path in python_files(root, *LINE_CAPPED)
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    ]


def prints_and_evals(root: Path) -> list[str]:
    """print, eval, exec and pickle loading in the core (the command line may print)."""
    wrong = []
    for path in python_files(root, "svge_core"):
        if unit(path, root) in ("cli", "__main__"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("print", "eval", "exec", "pickle.load"):
                wrong.append(f"{path.relative_to(root)}:{node.lineno} calls {ast.unparse(node.func)}")
    return wrong


CHECKS = (
    unplaced_modules,
    upward_imports,
    outward_imports,
    torch_in_pages,
    pages_imported,
    heavy_imports,
    long_files,
    prints_and_evals,
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_code_base_keeps_its_shape(check) -> None:
    assert check(ROOT) == []


def test_importing_the_core_loads_neither_streamlit_nor_anything_heavy() -> None:
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in python_files(ROOT, "svge_core")
        if unit(path, ROOT) not in ("__main__", "cli")
    ]
    code = (
        f"import importlib, sys\nfor name in {modules!r}:\n    importlib.import_module(name)\n"
        f"found = {sorted(HEAVY | {'streamlit'})!r}\nprint(*[name for name in found if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == []


PLANTED = {
    "unplaced_modules": ("svge_core/misc.py", "", "svge_core/misc has no layer: place it"),
    "upward_imports": ("svge_core/cells.py", "from svge_core.models import svge", "cells.py imports models, which"),
    "outward_imports": ("svge_core/data/csv.py", "def f():\n    import streamlit.web", "imports streamlit"),
    "torch_in_pages": ("pages/map.py", "from torch import nn", "imports torch: a page"),
    "pages_imported": ("ui/session.py", "import pages.map", "imports pages: shared code"),
    "heavy_imports": (
        "svge_core/search/gp.py",
        "try:\n    import botorch\nexcept ImportError: ...",
        "imports botorch at",
    ),
    "long_files": ("tests/test_long.py", "\n" * 401, "has 401 lines, more than 400"),
    "prints_and_evals": ("svge_core/path.py", "def f(x):\n    return eval(x)", "path.py:2 calls eval"),
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_every_check_catches_a_planted_violation(check, tmp_path: Path) -> None:
    name, text, message = PLANTED[check.__name__]
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    for clean in ("svge_core/errors.py", "pages/clean.py"):
        (tmp_path / clean).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / clean).write_text("import math\n")
    assert check(tmp_path) == []
    path.write_text(text)
    assert len(found := check(tmp_path)) == 1
    assert message in found[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("from svge_core import atlas", "imports atlas, which lies above metrics"),
        ("from ..svge_core import search", "imports search, which lies above metrics"),
        ("from . import search", "imports search, which lies above metrics"),
        ("from .path import steps", "imports path, which lies above metrics"),
        ("import importlib\nimportlib.import_module('svge_core.atlas')", "imports atlas, which lies above metrics"),
    ],
)
def test_every_way_of_importing_is_seen(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "svge_core").mkdir()
    (tmp_path / "svge_core" / "metrics.py").write_text(text)
    found = upward_imports(tmp_path)
    assert found
    assert message in found[0]


def test_circles_within_a_layer_are_seen(tmp_path: Path) -> None:
    (tmp_path / "svge_core").mkdir()
    (tmp_path / "svge_core" / "metrics.py").write_text("from svge_core.training import fit")
    (tmp_path / "svge_core" / "training.py").write_text("from svge_core.metrics import score")
    assert "in a circle" in upward_imports(tmp_path)[0]


def test_lazy_and_typing_imports_are_allowed(tmp_path: Path) -> None:
    (tmp_path / "svge_core").mkdir()
    (tmp_path / "svge_core" / "search.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import botorch\ndef f():\n    import botorch\n"
    )
    assert heavy_imports(tmp_path) == []
