"""Reading safetensors files and keeping arrays in the cache: what comes back, and what is said where it cannot."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from svge_core.errors import CheckpointError
from svge_core.files.atomic import keep_arrays
from svge_core.files.tensors import read_arrays, read_tensors

ADVICE = "Make it again."


@pytest.fixture
def path(tmp_path: Path) -> Path:
    tensors = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor([1, 2], dtype=torch.int64)}
    save_file(tensors, tmp_path / "x.safetensors", metadata={"format_version": "3"})
    return tmp_path / "x.safetensors"


def test_header_and_tensors_come_back_for_both_libraries(path: Path) -> None:
    header, arrays = read_arrays(path, ADVICE)
    assert header == {"format_version": "3"}
    assert sorted(arrays) == ["a", "b"]
    np.testing.assert_array_equal(arrays["a"], np.arange(6, dtype=np.float32).reshape(2, 3))
    assert arrays["b"].dtype == np.int64
    header, tensors = read_tensors(path, ADVICE)
    assert header == {"format_version": "3"}
    assert {name: tensor.numpy().tolist() for name, tensor in tensors.items()} == {
        name: array.tolist() for name, array in arrays.items()
    }
    save_file({"a": torch.zeros(1)}, path)
    assert read_arrays(path, ADVICE)[0] == {}


@pytest.mark.parametrize("read", [read_arrays, read_tensors])
def test_what_cannot_be_read_is_one_line_with_advice(read, path: Path) -> None:
    content = path.read_bytes()
    for damaged in (content[:-1], content[: len(content) // 2], content[:4], b"", b"\xff" * 100, b"{}\n" * 9):
        path.write_bytes(damaged)
        with pytest.raises(
            CheckpointError, match=r"x\.safetensors is damaged \(not safetensors: .+\)\. Make"
        ) as caught:
            read(path, ADVICE)
        assert "\n" not in str(caught.value)
        assert caught.value.__suppress_context__, "no library's traceback above it"
    path.unlink()
    with pytest.raises(CheckpointError, match=r"x\.safetensors is missing\. Make it again\.$"):
        read(path, ADVICE)
    with pytest.raises(CheckpointError, match="is damaged"):
        read(path.parent, ADVICE)


def test_arrays_are_kept_whole_and_without_temporary_files(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there"
    single, named = np.arange(5.0), {"a": np.arange(3), "b": np.zeros((2, 16), dtype=np.uint8)}
    keep_arrays(folder / "x.npy", single)
    keep_arrays(folder / "x.npz", named)
    np.testing.assert_array_equal(np.load(folder / "x.npy", mmap_mode="r", allow_pickle=False), single)
    with np.load(folder / "x.npz", allow_pickle=False) as file:
        assert sorted(file.files) == ["a", "b"]
        for name, array in named.items():
            np.testing.assert_array_equal(file[name], array)
            assert file[name].dtype == array.dtype
    assert sorted(path.name for path in folder.iterdir()) == ["x.npy", "x.npz"]


def test_a_folder_that_cannot_be_written_costs_nothing_but_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    keep_arrays(tmp_path / "file" / "x.npy", np.zeros(2))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
