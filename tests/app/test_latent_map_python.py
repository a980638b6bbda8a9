"""The Python side of the map: what is published, what is accepted from the browser. The browser tests do the rest."""

import os
import time

import numpy as np
import pytest

from tests.support.untyped import drawn, there
from ui.latent_map import published as public_files
from ui.latent_map.events import parse_brush, parse_click, parse_lasso
from ui.latent_map.fallback import map_figure, resolve_click
from ui.latent_map.published import keep_public, publish_array, publish_text, published_floats, published_path
from ui.latent_map.values import CATEGORICAL, SEQUENTIAL, MapBackground, MapBrush, MapClick, MapColour, MapMark

SQUARE = np.array([[0, 0], [1, 0], [1, 1], [np.nan, 0]], dtype=np.float32)


@pytest.fixture(autouse=True)
def beside_a_script(tmp_path, monkeypatch):
    monkeypatch.setattr(public_files, "_script_folder", lambda: tmp_path)


def colour(**changes):
    return MapColour(
        **{"values_url": "u", "title": "t", "unit": "%", "low": 0, "high": 1, "palette": SEQUENTIAL} | changes
    )


def test_published_arrays_are_float32_named_by_content_and_written_once(tmp_path):
    url = publish_array(np.array([1.5, np.nan]), "a name/../odd")
    assert url.startswith("app/static/map/a-name-..-odd-") and url.endswith(".bin")
    np.testing.assert_array_equal(np.fromfile(published_path(url), "<f4"), np.array([1.5, np.nan], dtype=np.float32))
    written = published_path(url).stat().st_ino
    assert publish_array(np.array([1.5, np.nan], dtype=np.float32), "a name/../odd") == url
    assert published_path(url).stat().st_ino == written
    assert publish_array(np.array([1.5, 2.0]), "a name/../odd") != url
    assert not list((tmp_path / "static" / "map").glob(".*"))


def test_numbers_beyond_float32_are_published_as_they_are():
    values = np.array([2.7e43, np.nan, 2.9e61, 5e20])
    url = publish_array(values, "synflow")
    assert url.endswith(".f64")
    np.testing.assert_array_equal(np.fromfile(published_path(url), "<f8"), values)
    np.testing.assert_array_equal(published_floats(url), values)


def test_published_text_keeps_one_line_a_point():
    url = publish_text(["a\nb", "", "ü\r\nc\u2028d"], "labels")
    assert published_path(url).read_text("utf-8").split("\n") == ["a b", "", "ü c d"]


def test_old_files_go_when_the_folder_is_full_but_none_in_use(monkeypatch):
    monkeypatch.setattr(public_files, "_PUBLIC_LIMIT_BYTES", 3000)
    urls = [publish_array(np.full(250, i, dtype=np.float32), f"a{i}") for i in range(3)]
    long_ago = time.time() - 10 * 24 * 3600
    for age, url in enumerate(urls):
        os.utime(published_path(url), (long_ago + age, long_ago + age))
    keep_public(urls[0], "app/static/map/gone.bin", None)
    publish_array(np.full(250, 9, dtype=np.float32), "new")
    assert [published_path(url).exists() for url in urls] == [True, False, True]
    publish_array(np.full(2500, 9, dtype=np.float32), "huge")  # files of the last day stay whatever their size
    assert published_path(urls[0]).exists() and not published_path(urls[2]).exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"palette": ("#123456", "red")}, "'red' is not a colour"),
        ({"palette": ("#123456",)}, "at least two"),
        ({"low": 1, "high": 1}, "low must be below high"),
        ({"high": float("nan")}, "low must be below high"),
        ({"categories": ("a", "b")}, "2 categories need as many colours"),
    ],
)
def test_a_colour_that_cannot_be_drawn_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        colour(**changes)


def test_a_background_of_the_wrong_size_is_refused():
    with pytest.raises(ValueError, match="expected 3 x 2 bytes, got 5"):
        MapBackground(3, 2, (0, 1, 0, 1), bytes(5))


