"""Image data by words: ``digits``, a folder with one sub-folder per class, an ``.npz`` file, or a PyTorch data set."""

import importlib
import re
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from svge_core.checks import whole_number
from svge_core.errors import DataError
from svge_core.network_training.digits import TEST, TRAIN, VALIDATION, load_digits
from svge_core.network_training.image_data import (
    SIDE_MULTIPLE,
    TEST_SHARE,
    VALIDATION_SHARE,
    ImageData,
    ImagePart,
    image_data,
    split_rows,
)
from svge_core.network_training.recipe import IMAGE_SIZE

DIGITS = "digits"
#: most bytes of pixels that are held in memory
MAX_BYTES = 8 * 2**30
IMAGE_SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})
_PATH = re.compile(r"python:([A-Za-z_][\w.]*):([A-Za-z_]\w*)", re.ASCII)
_EXPECTED = (
    "expected digits, a folder with one sub-folder of images per class, an .npz file with arrays images and labels, "
    "or python:package.module:function that returns a PyTorch data set"
)


def open_images(words: str, *, image_size: int = IMAGE_SIZE, allow_python: bool = False) -> ImageData:
    """The images that words name, split into training, validation and test.

    Args:
        words: ``digits``, the path of a folder or of an ``.npz`` file, or ``python:package.module:function``.
        image_size: side in pixels that the files of a folder are brought to; of the others, their own.
        allow_python: agree to import and call the function.

    Raises:
        DataError: one line about what is there and what was expected.
    """
    if words == DIGITS:
        return _digits()
    if words.startswith("python:"):
        return _from_python(words, allow_python)
    path = Path(words).expanduser()
    if path.is_dir():
        return _from_folder(path, image_size)
    if path.suffix.lower() == ".npz" and path.is_file():
        return _from_npz(path)
    if not path.exists():
        raise DataError(f"There are no images at {words[:200]!r}: {_EXPECTED}.")
    raise DataError(f"{path.name[:100]} is no source of images: {_EXPECTED}.")


def _digits() -> ImageData:
    digits = load_digits()
    parts = (
        ImagePart(digits.train, digits.train_classes),
        ImagePart(digits.validation, digits.validation_classes),
        ImagePart(digits.test, digits.test_classes),
    )
    split = f"{VALIDATION} validation images; {TRAIN} trained on, {TEST} for the test"
    return image_data("Digits", parts, tuple("0123456789"), split, standardised=True)


def _from_folder(folder: Path, size: int) -> ImageData:
    size = whole_number("image_size", size, SIDE_MULTIPLE, 4097)
    classes = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if len(classes) < 2:
        raise DataError(
            f"{folder.name}: expected one sub-folder of images for each of at least two classes; there "
            f"{'is one, ' + repr(classes[0].name[:60]) if classes else 'is none'}."
        )
    files: list[tuple[Path, int]] = []
    for number, path in enumerate(classes):
        found = sorted(each for each in path.iterdir() if each.suffix.lower() in IMAGE_SUFFIXES and each.is_file())
        if not found:
            inside = "; classes must lie directly in it" if any(each.is_dir() for each in path.iterdir()) else ""
            raise DataError(
                f"{folder.name}: class {path.name[:60]!r} has no image ({', '.join(sorted(IMAGE_SUFFIXES))}){inside}."
            )
        files += [(file, number) for file in found]
    _fits(folder.name, len(files) * 3 * size * size)
    pixels = np.stack([_read_image(file, folder, size) for file, _ in files])
    images = pixels.transpose(0, 3, 1, 2)
    grey = (images == images[:, :1]).all()  # all of them: one colour carries everything
    labels = [path.name for path in classes]
    return _split(folder.name, images[:, :1] if grey else images, np.array([number for _, number in files]), labels)


