"""How the app is started: for this machine alone, unless whoever starts it says otherwise."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.paths import ROOT


def test_the_server_is_for_this_machine_alone() -> None:
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))
    assert settings["server"]["address"] == "127.0.0.1"


def test_no_run_ends_with_a_full_collection() -> None:
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))
    assert settings["runner"]["postScriptGC"] is False  # three quarters of the processor time of a click


def test_a_first_view_imports_neither_the_compiler_nor_the_database(root: Path) -> None:
    folder = root / "nasbench201" / "tiny"
    code = (
        "import sys; import ui.kept.panel, ui.shared.sidebar, ui.map.view; from pathlib import Path; "
        "from ui.shared.loaders import explorer_for; explorer_for(Path(sys.argv[1]), 'cpu'); "
        "print(sorted({'torch', 'torch._dynamo', 'sympy', 'sqlalchemy', 'optuna', 'sklearn'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['torch']"


@pytest.mark.parametrize("file", ["app.py", "pages/map.py"])
def test_the_numerics_of_the_server_take_one_thread(file: str) -> None:
    # read when NumPy is loaded, so nothing may load it before; whichever file a fresh server is asked for first
    code = (
        "import ast, sys; tree = ast.parse(open(sys.argv[1]).read())\n"
        "tree.body = [line for line in tree.body if isinstance(line, (ast.Import, ast.ImportFrom))]\n"
        "exec(compile(tree, sys.argv[1], 'exec')); import numpy, scipy.linalg, threadpoolctl\n"
        "print([pool['num_threads'] for pool in threadpoolctl.threadpool_info() if pool['user_api'] == 'blas'])"
    )
    settings = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    command = [sys.executable, "-c", code, file]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=settings)
    assert done.stdout.strip() == "[1, 1]"


@pytest.mark.parametrize(("given", "address"), [((), "127.0.0.1"), (("ADDRESS=0.0.0.0",), "0.0.0.0")])
def test_make_app_says_where_it_listens(given: tuple[str, ...], address: str) -> None:
    if shutil.which("make") is None:
        pytest.skip("there is no make")
    asked = ["make", "--dry-run", "--assume-old=install", "app", *given]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"--server.address {address} " in done.stdout
    assert ("whoever reaches this machine" in done.stdout) is bool(given)


def test_make_app_says_that_visitors_come() -> None:
    if shutil.which("make") is None:
        pytest.skip("there is no make")
    asked = ["make", "--dry-run", "--assume-old=install", "app", "ADDRESS=0.0.0.0"]
    for value, visitors in (("1", True), ("0", False), ("", False)):
        settings = {**os.environ, "SVGE_SHARED": value}
        done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True, env=settings)
        assert ("to visitors" in done.stdout) is visitors
        assert ("whoever reaches this machine" in done.stdout) is not visitors


def test_the_file_default_names_the_usual_checkpoint_of_a_space(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ui.shared.loaders import checkpoint_folders

    monkeypatch.setenv("SVGE_CHECKPOINTS", str(tmp_path))
    for name in ("another", "svge", "svge-function"):
        shutil.copytree(root / "nasbench201" / "tiny", tmp_path / "nasbench201" / name)
    named = tmp_path / "nasbench201" / "DEFAULT"
    for content, first in ((None, "svge"), (b"svge-function\n", "svge-function"), (b"\xff", "svge"), (b"no", "svge")):
        if content is not None:
            named.write_bytes(content)
        assert next(iter(checkpoint_folders())) == ("nasbench201", first)


def test_a_process_that_ends_waits_for_what_was_begun_for_the_first_click(root: Path) -> None:
    # a daemon thread that is in PyTorch's code at that moment aborts the process (1 of 20, seen)
    code = (
        "import sys, time; from pathlib import Path; from svge_core.explorer import Explorer\n"
        "def begun(explorer): print('begun', flush=True); time.sleep(1.0); print('ended', flush=True)\n"
        "def never(explorer): print('a second work was begun', flush=True)\n"
        "Explorer.stored_predictions, Explorer.operation_counts = property(begun), property(never)\n"
        "from ui.shared.loaders import explorer_for; explorer_for(Path(sys.argv[1]), 'cpu')"
    )
    command = [sys.executable, "-c", code, str(root / "nasbench201" / "tiny")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n") == ["begun", "ended", ""]
