"""The shape of the code base: rooms with walls, pages without torch, heavy imports inside functions.

Which package may import which, and that there are no circles, is in ``pyproject.toml`` and checked by ``lint-imports``.
Every check here is a function of a folder, so that the last test can plant a violation of each and see it caught.
"""

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from svge_core.spaces import SPACES
from svge_core.spaces.nasbench101 import ExtendedNASBench101
from tests.support.paths import ROOT

#: slow to import (2 to 26 seconds) or needed by few: imported inside the functions that use them
HEAVY = frozenset(
    {"torch_geometric", "botorch", "gpytorch", "umap", "sklearn", "optuna", "xgboost", "onnx", "plotly", "matplotlib"}
)
#: most lines of a file; over about 300 a file wants to be two
MAX_LINES = 400
#: most files that lie directly in a hall; the others have a room whose name says what they do
HALLS = {"svge_core": 8, "ui": 3}
LINE_CAPPED = ("app.py", "svge_core", "ui", "pages", "bench", "tests", "tools")
#: code that people read: Python, and what the browser gets of it
CAPPED_KINDS = (".py", ".js", ".cjs", ".css", ".html")


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
    """The part of svge_core a file belongs to: ``cells`` for svge_core/cells/cell.py, ``spaces`` for all of spaces/."""
    return path.relative_to(root / "svge_core").parts[0].removesuffix(".py")


def dotted(path: Path, root: Path) -> str:
    """Dotted name of a module or package."""
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def package_of(name: str, root: Path) -> str:
    """The package that a dotted name of a module, or of a package itself, lies in."""
    return name if (root / Path(*name.split(".")) / "__init__.py").exists() else name.rpartition(".")[0]


# the checks: each returns what is wrong, in words


def full_halls(root: Path) -> list[str]:
    """Too many files directly in a folder that has rooms."""
    return [
        f"{len(files)} files lie directly in {hall}/, more than {most}: give the newest a room"
        for hall, most in HALLS.items()
        if len(files := [path for path in (root / hall).glob("*") if path.is_file()]) > most
    ]


def rooms_without_a_word(root: Path) -> list[str]:
    """Packages of code that do not say what they are for."""
    return [
        f"{path.parent.relative_to(root)} does not say what it is for: begin its __init__.py with one line"
        for path in python_files(root, "svge_core", "ui", "bench", "tools")
        if path.name == "__init__.py" and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]


def inner_imports(root: Path) -> list[str]:
    """Files of a core package imported from outside it: others use what the package exports."""
    wrong = []
    for path in python_files(root, "svge_core", "ui", "pages", "bench", "tools", "app.py"):
        own = package_of(dotted(path, root), root)
        for name in imports(path, root):
            file = (root / Path(*name.split("."))).with_suffix(".py")
            package = name.rpartition(".")[0]
            if not name.startswith("svge_core.") or package == "svge_core" or not file.is_file():
                continue
            commands = path.name == "__main__.py" and package == "svge_core.cli"
            if not commands and own != package and not own.startswith(f"{package}."):
                wrong.append(f"{path.relative_to(root)} imports {name}: import from {package} what it exports")
    return wrong


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
        for name in LINE_CAPPED
        for path in sorted([root / name] if (root / name).is_file() else (root / name).rglob("*"))
        if path.suffix in CAPPED_KINDS
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


#: names of the shipped spaces and of their classes, which only the files of spaces/ may ask for
SPACE_NAMES = frozenset(SPACES) | {ExtendedNASBench101.name}
SPACE_CLASSES = frozenset(type(space).__name__ for space in SPACES.values()) | {ExtendedNASBench101.__name__}

#: files whose words for kinds of official files begin with the name of their benchmark; no space is asked there
FILE_KINDS = frozenset({"svge_core/data/importers/detection.py", "svge_core/data/importers/run.py"})


def asked(node: ast.AST) -> list[ast.expr]:
    """What a comparison, a type test, a table or a match compares with."""
    if isinstance(node, ast.Compare):
        return [node.left, *node.comparators]
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("isinstance", "issubclass", "getattr", "hasattr"):
        # an attribute that not every space has is a test on which space it is
        return node.args[1:] if ast.unparse(node.func).startswith("is") else node.args[:1]
    if isinstance(node, ast.Dict):
        return [key for key in node.keys if key is not None]
    if isinstance(node, ast.MatchValue):
        return [node.value]
    return [node.cls] if isinstance(node, ast.MatchClass) else []


def spaces_by_name(root: Path) -> list[str]:
    """Tests on which space it is, outside of spaces/: a space answers for itself."""
    wrong = []
    for path in python_files(root, "svge_core", "ui", "pages", "app.py"):
        if path.is_relative_to(root / "svge_core" / "spaces") or path.relative_to(root).as_posix() in FILE_KINDS:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            looks_inside = isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "hasattr")
            for part in asked(node):
                parts = part.elts if isinstance(part, ast.Tuple | ast.List | ast.Set) else [part]
                words = [ast.unparse(one).rpartition(".") for one in parts if not isinstance(one, ast.Constant)]
                named = any(isinstance(one, ast.Constant) and one.value in SPACE_NAMES for one in parts)
                named |= any({*head.split("."), tail} & SPACE_CLASSES for head, _, tail in words)
                if named or (looks_inside and any(tail == "space" for _, _, tail in words)):
                    line = getattr(node, "lineno", 0)
                    wrong.append(f"{path.relative_to(root)}:{line} asks which space it is: give the space a hook")
                    break
    return wrong