def _read_image(file: Path, folder: Path, size: int) -> np.ndarray:
    from PIL import Image, ImageOps

    try:
        with Image.open(file) as image:
            fitted = ImageOps.fit(image.convert("RGB"), (size, size), Image.Resampling.BILINEAR)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(
            f"The image {str(file.relative_to(folder))[:200]!r} of {folder.name} cannot be read "
            f"({' '.join(str(error).split())[:120]}): mend or remove it."
        ) from None
    return np.asarray(fitted, dtype=np.uint8)


def _from_npz(path: Path) -> ImageData:
    try:
        with zipfile.ZipFile(path) as archive:
            _fits(path.name, sum(entry.file_size for entry in archive.infolist()))
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        reason = " ".join(str(error).split())[:150]
        raise DataError(f"{path.name} cannot be read as .npz without Python objects: {reason}.") from None
    for name in ("images", "labels"):
        if name not in arrays:
            raise DataError(
                f"{path.name}: expected arrays images and labels; it has {', '.join(sorted(arrays)) or 'none'}."
            )
    if ("val_images" in arrays) != ("val_labels" in arrays) or ("test_images" in arrays) != ("test_labels" in arrays):
        raise DataError(f"{path.name}: val_images and val_labels go together, and so do test_images and test_labels.")
    given = {name: arrays.get(f"{name}_images") for name in ("val", "test")}
    labels = {"": arrays["labels"], **{name: arrays[f"{name}_labels"] for name in given if given[name] is not None}}
    for name, values in labels.items():
        whole = values.ndim == 1 and np.issubdtype(values.dtype, np.integer)
        if not whole or (values.size and values.min() < 0):
            what = f"{name}_labels" if name else "labels"
            found = str(values.min()) if whole else f"{values.dtype} {values.shape}"
            raise DataError(f"{path.name}: expected {what} as whole numbers from 0 in one row; got {found}.")
    known = np.unique(np.concatenate(list(labels.values())))
    parts = {
        name: (
            _as_images(path.name, arrays[f"{name}_images" if name else "images"]),
            np.searchsorted(known, values),
        )
        for name, values in labels.items()
    }
    return _joined(path.stem, parts, [str(number) for number in known])


def _from_python(words: str, allowed: bool) -> ImageData:
    found = _PATH.fullmatch(words)
    if found is None:
        raise DataError(f"A data set is named python:package.module:function; got {words[:80]!r}.")
    if not allowed:
        raise DataError(f"{words[:80]} runs code of this machine: agree to that first.", settings=("allow_python",))
    module, name = found.groups()
    try:
        result: Any = getattr(importlib.import_module(module), name)()
    except (Exception, SystemExit) as error:  # a function of the user's may fail in any way
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise DataError(f"The data set {words[:80]} cannot be had: {reason}.") from error
    return image_data_of(result, name)


def image_data_of(data: Any, name: str) -> ImageData:
    """A PyTorch data set of pairs (image, class) as image data, held in memory.

    Args:
        data: one data set, which is split, or a tuple of two (training, test) or three (training, validation, test).
            An image is a tensor (colours, height, width), an array or a picture of Pillow's.
        name: of it, for people.

    Raises:
        DataError: one line, if it gives no such pairs.
    """
    sets = data if isinstance(data, tuple | list) else (data,)
    keys = {1: ("",), 2: ("", "test"), 3: ("", "val", "test")}.get(len(sets))
    if keys is None:
        raise DataError(f"{name}: expected one data set, or two or three in a tuple; got {len(sets)}.")
    parts = {key: _read_dataset(each, name) for key, each in zip(keys, sets, strict=True)}
    known = np.unique(np.concatenate([classes for _, classes in parts.values()]))
    own = getattr(sets[0], "classes", None)  # torchvision's name for them
    named = isinstance(own, list | tuple) and len(own) > int(known.max(initial=-1))
    labels = [str(own[number]) if named and own is not None else str(number) for number in known]
    return _joined(
        name, {key: (images, np.searchsorted(known, classes)) for key, (images, classes) in parts.items()}, labels
    )


