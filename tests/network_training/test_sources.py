"""Images by words: what is read, how it is split, and every bad input by its line."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from svge_core.errors import DataError, SvgeError
from svge_core.network_training import ImageData, image_data_of, load_digits, open_images, sources, train_network
from svge_core.network_training.recipe import TrainRecipe
from svge_core.spaces import SPACES


def folder_of(root: Path, counts: dict[str, int], size: tuple[int, int] = (12, 10)) -> Path:
    rng = np.random.default_rng(0)
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            pixels = rng.integers(0, 255, (*size, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / name / f"{number}.png")
    return root


def all_rows(data: ImageData) -> list[bytes]:
    return [image.numpy().tobytes() for part in data.parts.values() for image in part.images]


def test_digits_are_those_of_the_searches():
    data, digits = open_images("digits"), load_digits()
    assert [len(part) for part in data.parts.values()] == [897, 450, 450]
    assert torch.equal(data.validation.images, digits.validation)
    assert torch.equal(data.as_numbers(data.test.images, 1), digits.test)
    assert torch.equal(data.as_numbers(data.test.images, 3)[:, 2], digits.test[:, 0])


def test_a_folder_is_split_by_class_and_always_alike(tmp_path: Path):
    folder = folder_of(tmp_path / "pets", {"cat": 10, "dog": 15})
    data = open_images(str(folder), image_size=8)
    assert data.labels == ("cat", "dog") and data.name == "pets"
    assert data.train.images.shape == (15, 3, 8, 8)
    counts = {what: np.bincount(part.classes.numpy()).tolist() for what, part in data.parts.items()}
    assert counts == {"training": [6, 9], "validation": [2, 3], "test": [2, 3]}
    assert len(set(all_rows(data))) == 25  # no image in two parts
    assert open_images(str(folder), image_size=8).digest == data.digest
    numbers = data.as_numbers(data.train.images, 3).numpy()
    plain = data.train.images.numpy().astype(np.float64)
    mean, deviation = plain.mean((0, 2, 3), keepdims=True), plain.std((0, 2, 3), keepdims=True)
    assert numbers == pytest.approx((plain - mean) / deviation, abs=1e-4)


def test_arrays_in_any_usual_order_and_with_parts_of_their_own(tmp_path: Path):
    rng = np.random.default_rng(1)
    images = rng.integers(0, 255, (12, 8, 8, 3), dtype=np.uint8)
    labels = np.arange(12) % 3 + 4
    np.savez(tmp_path / "a.npz", images=images, labels=labels, test_images=images[:3], test_labels=labels[:3])
    data = open_images(str(tmp_path / "a.npz"))
    assert data.labels == ("4", "5", "6") and len(data.test) == 3
    assert np.array_equal(data.test.images.numpy(), images[:3].transpose(0, 3, 1, 2))
    assert len(data.train) + len(data.validation) == 12
    np.savez_compressed(tmp_path / "b.npz", images=images[..., 0].astype(np.float64) / 255, labels=labels)
    assert open_images(str(tmp_path / "b.npz")).colours == 1


class Pairs(torch.utils.data.Dataset):
    classes = ("no", "yes")

    def __init__(self, count: int = 12, size: int = 8, wrong: Any = None) -> None:
        self.count, self.size, self.wrong = count, size, wrong

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> Any:
        if self.wrong is not None and number == 3:
            return self.wrong
        return torch.full((1, self.size, self.size), number / self.count), number % 2


def made() -> Any:
    return Pairs(12), Pairs(4)


def test_a_data_set_of_ones_own_needs_consent_and_trains():
    words = f"python:{__name__}:made"
    with pytest.raises(DataError, match="agree to that first"):
        open_images(words)
    data = open_images(words, allow_python=True)
    assert data.labels == ("no", "yes") and len(data.test) == 4
    recipe = TrainRecipe(epochs=1, batch_size=4, channels=2)
    found = train_network("nasbench201", SPACES["nasbench201"].from_index(1), data, recipe)
    assert found.meaning.data_set == "made"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (Pairs(0), "the data set is empty"),
        (Pairs(wrong=(torch.zeros(1, 4, 4), 0)), "images of one size"),
        (Pairs(wrong=(torch.full((1, 8, 8), torch.nan), 1)), "pixel that is not a finite number"),
        (Pairs(wrong="text"), "expected a data set of pairs .*item 3"),
        (Pairs(size=6), "multiples of 4 pixels; got 1 x 6 x 6"),
        ((Pairs(12), Pairs(4, size=12)), "the test images are 1 x 12 x 12"),
        (tuple([Pairs()] * 4), "two or three in a tuple; got 4"),
    ],
)
def test_data_sets_that_cannot_be_used(data: Any, said: str):
    with pytest.raises(DataError, match=said):
        image_data_of(data, "mine")


def test_folders_that_cannot_be_used(tmp_path: Path):
    with pytest.raises(DataError, match="There are no images at"):
        open_images(str(tmp_path / "missing"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="at least two classes; there is none"):
        open_images(str(tmp_path / "empty"))
    with pytest.raises(DataError, match="there is one, 'cat'"):
        open_images(str(folder_of(tmp_path / "one", {"cat": 4})))
    with pytest.raises(DataError, match="class 'dog' has 2 images; expected at least 3"):
        open_images(str(folder_of(tmp_path / "few", {"cat": 4, "dog": 2})))
    nested = folder_of(tmp_path / "nested" / "train", {"cat": 3, "dog": 3}).parent
    (nested / "test").mkdir()
    with pytest.raises(DataError, match="class 'test' has no image"):
        open_images(str(nested))
    broken = folder_of(tmp_path / "broken", {"cat": 3, "dog": 3})
    (broken / "dog" / "1.png").write_bytes(b"\x89PNG nothing")
    with pytest.raises(DataError, match=r"The image 'dog/1.png' of broken cannot be read"):
        open_images(str(broken))
    with pytest.raises(SvgeError, match="image_size"):
        open_images(str(broken), image_size=2)
    (tmp_path / "notes.txt").write_text("no")
    with pytest.raises(DataError, match=r"notes.txt is no source of images"):
        open_images(str(tmp_path / "notes.txt"))


def test_files_of_arrays_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    images, labels = np.zeros((6, 8, 8), np.uint8), np.arange(6) % 2

    def refused(said: str, **arrays: Any) -> None:
        np.savez(tmp_path / "x.npz", **arrays)
        with pytest.raises(DataError, match=said):
            open_images(str(tmp_path / "x.npz"))

    refused("expected arrays images and labels; it has images", images=images)
    refused("expected labels as whole numbers", images=images, labels=labels / 2)
    refused("expected labels as whole numbers from 0 in one row; got -1.", images=images, labels=labels - 1)
    refused("6 training images have 5 labels", images=images, labels=labels[:5])
    refused("all are of one", images=images, labels=np.zeros(6, int))
    refused("expected images as", images=images.astype(np.int64), labels=labels)
    refused("go together", images=images, labels=labels, val_images=images)
    refused("without Python objects", images=np.array([{}], dtype=object), labels=labels)
    refused("training image 0 has a pixel", images=np.full((6, 8, 8), np.inf), labels=labels)
    refused("there is no image", images=images[:0], labels=labels[:0])
    (tmp_path / "y.npz").write_bytes(b"PK nothing")
    with pytest.raises(DataError, match="cannot be read as .npz"):
        open_images(str(tmp_path / "y.npz"))
    monkeypatch.setattr(sources, "MAX_BYTES", 100)
    refused("take smaller", images=images, labels=labels)