def ids_as_keys(root: Path) -> list[str]:
    """Addresses of objects, which are used again once an object is gone."""
    return [
        f"{path.relative_to(root)}:{node.lineno} calls id: key it by a digest of the content"
        for path in python_files(root, "svge_core", "ui", "pages", "app.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "id"
    ]


CHECKS = (
    full_halls,
    rooms_without_a_word,
    inner_imports,
    torch_in_pages,
    pages_imported,
    heavy_imports,
    long_files,
    prints_and_evals,
    spaces_by_name,
    ids_as_keys,
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
    "full_halls": ("ui/fourth.py", "", "4 files lie directly in ui/, more than 3"),
    "rooms_without_a_word": ("ui/shared/__init__.py", "import math", "ui/shared does not say what it is for"),
    "inner_imports": (
        "ui/map.py",
        "from svge_core.room.inner import x",
        "ui/map.py imports svge_core.room.inner: import",
    ),
    "torch_in_pages": ("pages/map.py", "from torch import nn", "imports torch: a page"),
    "pages_imported": ("ui/shared/session.py", "import pages.map", "imports pages: shared code"),
    "heavy_imports": (
        "svge_core/search/gp.py",
        "try:\n    import botorch\nexcept ImportError: ...",
        "imports botorch at",
    ),
    "long_files": ("tests/test_long.py", "\n" * 401, "has 401 lines, more than 400"),
    "prints_and_evals": ("svge_core/interpolation/path.py", "def f(x):\n    return eval(x)", "path.py:2 calls eval"),
    "spaces_by_name": (
        "svge_core/drawing.py",
        "def f(space):\n    return space.name == NASBench201.name",
        "drawing.py:2 asks which space it is: give the space a hook",
    ),
    "ids_as_keys": ("ui/shared/loaders.py", "x = {}\ndef f(y):\n    return x[id(y)]", "loaders.py:3 calls id: key it"),
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_every_check_catches_a_planted_violation(check, tmp_path: Path) -> None:
    name, text, message = PLANTED[check.__name__]
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    clean = ("svge_core/errors.py", "svge_core/room/__init__.py", "svge_core/room/inner.py", "pages/clean.py")
    for file in (*clean, "ui/first.py", "ui/second.py", "ui/third.py" if name.startswith("ui/f") else "pages/third.py"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text('"""A clean file."""\n\nimport math\n')
    assert check(tmp_path) == []
    path.write_text(text)
    assert len(found := check(tmp_path)) == 1
    assert message in found[0]


@pytest.mark.parametrize(
    "text",
    [
        "from svge_core.room.inner import x",
        "from svge_core.room import inner",
        "import svge_core.room.inner",
        "from .room import inner",
        "def f():\n    from .room.inner import x",
        "import importlib\nimportlib.import_module('svge_core.room.inner')",
    ],
)
def test_every_way_of_importing_is_seen(text: str, tmp_path: Path) -> None:
    (tmp_path / "svge_core" / "room").mkdir(parents=True)
    for name in ("room/__init__.py", "room/inner.py"):
        (tmp_path / "svge_core" / name).write_text("")
    (tmp_path / "svge_core" / "metrics.py").write_text(text)
    assert "imports svge_core.room.inner: import from svge_core.room" in inner_imports(tmp_path)[0]


def test_what_packages_export_is_there() -> None:
    """The stubs beside the packages, which editors and the type checker read, name what can be imported."""
    stubs = sorted((ROOT / "svge_core").rglob("__init__.pyi"))
    assert len(stubs) > 20
    for stub in stubs:
        package = importlib.import_module(dotted(stub, ROOT).removesuffix(".__init__"))
        tree = ast.parse(stub.read_text(encoding="utf-8"))
        named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
        named |= {ast.unparse(node.target) for node in tree.body if isinstance(node, ast.AnnAssign)}
        assert named == set(package.__all__) and named
        assert [name for name in named if not hasattr(package, name)] == []


@pytest.mark.parametrize("kind", CAPPED_KINDS)
def test_scripts_and_styles_are_capped_too(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "ui" / "map" / f"large{kind}"
    path.parent.mkdir(parents=True)
    path.write_text("\n" * 401)
    (path.parent / "table.json").write_text("\n" * 401)
    assert long_files(tmp_path) == [f"ui/map/large{kind} has 401 lines, more than 400: split it"]


def test_lazy_and_typing_imports_are_allowed(tmp_path: Path) -> None:
    (tmp_path / "svge_core").mkdir()
    (tmp_path / "svge_core" / "search.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import botorch\ndef f():\n    import botorch\n"
    )
    assert heavy_imports(tmp_path) == []