def test_palettes_stay_legible_on_white_and_on_near_black():
    def luminance(stop: str) -> float:
        channels = np.array([int(stop[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        return float(linear @ (0.2126, 0.7152, 0.0722))

    light = [luminance(stop) for stop in SEQUENTIAL]
    assert light == sorted(light)  # reads in grey too
    for stop in (*SEQUENTIAL, *CATEGORICAL):
        assert 1.05 / (luminance(stop) + 0.05) > 1.6 and (luminance(stop) + 0.05) / (0.01 + 0.05) > 2.5, stop


def test_clicks_from_the_browser():
    event = {"kind": "point", "index": 3, "x": 1, "y": 2.5, "source": "key", "seq": 1}
    assert parse_click(event) == MapClick("point", 3, 1.0, 2.5, "key")
    assert parse_click(event | {"index": None, "source": "?"}) == MapClick("empty", None, 1.0, 2.5, "pointer")
    for bad in (
        None,
        [],
        {},
        event | {"x": "1"},
        event | {"y": float("nan")},
        event | {"index": -1},
        event | {"index": "3"},
    ):
        assert parse_click(bad) is None, bad


def test_lassos_from_the_browser():
    lasso = parse_lasso({"polygon": [[0, 0], [1, 0], [1, 1]]})
    assert lasso is not None and lasso.polygon == ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))
    for bad in (
        None,
        {},
        {"polygon": [[0, 0], [1, 1]]},
        {"polygon": [[0, 0], [1, 0], [1]]},
        {"polygon": [[0, 0], [1, 0], [1, None]]},
    ):
        assert parse_lasso(bad) is None, bad


def test_the_fallback_chart_resolves_hits_against_every_point():
    sent = {"x": 0.95, "y": 0.02, "scale": 100.0, "exact": False, "seq": 1}
    assert resolve_click(sent, SQUARE) == MapClick("point", 1, 1.0, 0.0, "pointer")
    assert resolve_click(sent | {"scale": 1000.0}, SQUARE) == MapClick("empty", None, 0.95, 0.02, "pointer")
    assert there(resolve_click(sent | {"exact": True}, SQUARE)).kind == "empty"
    assert resolve_click({"x": "a"}, SQUARE) is None


def test_the_fallback_chart_draws_missing_dimmed_and_marked_points():
    values = np.array([0.1, np.nan, 0.9, 0.5], dtype=np.float32)
    dim = np.array([True, False, False, False])
    figure = map_figure(
        SQUARE,
        values,
        colour(),
        np.arange(4),
        [MapMark(0, 0, "start", "A", 1)],
        [],
        [(0, 0), (1, 0), (1, 1)],
        dim,
        webgl=False,
    )
    assert [len(trace.x) for trace in drawn(figure).data] == [2, 2, 4, 1]
    assert drawn(figure).layout.clickanywhere is True
    assert {trace.type for trace in drawn(figure).data} == {"scatter"}


@pytest.mark.parametrize("webgl", [True, False])
def test_words_in_the_fallback_chart_are_words(webgl):
    values = np.array([0.1, 0.2, 0.9, 0.5], dtype=np.float32)
    odd = colour(title="<a href='http://x'>acc</a>")
    figure = map_figure(
        SQUARE, values, odd, np.arange(4), [MapMark(0, 0, "start", "<b>A</b>")], [], None, None, webgl=webgl
    )
    points, marks = drawn(figure).data[1], drawn(figure).data[-1]
    assert "<a" not in points.hovertemplate and "<a" not in points.marker.colorbar.title.text
    assert marks.text[0] == ("<b>A</b>" if webgl else "&lt;b&gt;A&lt;/b&gt;")


def test_brushes_from_the_browser():
    assert parse_brush({"range": [1, 2.5], "seq": 1}) == MapBrush(1.0, 2.5)
    assert parse_brush({"range": [None, 2.5]}) == MapBrush(None, 2.5)
    for bad in (None, [], {}, {"range": None}, {"range": [None, None]}, {"range": [2, 1]}, {"range": ["1", 2]}):
        assert parse_brush(bad) is None, bad
    assert parse_brush({"range": [float("nan"), 2]}) is None


def test_the_fallback_chart_colours_by_rank_and_says_so():
    values = np.array([1.0, 1000.0, 2.0, np.nan], dtype=np.float32)
    shown = colour(scale="ranks", low=0, high=1000)
    figure = map_figure(SQUARE, values, shown, np.arange(4), [], [], None, None, webgl=False)
    points = drawn(figure).data[1]
    assert list(points.customdata) == [1, 2, 1000] and list(points.marker.color) == [0, 0.5, 1]
    assert points.marker.colorbar.title.text.endswith("colours by rank")
