"""The command line: every command on a tiny checkpoint, its output read back."""

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from svge_core.__main__ import build_parser, main
from svge_core.atlas.file import load_atlas
from svge_core.checkpoints.checkpoint import load_checkpoint
from svge_core.cli import bench_command
from svge_core.errors import DataError
from svge_core.exporting.document import from_json
from svge_core.spaces.nasbench201 import naslib_tuple
from svge_core.spaces.registry import get_space
from tests.support.cli import ARCH, SPACE, RunCommand, known_scores
from tests.support.core import OVERFITTED
from tests.support.paths import ROOT
from tests.support.untyped import there

COMMANDS = ["train", "evaluate", "atlas", "fit", "encode", "decode", "predict", "draw", "export", "labels", "bench"]


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], *([command] for command in COMMANDS)):
        with pytest.raises(SystemExit) as stop:
            main([*words, "--help"])
        assert stop.value.code == 0
        out = capsys.readouterr().out
        assert "usage: svge" in out
        if words:
            assert "--json" in out
    commands: Any = there(build_parser()._subparsers)._group_actions[0].choices
    assert set(COMMANDS) <= set(commands)


# encode and decode


def test_every_notation_names_the_same_cell(run: RunCommand, folder: Path) -> None:
    cell = SPACE.from_index(5_000)
    digits = "".join(map(str, SPACE.genotype(cell)))
    texts = (ARCH, "5000", "#5000", digits, str(naslib_tuple(SPACE.genotype(cell))))
    found = [run("encode", text, "--checkpoint", folder) for text in texts]
    assert all(one == found[0] for one in found)
    (row,) = found[0]["cells"]
    assert (row["index"], row["arch_str"]) == (5_000, ARCH)
    atlas = load_atlas(load_checkpoint(folder), SPACE)
    assert row["latent"] == pytest.approx(atlas.latents[5_000].tolist(), abs=1e-5)
    assert all(deviation > 0 for deviation in row["deviation"])
    assert found[0]["checkpoint"] == load_checkpoint(folder).digest


@pytest.mark.parametrize("direction", ["forward", "backward", "both"])
@pytest.mark.parametrize("suffix", [".npy", ".csv", ".json"])
def test_encode_then_decode_gives_the_cells_back(
    suffix: str, direction: str, run: RunCommand, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "cells.txt").write_text("\n".join(map(str, OVERFITTED)) + "\n\n")
    latents = tmp_path / f"latents{suffix}"
    written = run("encode", "--file", tmp_path / "cells.txt", "--out", latents, "--checkpoint", folder)
    assert written == {"file": str(latents), "count": 8}
    found = run("decode", "--file", latents, "--direction", direction, "--raw", "--checkpoint", folder)
    assert [row["index"] for row in found["cells"]] == list(OVERFITTED)
    assert found["valid"] == {"count": 8, "of": 8}
    assert found["options"] == {"direction": direction, "constrained": False, "argmax": True, "seed": 0}


def test_decode_takes_typed_latents(run: RunCommand, folder: Path) -> None:
    latent = run("encode", "3", "--checkpoint", folder)["cells"][0]["latent"]
    joined = ",".join(map(repr, latent))
    for words in (["--checkpoint", folder, "--", joined], ["--checkpoint", folder, "--", *latent]):
        capture = run("decode", "--json", *words, expect_json=False)
        assert json.loads(capture)["cells"][0]["index"] == 3
    text = run("decode", "--checkpoint", folder, "--", joined, expect_json=False)
    assert text == f"     3  {SPACE.format(SPACE.from_index(3))}\n"


@pytest.mark.parametrize("plane", ["umap", "pca"])
def test_decode_takes_a_position_of_a_map(plane: str, run: RunCommand, folder: Path) -> None:
    atlas = load_atlas(load_checkpoint(folder), SPACE)
    x, y = atlas.planes[plane].xy[OVERFITTED[5]].tolist()  # type: ignore[index]
    found = run("decode", "--plane", plane, "--xy", x, y, "--checkpoint", folder)["cells"][0]
    expected = atlas.planes[plane].to_latent((x, y), atlas.latents)  # type: ignore[index]
    assert found["latent"] == pytest.approx(expected.tolist(), abs=1e-5)
    if plane == "umap":  # on a known point the map gives its own latent
        assert found["index"] == OVERFITTED[5]


