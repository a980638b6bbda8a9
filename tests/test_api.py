"""The front door: what ``import svge_core`` gives, that it is there at once, and that the wheel carries it."""

import importlib
import json
import re
import subprocess
import sys
import tomllib
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement

import svge_core as svge
from svge_core import evaluation
from svge_core.__main__ import NAME, build_parser
from svge_core.cli.options import COMMANDS
from svge_core.cli.options.shared import Handler
from svge_core.exporting.document import from_json
from svge_core.models.config import DEFAULTS, ModelConfig
from svge_core.models.registry import MODELS
from svge_core.spaces.registry import SPACES
from svge_core.training.config import TrainConfig
from tests.support.core import random_cells
from tests.support.paths import ROOT
from tools import api_example, check_wheel

SHIPPED = ROOT / "checkpoints" / "nasbench201" / "svge"
SPACE = SPACES["nasbench201"]
#: slow to import; neither the package nor any help may load one of them
SLOW = (
    "torch",
    "pandas",
    "sklearn",
    "optuna",
    "streamlit",
    "plotly",
    "scipy",
    "sqlalchemy",
    "botorch",
    "umap",
    "matplotlib",
)
PUBLIC = [
    *("get_space", "SPACES", "Cell", "AbstractSearchSpace", "testing"),
    *("load_checkpoint", "Model", "train", "ModelConfig", "TrainConfig", "evaluate", "train_network", "TrainRecipe"),
    *(
        "register_space",
        "register_method",
        "open_explorer",
        "interpolate",
        "load_scores",
        "read_scores",
        "cell_sampler",
        "suggest_cell",
        "search",
    ),
    *("compare", "draw", "export", "build_network", "export_network"),
    *("figure_cell", "figure_compare", "figure_front", "figure_map", "figure_path", "figure_race"),
    *("SvgeError", "InvalidCellError", "ParseError", "CheckpointError", "DataError", "__version__"),
]
COMMAND_NAMES = [name for group in COMMANDS.values() for name in group]


