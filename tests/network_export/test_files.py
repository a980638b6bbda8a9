"""Networks as files: what is read back computes the same, what does not is refused, and nothing is left then."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from torch import nn

import svge_core as svge
from svge_core.errors import InvalidCellError, SvgeError
from svge_core.network_export import NETWORK_FORMS, export_network, files, import_code, network_files
from svge_core.network_export.agreement import relative_difference, require_agreement
from svge_core.network_export.programs import onnx_program, read_onnx_program, read_torch_program
from svge_core.networks import build_network
from svge_core.search.objectives import split_csv
from svge_core.spaces import NASBench201, get_space

SPACE = NASBench201()
CELL = SPACE.parse("|nor_conv_3x3~0|+|none~0|skip_connect~1|+|skip_connect~0|nor_conv_1x1~1|avg_pool_3x3~2|")
SMALL: dict[str, Any] = {"channels": 2, "cells_per_stage": 1}


@pytest.fixture(scope="module")
def trained() -> nn.Module:
    """A network with weights and statistics of its own."""
    torch.manual_seed(3)
    network = build_network(SPACE, CELL, **SMALL)
    with torch.no_grad():
        network(torch.randn(16, 3, 8, 8) * 2 + 1)
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network.eval()


def test_a_folder_holds_what_was_trained(trained: nn.Module, tmp_path: Path) -> None:
    written = export_network(SPACE, CELL, tmp_path / "net", weights=trained.state_dict(), side=8, **SMALL)
    assert [path.name for path in written] == list(NETWORK_FORMS)
    assert all(path.is_file() for path in written)
    differences = {path.name: difference for path, difference in written.items()}
    assert differences["train.py"] is None and differences["weights.safetensors"] is None
    images = torch.randn(7, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = trained(images)
    # read back by their own readers, not by ours
    program = torch.export.load(tmp_path / "net" / "model.pt2").module()
    session = onnxruntime.InferenceSession(tmp_path / "net" / "model.onnx", providers=["CPUExecutionProvider"])
    (onnx_logits,) = session.run(["logits"], {"images": images.numpy()})
    script = (
        "import torch, model; n = model.build('weights.safetensors').eval(); torch.save(n(torch.load('x.pt')), 'y.pt')"
    )
    torch.save(images, tmp_path / "net" / "x.pt")
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path / "net", check=True)
    found = [program(images), torch.from_numpy(onnx_logits), torch.load(tmp_path / "net" / "y.pt", weights_only=True)]
    for logits in found:
        torch.testing.assert_close(logits.detach(), expected, rtol=1e-4, atol=1e-5)
    with safe_open(tmp_path / "net" / "weights.safetensors", "pt") as file:
        told = json.loads(file.metadata()["network"])
    assert told["architecture"] == SPACE.format(CELL) and told["weights"] == "trained"
    again = export_network(
        SPACE, CELL, tmp_path / "w.safetensors", weights=torch_state(tmp_path / "net" / "weights.safetensors"), **SMALL
    )
    assert list(again) == [tmp_path / "w.safetensors"]
    assert (tmp_path / "w.safetensors").read_bytes() == (tmp_path / "net" / "weights.safetensors").read_bytes()


def torch_state(path: Path) -> dict[str, torch.Tensor]:
    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


@pytest.mark.parametrize("name", ["nasbench101", "enas6"])
def test_programs_of_the_other_spaces_agree(name: str) -> None:
    space = get_space(name)
    cell = space.canonical(space.random_cell(np.random.default_rng(2)))
    sizes: dict[str, Any] = {"channels": 4, "cells_per_stage": 1} if name == "nasbench101" else {"channels": 2}
    made = network_files(space, cell, ["model.onnx"], side=8, **sizes)
    assert set(made.content) == {"model.onnx"} and not made.trained
    assert all(difference < 1e-5 for difference in made.differences.values())


def test_a_folder_has_every_file_whether_or_not_weights_are_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[nn.Module] = []  # programs are tried elsewhere; writing one takes seconds
    instant = (lambda network, _: kept.append(network) or b"p", lambda _: kept[-1])
    monkeypatch.setattr(files, "_PROGRAMS", {"model.pt2": instant, "model.onnx": instant})
    export_network(SPACE, CELL, tmp_path / "net", side=8, **SMALL)
    assert {path.name for path in (tmp_path / "net").iterdir()} == set(NETWORK_FORMS)
    assert files.import_code((tmp_path / "net" / "model.py").read_text("utf-8")).build(
        tmp_path / "net" / "weights.safetensors"
    )


def test_the_same_cell_gives_the_same_code_and_weights() -> None:
    forms = ("model.py", "train.py", "weights.safetensors")
    torch.manual_seed(1)
    one = network_files(SPACE, CELL, forms, **SMALL)
    torch.manual_seed(2)
    assert network_files(SPACE, CELL, forms, **SMALL).content == one.content


def test_a_program_that_computes_something_else_is_refused_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgets_the_norms(network: nn.Module, images: torch.Tensor) -> bytes:
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()
        return onnx_program(network, images)

    monkeypatch.setitem(files._PROGRAMS, "model.onnx", (forgets_the_norms, read_onnx_program))
    with pytest.raises(SvgeError, match=r"model.onnx does not compute what the network computes: its outputs"):
        export_network(SPACE, CELL, tmp_path / "net", forms=["model.py", "model.onnx"], side=8, **SMALL)
    assert list(tmp_path.iterdir()) == []


def test_a_program_frozen_to_one_number_of_images_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def frozen(content: bytes) -> Any:
        program = read_torch_program(content)
        return lambda images: program(images[:1])

    monkeypatch.setitem(files._PROGRAMS, "model.pt2", (files._PROGRAMS["model.pt2"][0], frozen))
    with pytest.raises(SvgeError, match=r"model.pt2 does not compute .* differ by inf"):
        network_files(SPACE, CELL, ["model.pt2"], side=8, **SMALL)


def test_code_that_computes_something_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = files.model_code

    def wrong(*given: Any) -> str:
        text = whole(*given)
        assert "return x0 + " in text
        return text.replace("return x0 + ", "return ")

    monkeypatch.setattr(files, "model_code", wrong)
    with pytest.raises(SvgeError, match=r"model.py does not compute .* expected at most 0.0001. Nothing was written"):
        network_files(SPACE, CELL, ["model.py"], **SMALL)


def test_nothing_is_nearly_equal_to_no_number() -> None:
    nothing = torch.tensor([float("nan"), 1.0])
    with pytest.raises(SvgeError, match="differ by nan"):
        require_agreement("x", relative_difference(torch.ones(2), nothing))
    assert relative_difference(torch.tensor([0.0, -4.0]), torch.tensor([0.5, -4.0])) == 0.125


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(SvgeError, match=r"A network cannot be written as 'a.tflite': expected .py, .pt2, .onnx"):
        svge.export_network(SPACE, CELL, tmp_path / "a.tflite")
    with pytest.raises(SvgeError, match="Unknown file of a network: expected model.py, .*; got 'code'"):
        export_network(SPACE, CELL, tmp_path, forms=["code"])
    with pytest.raises(SvgeError, match="a.py is one file"):
        export_network(SPACE, CELL, tmp_path / "a.py", forms=["model.py"])
    with pytest.raises(SvgeError, match="whose sides are multiples of 4 pixels; got 7"):
        export_network(SPACE, CELL, tmp_path / "net", side=7, **SMALL)
    with pytest.raises(SvgeError, match="Unknown network option 'depth'"):
        export_network(SPACE, CELL, tmp_path / "a.py", depth=3)
    with pytest.raises(SvgeError, match="cannot be written: there is no folder"):
        export_network(SPACE, CELL, tmp_path / "b" / "a.py", **SMALL)
    other = build_network(SPACE, CELL, **{**SMALL, "channels": 3}).state_dict()
    with pytest.raises(SvgeError, match="The weights are of another network: 75 tensors, expected those of"):
        export_network(SPACE, CELL, tmp_path / "a.py", weights=other, **SMALL)
    with pytest.raises(InvalidCellError):
        export_network("nasbench101", CELL, tmp_path / "a.py")
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file.py").write_text("")
    with pytest.raises(SvgeError, match=r"x.py cannot be written: \S*file.py is a file, not a folder"):
        export_network(SPACE, CELL, tmp_path / "file.py" / "x.py", **SMALL)


def test_the_recipe_trains_and_its_labels_are_read_as_scores(tmp_path: Path) -> None:
    sizes = {**SMALL, "channels": 4}
    export_network(SPACE, CELL, tmp_path, forms=["model.py", "train.py"], side=8, **sizes)
    rng = np.random.default_rng(0)
    for name, level in (("bright", 200), ("dark", 40)):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(20):
            pixels = np.clip(rng.normal(level, 20, (9, 10, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "images" / name / f"{number}.png")
    recipe = tmp_path / "train.py"
    text = recipe.read_text("utf-8")
    assert "EPOCHS = 200\n" in text and "weight_decay=0.0005,\n        nesterov=True," in text
    recipe.write_text(text.replace("BATCH = 256", "BATCH = 8"), "utf-8")
    words = [str(recipe), "images", "--epochs", "3", "--seed", "1", "--out", "out"]
    done = subprocess.run([sys.executable, *words], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["arch"] == SPACE.format(CELL) and result["classes"] == ["bright", "dark"]
    assert result["training images"] == 32 and result["validation images"] == 8
    assert result["validation accuracy"] > 90, "two classes that any network tells apart"
    with (tmp_path / "out" / "labels.csv").open(newline="") as file:
        header, row = csv.reader(file)
    column = "validation accuracy, images, 3 epochs"
    assert header == ["arch", column] and row == [SPACE.format(CELL), str(result["validation accuracy"])]
    scores = svge.read_scores(tmp_path / "out" / "labels.csv", SPACE)
    assert not scores.rejected and list(scores.frame.index) == [SPACE.index(CELL)]
    (meaning,) = scores.meanings.values()
    assert meaning.direction == "max" and meaning.title == column
    assert split_csv(f"labels.csv:{column}") == ("labels.csv", column, None)
    weights = torch_state(tmp_path / "out" / "weights.safetensors")
    export_network(SPACE, CELL, tmp_path / "w.safetensors", weights=weights, num_classes=2, **sizes)


@pytest.mark.parametrize(("name", "words"), [("nasbench101", "RMSprop"), ("enas6", "SGD"), ("randwire", "Adam")])
def test_each_space_has_its_recipe(name: str, words: str) -> None:
    space = get_space(name)
    cell = space.canonical(space.random_cell(np.random.default_rng(0)))
    text = network_files(space, cell, ["train.py"], channels=4).content["train.py"].decode()
    assert f"torch.optim.{words}(" in text
    compile(text, "train.py", "exec")
    assert "$" not in text


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """``train.py`` as a module, beside a ``model.py`` that it does not come to."""
    folder = tmp_path_factory.mktemp("recipe")
    (folder / "model.py").write_text("def build(**sizes): raise AssertionError\n", "utf-8")
    text = network_files(SPACE, CELL, ["train.py"], side=8, **SMALL).content["train.py"].decode()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        return import_code(text)


def _images(folder: Path, counts: dict[str, int], suffix: str = ".png") -> Path:
    """Grey images whose level is 10 for the first class, 20 for the second, ..."""
    for label, (name, count) in enumerate(counts.items(), start=1):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            Image.new("L", (8, 8), 10 * label).save(folder / name / f"{number}{suffix}")
    return folder


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({}, "at least two classes; there is none."),
        ({"a": 3, ".hidden": 3}, "at least two classes; there is one, 'a'."),
        ({"a": 3, "b": 0}, "class 'b' has no image (.bmp, .gif, .jpeg, .jpg, .pgm, .png,"),
        ({"a": 3, "b": 1}, "class 'b' has 1 image; expected at least 2"),
        (
            {"train/a": 2, "train/b": 2, "valid/a": 2, "valid/c": 2},
            "the same classes in train and valid; 'b' is in one",
        ),
        (None, "There is no folder"),
    ],
)
def test_the_recipe_refuses_images_in_one_line(
    recipe: ModuleType,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    counts: dict[str, int] | None,
    words: str,
) -> None:
    folder = tmp_path / "images"
    if counts is not None:
        folder.mkdir()
        _images(folder, counts)
    monkeypatch.setattr(sys, "argv", ["train.py", str(folder), "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as ended:
        recipe.main()
    said = capsys.readouterr().err
    assert ended.value.code == 2 and words in said and said.count("\n") == 1


def test_the_recipe_refuses_a_broken_image_and_another_experiments_table(
    recipe: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _images(tmp_path / "images", {"a": 2, "b": 2})
    (folder / "b" / "0.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    monkeypatch.setattr(sys, "argv", ["train.py", str(folder), "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        recipe.main()
    said = capsys.readouterr().err
    assert ended.value.code == 2 and "0.png cannot be read (" in said and said.count("\n") == 1
    (tmp_path / "labels.csv").write_text('arch,"validation accuracy, images, 3 epochs"\n', "utf-8")
    with pytest.raises(SystemExit) as ended:
        recipe.main()
    assert ended.value.code == 2 and "expected ['arch', 'validation accuracy, images, 200 epochs']" in (
        capsys.readouterr().err
    )


def test_the_recipe_keeps_a_fifth_of_every_class(recipe: ModuleType, tmp_path: Path) -> None:
    folder = _images(tmp_path / "images", {"a": 10, "b": 25, "c": 2}, ".pgm")
    classes, images, labels, kept, kept_labels = recipe.read_folder(folder)
    assert classes == ["a", "b", "c"]
    assert labels.bincount().tolist() == [8, 20, 1] and kept_labels.bincount().tolist() == [2, 5, 1]
    # each image has kept its own class
    for pixels, numbers in ((images, labels), (kept, kept_labels)):
        assert pixels.shape[1:] == (3, 8, 8)
        assert torch.equal(pixels[:, 0, 0, 0].long(), 10 * (numbers + 1))
    assert all(
        torch.equal(a, b)
        for a, b in zip(recipe.read_folder(folder)[1:], (images, labels, kept, kept_labels), strict=True)
    )