def test_prior_samples_are_seeded(run: RunCommand, folder: Path) -> None:
    first, again, other = (
        run("decode", "--samples", 20, "--sample", "--seed", seed, "--checkpoint", folder) for seed in (1, 1, 2)
    )
    assert first == again
    assert first["cells"] != other["cells"]
    assert first["valid"] == {"count": 20, "of": 20}, "constrained by default"
    raw = run("decode", "--samples", 20, "--raw", "--sample", "--checkpoint", folder)
    for row in raw["cells"]:
        assert row["valid"] is (row["reason"] == "") is (row["index"] is not None)
    assert raw["valid"]["count"] == sum(row["valid"] for row in raw["cells"])


def test_decoded_architectures_can_be_read_again(run: RunCommand, folder: Path, tmp_path: Path) -> None:
    indices = []
    for suffix in (".txt", ".csv", ".json"):
        path = tmp_path / f"decoded{suffix}"
        run("decode", "--samples", 5, "--out", path, "--checkpoint", folder)
        if suffix != ".json":
            found = run("encode", "--file", path, "--checkpoint", folder)
            indices.append([row["index"] for row in found["cells"]])
    document = json.loads((tmp_path / "decoded.json").read_text())
    assert indices[0] == indices[1] == [row["index"] for row in document["cells"]]


# predict


def test_predictions_say_what_they_are(run: RunCommand, folder: Path) -> None:
    used = json.loads((folder / "predictors" / "cifar10_valid" / "predictor.json").read_text())["training_indices"]
    fresh = next(index for index in range(100) if index not in used)
    for index in (used[0], fresh):
        (row,) = run("predict", index, "--checkpoint", folder)["cells"]
        score = row["scores"]["cifar10_valid"]
        assert score["label_was_used"] is (index in used)
        predicted = score["predicted"]
        assert predicted["low"] <= predicted["mean"] <= predicted["high"]
        assert "12 labels" in predicted["model"]
        assert score["measured"] == pytest.approx(known_scores(SPACE).of(index)["cifar10_valid"])
        text = run("predict", index, "--checkpoint", folder, expect_json=False)
        assert "cifar10_valid: made-up accuracy" in text
        assert "90 % interval" in text
        assert "(joint head of the model, no interval)" in text
        assert f"measured    {score['measured']:.3f}" in text
        assert ("this label was used" in text) is (index in used)