def _read_dataset(data: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    images, classes = [], []
    try:
        for number in range(len(data)):
            image, label = data[number]
            images.append(image.numpy() if isinstance(image, torch.Tensor) else np.asarray(image))
            classes.append(int(label))
            if number == 0:
                _fits(name, images[0].nbytes * len(data))
    except DataError:
        raise
    except Exception as error:  # it is the user's
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise DataError(
            f"{name}: expected a data set of pairs (image, class); item {len(classes)} gives {reason}."
        ) from error
    if not images:
        raise DataError(f"{name}: the data set is empty.")
    sizes = {image.shape for image in images}
    if len(sizes) > 1:
        shown = " and ".join(map(str, sorted(sizes)[:2]))
        raise DataError(f"{name}: expected images of one size; got {shown}. Resize them in the data set.")
    return _as_images(name, np.stack(images)), np.array(classes)


def _as_images(name: str, array: np.ndarray) -> np.ndarray:
    """(images, colours, height, width) of bytes or numbers, from any usual order of the axes."""
    numbers = array.dtype == np.uint8 or np.issubdtype(array.dtype, np.floating)
    if array.ndim == 3:
        array = array[:, None]
    elif array.ndim == 4 and array.shape[1] not in (1, 3) and array.shape[3] in (1, 3):
        array = array.transpose(0, 3, 1, 2)
    if array.ndim != 4 or not numbers:
        raise DataError(
            f"{name}: expected images as (number, height, width), with 1 or 3 colours before or after, of bytes or "
            f"floating-point numbers; got {array.dtype} {array.shape}."
        )
    return array if array.dtype == np.uint8 else array.astype(np.float32)


def _joined(name: str, parts: dict[str, tuple[np.ndarray, np.ndarray]], labels: Sequence[str]) -> ImageData:
    """Parts that are given as they are; those that are not are drawn from the first one."""
    for key, (images, classes) in parts.items():
        if len(images) != len(classes):
            what = {"": "training", "val": "validation"}.get(key, key)
            raise DataError(f"{name}: {len(images)} {what} images have {len(classes)} labels; expected one each.")
    return _split(name, *parts[""], labels, parts.get("val"), parts.get("test"))


def _split(
    name: str,
    images: np.ndarray,
    classes: np.ndarray,
    labels: Sequence[str],
    validation: tuple[np.ndarray, np.ndarray] | None = None,
    test: tuple[np.ndarray, np.ndarray] | None = None,
) -> ImageData:
    if not len(images):
        raise DataError(f"{name}: there is no image.")
    if len(labels) < 2:
        raise DataError(f"{name}: expected images of at least two classes; all are of one, {str(labels[0])[:60]!r}.")
    shares = [share for share, given in ((VALIDATION_SHARE, validation), (TEST_SHARE, test)) if given is None]
    drawn = iter(split_rows(name, classes, labels, shares))
    rows = next(drawn)
    train = (images[rows], classes[rows])
    others = []
    for given in (validation, test):
        rows = next(drawn) if given is None else None
        others.append(given if rows is None else (images[rows], classes[rows]))
    made = [_part(*each) for each in (train, *others) if each is not None]
    how = "as given" if not shares else "drawn at random by class" if len(shares) == 2 else "one part drawn at random"
    split = f"{len(made[1])} validation images; {len(made[0])} trained on, {len(made[2])} for the test, {how}"
    return image_data(name[:60], made, labels, split)


def _part(images: np.ndarray, classes: np.ndarray) -> ImagePart:
    return ImagePart(torch.from_numpy(np.ascontiguousarray(images)), torch.from_numpy(classes.astype(np.int64)))


def _fits(name: str, size: int) -> None:
    if size > MAX_BYTES:
        raise DataError(
            f"{name}: its images take {size / 2**30:.1f} GiB in memory, more than {MAX_BYTES // 2**30}: take smaller "
            "or fewer ones."
        )