def loaded(code: str, *names: str) -> list[str]:
    """Which of some modules are loaded after a program ran in a Python of its own."""
    code = (
        f"import sys\nsys.argv = ['svge']\n{code}\nsys.stderr.write(' '.join(n for n in {names!r} if n in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr.split()


# ---- what there is


def test_the_public_names_are_these() -> None:
    assert sorted(vars(svge)["__all__"]) == sorted(PUBLIC)
    assert [name for name in PUBLIC if not hasattr(svge, name)] == []
    assert set(PUBLIC) - {"__version__"} <= set(dir(svge))


def test_functions_stay_functions_whatever_is_imported() -> None:
    """No package has the name of a public function: importing it would take the function's place."""
    functions = {name for name in PUBLIC if callable(getattr(svge, name))}
    for path in (ROOT / "svge_core").iterdir():
        assert path.stem not in functions
    importlib.import_module("svge_core.exporting.writers")
    assert callable(svge.export)


def test_importing_loads_nothing_slow() -> None:
    assert loaded("import svge_core; svge_core.__version__; dir(svge_core)", *SLOW, "numpy", "argparse") == []
    assert loaded("import svge_core; svge_core.ModelConfig(); svge_core.TrainConfig()", *SLOW) == []
    assert loaded("import torch", *SLOW) != [], "the check sees what is loaded"


# ---- help


@pytest.mark.parametrize("words", [(), *((name,) for name in COMMAND_NAMES), ("data", "import")])
def test_help_loads_nothing_slow(words: tuple[str, ...]) -> None:
    code = f"from svge_core.__main__ import main\ntry:\n    main([*{words!r}, '--help'])\nexcept SystemExit: pass"
    assert loaded(code, *SLOW, *(() if words else ("numpy", "svge_core.spaces.registry"))) == []


def test_the_table_of_commands_is_what_their_files_say() -> None:
    full = build_parser()._subparsers._group_actions[0].choices  # type: ignore[union-attr, index]
    assert list(full) == COMMAND_NAMES  # type: ignore[arg-type]
    for name in COMMAND_NAMES:
        # only the command that is asked for has its options
        one = build_parser(name)._subparsers._group_actions[0].choices  # type: ignore[union-attr, index]
        assert list(one) == COMMAND_NAMES  # type: ignore[arg-type]
        assert one[name].format_help() == full[name].format_help()  # type: ignore[index]
        assert one[name].prog == f"{NAME} {name}"  # type: ignore[index]


def test_every_command_has_a_function_behind_it() -> None:
    found = 0
    waiting = [build_parser()]
    while waiting:
        parser = waiting.pop()
        for action in parser._actions:
            if isinstance(action.choices, dict):
                waiting += action.choices.values()
        handler = parser.get_default("handler")
        if handler is not None:
            assert isinstance(handler, Handler)
            assert callable(handler.load())
            found += 1
    assert found == len(COMMAND_NAMES) - 2 + 4 + 6, "data has four actions instead of a function, figure six"


def test_defaults_that_help_shows_are_the_models_own() -> None:
    assert {name: kind.defaults for name, kind in MODELS.items()} == DEFAULTS


# ---- the example, on a shipped checkpoint


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = api_example.run(str(SHIPPED))
    assert found["version"] == svge.__version__
    assert found["latents"] == ((2, 32), "float32")
    assert found["epochs"] == (2, 2)
    assert (found["stops"], found["labels"], found["trials"], found["evaluated"]) == (5, 2, 3, 4)
    assert all(found[name] for name in ("decoded", "predicted", "inspected", "parameters", "refused"))
    space, items = from_json(Path("cells.json").read_bytes())
    assert [space.index(item.cell) for item in items] == [5_000, 9_000]
    assert items[0].measured["cifar10_valid"] > 0
    assert Path("cell.svg").read_text("utf-8").lstrip().startswith("<svg")


def test_a_model_answers_as_the_inner_functions_do() -> None:
    model = svge.load_checkpoint(SHIPPED, space="nasbench201", device="cpu")
    cells = random_cells(SPACE, 6)
    z = model.encode(cells)
    assert (z.shape, z.dtype, model.latent_size) == ((6, 32), np.float32, 32)
    assert [SPACE.canonical(cell) for cell in cells] == model.decode(z), "the shipped model gives cells back"
    drawn = [model.decode(z * 3, argmax=False, constrained=False, seed=seed) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert all(SPACE.canonical(c) == c for c in model.decode(z * 3, argmax=False))
    explorer = svge.open_explorer(str(SHIPPED))
    for cell, row in zip(cells[:2], model.predict(cells[:2], "cifar10_valid"), strict=True):
        (known,) = [one for one in explorer.inspect_cell(cell).predicted if one.score == "cifar10_valid"]
        assert (row.mean, row.low, row.high) == pytest.approx((known.mean, known.low, known.high), abs=1e-3)


def test_mistakes_are_one_clear_line(tmp_path: Path) -> None:
    model = svge.load_checkpoint(SHIPPED, device="cpu")
    with pytest.raises(svge.DataError, match=r"rows of 32 finite numbers; got an array of shape \(1, 31\)"):
        model.decode(np.zeros((1, 31), dtype=np.float32))
    with pytest.raises(svge.DataError, match="that is not finite"):
        model.decode(np.full((1, 32), np.nan, dtype=np.float32))
    with pytest.raises(svge.DataError, match="No predictor for 'x'"):
        model.predict([SPACE.from_index(0)], "x")
    with pytest.raises(svge.CheckpointError, match="'space' is 'nasbench201', expected 'enas6'"):
        svge.load_checkpoint(SHIPPED, space="enas6")
    with pytest.raises(svge.SvgeError, match="Unknown search space 'mars'"):
        svge.get_space("mars")
    with pytest.raises(svge.SvgeError, match="Cannot draw to 'cell.gif'"):
        svge.draw(SPACE.from_index(0), "nasbench201", tmp_path / "cell.gif")
    with pytest.raises(svge.SvgeError, match="space of 2 cells is not clear"):
        svge.export([SPACE.from_index(0), random_cells(SPACES["enas6"], 1)[0]], tmp_path / "cells.json")
    with pytest.raises(svge.SvgeError, match="space of 0 cells is not clear"):
        svge.export([], tmp_path / "cells.json")
    with pytest.raises(svge.SvgeError, match="needs a checkpoint|give a checkpoint"):
        svge.cell_sampler("latent-bo", "nasbench201")


def test_values_of_another_type_are_one_clear_line() -> None:
    code = [sys.executable, "-m", "tests.support.wrong_arguments", str(SHIPPED)]
    done = subprocess.run(code, cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert len(found) == 37
    for name, (kind, text) in found.items():
        assert kind in ("SvgeError", "InvalidCellError", "DataError"), (name, kind, text)
        assert "\n" not in text and re.search("[Ee]xpected|must be|are real numbers|numbers each|is named by", text), (
            name
        )
    assert found["decode direction"][1] == "direction must be one of forward, backward, both; got 'sideways'."


@pytest.mark.parametrize(
    ("method", "goal"), [("latent-bo", "table:cifar10_valid"), ("random", "predictor:cifar10_valid")]
)
def test_a_run_takes_no_model_from_the_working_directory(
    method: str, goal: str, storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)  # where checkpoints/nasbench201/svge is
    config = svge.search.SearchConfig("nasbench201", (goal,), method, budget=2)
    with pytest.raises(svge.DataError, match="needs a model of nasbench201: give the folder of a checkpoint"):
        svge.search.create_run(storage, config)


@pytest.mark.parametrize("name", sorted(set(SPACES) - {"nasbench101"}))  # whose table takes long to make
def test_the_space_of_cells_is_found(name: str, tmp_path: Path) -> None:
    cells = random_cells(SPACES[name], 2)
    svge.export(cells, str(tmp_path / "cells.json"))
    space, items = from_json((tmp_path / "cells.json").read_bytes())
    assert (space.name, [item.cell for item in items]) == (name, [space.canonical(cell) for cell in cells])
    for suffix in ("svg", "png", "pdf", "dot"):
        svge.draw(cells[0], name, tmp_path / f"cell.{suffix}")
        assert (tmp_path / f"cell.{suffix}").stat().st_size > 100


def test_an_explorer_tells_more_in_an_export(tmp_path: Path) -> None:
    explorer = svge.open_explorer(SHIPPED)
    svge.export([SPACE.from_index(7)], tmp_path / "cells.json", explorer=explorer)
    _, (item,) = from_json((tmp_path / "cells.json").read_bytes())
    assert item.latent is not None
    assert item.predicted


def test_evaluation_gives_rows_with_denominators(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = TrainConfig(epochs=1, batch_size=4, cells_per_epoch=4)
    folder = svge.train("enas6", tmp_path / "small", ModelConfig(8, 4, 1), settings, device="cpu").folder
    small = partial(evaluation.evaluate, encodings=1, decodings=2, latents=4, many=6)
    monkeypatch.setattr(evaluation, "evaluate", small)
    monkeypatch.setattr("svge_core.evaluation.run.MAX_SAMPLED", 4)
    monkeypatch.setattr("svge_core.evaluation.run.MAX_TRAINED", 8)
    told: list[object] = []
    rows = svge.evaluate(folder, on_row=told.append)
    assert list(rows) == told
    assert {row.of for row in rows if row.what == "valid"} == {4, 6, 8}
    assert not svge.load_checkpoint(folder).checkpoint.meta.metrics, "nothing is stored unless it is asked for"
    svge.evaluate(svge.load_checkpoint(folder), store=True)
    assert len(svge.load_checkpoint(folder).checkpoint.meta.metrics) == len(rows)


# ---- training as a function


def test_training_resumes_and_refuses(tmp_path: Path) -> None:
    config = TrainConfig(epochs=3, batch_size=4, cells_per_epoch=8)
    size = ModelConfig(8, 4, 1)

    class Killed(Exception): ...

    def kill(progress: object) -> None:
        if getattr(progress, "step", 0) == 4:
            raise Killed

    with pytest.raises(Killed):
        svge.train("randwire", tmp_path / "run", size, config, device="cpu", save_every=0.0, on_step=kill)
    assert not (tmp_path / "run" / "meta.json").exists()
    run = svge.train("randwire", tmp_path / "run", size, config, device="cpu")
    whole = svge.train("randwire", str(tmp_path / "whole"), size, config, device="cpu")
    assert (run.resumed_at, whole.resumed_at, run.steps, whole.steps) == (3, 0, 6, 6)
    assert svge.load_checkpoint(run.folder).digest == svge.load_checkpoint(whole.folder).digest
    assert [row["epoch"] for row in run.meta.history] == [1, 2, 3]
    assert run.meta.command.startswith("svge_core.train('randwire', 'run'"), "no folder of this machine in the card"
    with pytest.raises(svge.SvgeError, match="holds a finished checkpoint"):
        svge.train("randwire", run.folder, size, config)
    assert svge.train("randwire", run.folder, size, config, device="cpu", fresh=True).resumed_at == 0


# ---- the wheel


def test_the_wheel_holds_the_library_and_nothing_else(tmp_path: Path) -> None:
    pytest.importorskip("hatchling")
    wheel = check_wheel.build(tmp_path)
    assert wheel.name == f"svge_explorer-{svge.__version__}-py3-none-any.whl"
    assert check_wheel.strangers(wheel) == []


def test_ranges_and_pins_agree() -> None:
    """What pyproject.toml allows holds what requirements.txt pins, and names no package that is not pinned."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    pins: dict[str, str] = {}
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text("utf-8").splitlines():
            if found := re.match(r"([A-Za-z0-9_.-]+)(?:\[[a-z]+\])?==(\S+)", line):
                pins[found[1].lower()] = found[2]
    extras = project["optional-dependencies"]
    ranges = [
        Requirement(text)
        for text in (*project["dependencies"], *(text for name in extras if name != "docs" for text in extras[name]))
    ]
    wrong = [
        str(requirement)
        for requirement in ranges
        if requirement.name != "sqlalchemy"  # Optuna brings it
        and not requirement.specifier.contains(pins.get(requirement.name, "0"), prereleases=True)
    ]
    assert wrong == []
    assert set(pins) == {requirement.name for requirement in ranges} - {"sqlalchemy"}