def test_unknown_measured_values_are_called_unknown(
    run: RunCommand, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(space: Any) -> Any:
        raise DataError("not installed")

    monkeypatch.setattr("svge_core.cli.cell_parts.load_scores", missing)
    assert "measured    unknown" in run("predict", 5, "--checkpoint", folder, expect_json=False)


# draw, export, labels


@pytest.mark.parametrize(
    ("suffix", "start"), [(".svg", b"<svg"), (".png", b"\x89PNG"), (".pdf", b"%PDF"), (".dot", b"digraph")]
)
def test_draw_writes_what_the_suffix_says(suffix: str, start: bytes, run: RunCommand, tmp_path: Path) -> None:
    path = tmp_path / f"cell{suffix}"
    assert run("draw", ARCH, "--out", path, "--theme", "dark") == {"file": str(path), "count": 1}
    assert path.read_bytes().lstrip().startswith((start, b"strict " + start))


def test_draw_prints_and_fills_folders(run: RunCommand, tmp_path: Path) -> None:
    for view in ("maps", "operations"):
        assert run("draw", 7, "--view", view, expect_json=False).startswith("<svg")
    assert run("draw", 7, "--format", "dot")["dot"]
    (tmp_path / "cells.json").write_text(json.dumps([7, ARCH]))
    run("draw", "--file", tmp_path / "cells.json", "--out", tmp_path / "drawings", "--format", "dot")
    assert sorted(path.name for path in (tmp_path / "drawings").iterdir()) == [
        "0001-index-7.dot",
        "0002-index-5000.dot",
    ]


def test_export_writes_everything_known(run: RunCommand, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "cells.csv").write_text("index,note\n5000,a\n7,b\n")
    for suffix in (".json", ".csv", ".parquet", ".txt", ".zip"):
        path = tmp_path / f"out{suffix}"
        run("export", "--file", tmp_path / "cells.csv", "--out", path, "--checkpoint", folder)
    space, items = from_json((tmp_path / "out.json").read_bytes())
    assert [space.index(item.cell) for item in items] == [5_000, 7]
    assert [prediction.score for prediction in items[0].predicted] == ["cifar10_valid"]
    assert items[0].latent is not None
    assert items[0].measured["cifar10_valid"] > 0
    assert (tmp_path / "out.txt").read_text().splitlines()[0] == ARCH
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert "drawings/001-index-5000.svg" in archive.namelist()
    # an export is a file of architectures itself
    again = run("encode", "--file", tmp_path / "out.json", "--checkpoint", folder)
    assert [row["index"] for row in again["cells"]] == [5_000, 7]


def test_export_works_without_a_checkpoint(run: RunCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run("export", "7", "--out", "cell.json")
    _, (item,) = from_json(Path("cell.json").read_bytes())
    assert item.predicted == ()
    assert item.measured["params_m"] > 0


def test_labels_reads_a_users_table_and_writes_it_tidily(run: RunCommand, tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text(f'architecture;score;who\n"{ARCH}";91.5;me\n7;x;me\n{SPACE.format(SPACE.from_index(7))};90;me\n')
    found = run("labels", table, "--out", tmp_path / "tidy.csv")
    assert found["architectures"] == 2
    assert len(found["rejected"]) == 1
    assert found["rejected"][0].startswith("Line 3")
    assert found["ignored_columns"] == ["who"]
    assert (tmp_path / "tidy.csv").read_text().splitlines()[0] == "index,arch_str,score"
    again = run("labels", tmp_path / "tidy.csv")
    assert (again["architectures"], again["rejected"]) == (2, [])
    assert "2 architectures with 1 score" in run("labels", table, expect_json=False)


# evaluate, atlas, fit


def test_devices_and_threads_are_options(run: RunCommand, folder: Path) -> None:
    found = run("encode", 3, "--device", "cpu", "--threads", 1, "--checkpoint", folder)
    assert found == run("encode", 3, "--checkpoint", folder)
    assert torch.get_num_threads() == 1


# bench


def test_bench_lists_and_runs_scripts(
    run: RunCommand, fails: RunCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = tmp_path / "bench"
    (bench / "results").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("")
    (bench / "__init__.py").write_text("")
    (bench / "half.py").write_text("def main(:")
    (bench / "helper.py").write_text('"""No script."""\n')
    (bench / "sum_of.py").write_text(
        '"""Adds numbers.\n\nMore."""\nimport pathlib, sys\n\n\ndef main(argv):\n'
        "    numbers = [int(word) for word in argv if word != '--json']\n"
        "    pathlib.Path('sum.txt').write_text(str(sum(numbers)))\n    return 0 if numbers else 3\n\n\n"
        "if __name__ == '__main__':\n    sys.exit(main(sys.argv[1:]))\n"
    )
    monkeypatch.chdir(bench / "results")  # a checkout is found from anywhere below it
    path = list(sys.path)
    assert run("bench") == {"sum_of": "Adds numbers."}
    assert run("bench", expect_json=False) == "sum_of  Adds numbers.\n"
    assert main(["bench", "sum_of", "4", "5"]) == 0
    assert (tmp_path / "sum.txt").read_text() == "9", "it runs in the checkout's folder"
    assert main(["bench", "sum_of"]) == 3, "the script's own exit code"
    assert sys.path == path
    assert "No benchmark 'helper': expected one of sum_of" in fails("bench", "helper")
    (tmp_path / "pyproject.toml").unlink()
    monkeypatch.chdir(tmp_path)
    assert "run from a checkout" in fails("bench")


def test_the_repositorys_benchmarks_are_found() -> None:
    found = bench_command.scripts(ROOT / "bench")
    assert found
    assert all(found.values()), "each says in one line what it measures"


# spaces whose cells have no index


def test_a_model_of_cells_without_an_index_is_trained_encodes_and_has_a_map_of_drawn_cells(
    run: RunCommand, fails: RunCommand, tmp_path: Path
) -> None:
    space = get_space("randwire")
    settings = "--hidden 8 --latent 4 --rounds 1 --epochs 2 --cells-per-epoch 6 --batch-size 4 --device cpu --threads 1"
    assert main(["train", "--space", "randwire", "--json", "--out", str(tmp_path), *settings.split()]) == 0
    target = tmp_path / "randwire" / "svge"
    meta = load_checkpoint(target).meta
    assert (meta.data_count, meta.held_out_count) == (12, 0), "what is held out cannot be counted"
    text = space.format(space.random_cell(np.random.default_rng(1)))
    (row,) = run("encode", text, "--checkpoint", target)["cells"]
    assert row["index"] is None and len(row["latent"]) == 4
    assert "have no index of 64 bits" in fails("quality", "--checkpoint", target)
    run("card", "--checkpoint", target)
    card = (target / "README.md").read_text()
    assert "12 cells trained on, drawn by the space's own random generators" in card
    assert "svge_core atlas" not in card and "on a map" not in card
    row = run("atlas", "--checkpoint", target, "--charted", "120")
    assert (row["cells"], row["of"]) == (120, None)
    run("card", "--checkpoint", target)
    card = (target / "README.md").read_text()
    assert "svge_core atlas" in card and "families of wirings on a map" in card
