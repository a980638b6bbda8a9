"""Published columns of people's own scores: they go when nobody shows them, and together they have a cap."""

import os
import time
from pathlib import Path

import numpy as np
import pytest

from ui.latent_map import own
from ui.latent_map.own import OWN, drop_unnamed, make_room, publish_own
from ui.latent_map.published import publish_array, published_path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("ui.latent_map.published._script_folder", lambda: tmp_path)
    monkeypatch.setattr(own, "_named", {})
    monkeypatch.setattr(own, "_follow", lambda folder: None)
    return tmp_path / "static" / "map"


def aged(url: str, seconds: float) -> Path:
    path = published_path(url)
    then = time.time() - seconds
    os.utime(path, (then, then))
    return path


def test_what_nobody_shows_is_dropped_and_the_rest_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown, left, fresh = (publish_own(np.array([float(number)])) for number in range(3))
    other = aged(publish_array(np.array([7.0]), "cifar10_valid"), 10_000)
    paths = [aged(url, age) for url, age in ((shown, 10_000), (left, 10_000), (fresh, 1))]
    assert all(path.name.startswith(OWN) for path in paths) and not other.name.startswith(OWN)
    own._named.update({"there": frozenset({paths[0].name}), "gone": frozenset({paths[1].name})})
    monkeypatch.setattr(own, "_is_there", lambda session: session == "there")
    assert drop_unnamed(folder)
    assert [path.exists() for path in (*paths, other)] == [True, False, True, True]
    monkeypatch.setattr(own, "_is_there", lambda session: False)
    assert not drop_unnamed(folder, now=lambda: time.time() + own.UNSHOWN_SECONDS)
    assert [path.exists() for path in (*paths, other)] == [False, False, False, True]


def test_the_name_of_the_file_tells_no_title(folder: Path) -> None:
    assert published_path(publish_own(np.array([1.0]))).name.startswith("own.scores-")


def test_together_they_have_a_cap_whatever_their_age(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "MOST_BYTES", 3 * 800)
    paths = [aged(publish_own(np.full(200, float(number))), 10 - number) for number in range(3)]
    newest = published_path(publish_own(np.full(200, 3.0)))
    total = sum(path.stat().st_size for path in folder.glob(f"{OWN}*"))
    assert total <= 3 * 800 and newest.exists() and not paths[0].exists()
    make_room(folder, 0)
    assert not list(folder.glob(f"{OWN}*"))
