"""Every stored JSON that is shipped opens, and no damaged one does more than give one line of the right class."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from svge_core.checkpoints.checkpoint import META, CheckpointMeta, load_meta
from svge_core.data.meaning import ScoreMeaning, meaning_from_dict
from svge_core.errors import CheckpointError, SvgeError
from svge_core.evaluation.extrapolation import file as extrapolation
from svge_core.evaluation.latent import file as quality
from svge_core.evaluation.latent.content import QualityContent
from svge_core.predictors.predictor_info import META as INFO, PredictorInfo, read_info
from svge_core.spaces.registry import get_space
from tests.support.damage import DAMAGE, MARK, damaged, places
from tests.support.paths import CHECKPOINTS, ROOT
from ui.model.state import read_benchmark
from ui.results.rows import Comparisons

SHIPPED = sorted(path.parent for path in CHECKPOINTS.glob(f"*/svge*/{META}"))


def open_meta(path: Path, space: str) -> Any:
    return load_meta(path.parent)[0]


def open_info(path: Path, space: str) -> Any:
    return read_info(path)


def open_quality(path: Path, space: str) -> Any:
    return quality.load(path.parent, space)


def open_extrapolation(path: Path, space: str) -> Any:
    return extrapolation.load(path.parent, get_space(space))


KINDS: dict[str, tuple[Callable[[Path, str], Any], type]] = {
    META: (open_meta, CheckpointMeta),
    INFO: (open_info, PredictorInfo),
    quality.FILE: (open_quality, QualityContent),
    extrapolation.FILE: (open_extrapolation, extrapolation.Extrapolation),
}


def stored(name: str) -> list[Path]:
    return sorted(path for folder in SHIPPED for path in folder.rglob(name))


def space_of(path: Path) -> str:
    return path.relative_to(CHECKPOINTS).parts[0]


@pytest.mark.parametrize("path", [path for name in KINDS for path in stored(name)], ids=str)
def test_every_shipped_file_opens(path: Path) -> None:
    read, kind = KINDS[path.name]
    assert isinstance(read(path, space_of(path)), kind)


def test_every_shipped_meaning_and_every_result_that_pages_show_opens() -> None:
    paths = sorted((ROOT / "assets" / "labels").glob("*.json"))
    assert paths
    for path in paths:
        assert isinstance(meaning_from_dict(json.loads(path.read_text())), ScoreMeaning)
    papers = read_benchmark("papers", Comparisons)
    assert papers is not None and papers.rows
    assert read_benchmark("tradeoff", dict)
    assert {path.stem for path in (ROOT / "assets" / "results").glob("*.json")} == {"papers", "tradeoff"}


@pytest.mark.parametrize("name", KINDS)
@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_a_damaged_file_opens_rightly_or_gives_one_line(name: str, tmp_path: Path, data: st.DataObject) -> None:
    read, kind = KINDS[name]
    path = data.draw(st.sampled_from(stored(name)))
    text = path.read_text()
    place = data.draw(st.sampled_from(list(places(json.loads(text)))))
    how = data.draw(st.sampled_from(DAMAGE))
    target = tmp_path / name
    target.write_text(damaged(text, place, how))
    try:
        found = read(target, space_of(path))
    except CheckpointError as error:
        assert "\n" not in str(error) and name in str(error) and len(str(error)) < 1_500
    else:
        assert isinstance(found, kind)
        assert how not in ("twice", "NaN", "Infinity", "1e999", '"\\ud800"') or MARK in text


@pytest.mark.parametrize("name", KINDS)
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_cut_or_flipped_file_gives_one_line(name: str, tmp_path: Path, data: st.DataObject) -> None:
    read, kind = KINDS[name]
    path = stored(name)[0]
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 2))
    if data.draw(st.booleans()):
        content = content[:at]
    else:
        content[at] = data.draw(st.integers(0, 255))
    target = tmp_path / name
    target.write_bytes(content)
    try:
        assert isinstance(read(target, space_of(path)), kind)
    except SvgeError as error:
        assert "\n" not in str(error)
