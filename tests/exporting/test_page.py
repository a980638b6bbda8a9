"""The selection as one HTML file: nothing from elsewhere, every text escaped, numbers with what they mean."""

import hashlib
import re
from base64 import b64encode
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from svge_core.data import PredictionRow, load_scores
from svge_core.errors import SvgeError
from svge_core.exporting import ExportItem, item_for, save, to_html
from svge_core.exporting.page import MAX_PAGE
from svge_core.spaces.registry import get_space
from tests.support.meanings import made_up

SPACE = get_space("nasbench201")
NASTY = "<img src=x onerror='alert(1)'> & \"quoted\""


class Tags(HTMLParser):
    """All elements with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def page() -> str:
    guess = PredictionRow("cifar10_valid", 91.0, 90.5, 91.5, 0.9, "a model <b>", None)
    scores = load_scores(SPACE)
    first = item_for(SPACE.from_index(6_111), SPACE, scores, label=NASTY, predicted=[guess])
    own = ExportItem(SPACE.from_index(3), "", {"made_up": 0.125}, {"made_up": made_up(title=NASTY, direction="min")})
    return to_html([first, own], SPACE)


def test_nothing_is_loaded_and_every_text_is_escaped(page: str) -> None:
    tags = Tags(page).found
    assert {tag for tag, _ in tags} & {"img", "link", "iframe", "object", "form", "a"} == set()
    assert [tag for tag, _ in tags].count("script") == 1 and [tag for tag, _ in tags].count("svg") == 2
    attributes = [(name, value) for _, given in tags for name, value in given.items()]
    assert [name for name, _ in attributes if name.startswith("on") or name in ("src", "href")] == []
    assert set(re.findall(r"https?://[^\s\"<]*", page)) == {"http://www.w3.org/2000/svg"}
    assert NASTY not in page and page.count("&lt;img") >= 2 and NASTY in unescape(page)


def test_the_browser_is_told_which_script_may_run(page: str) -> None:
    allowed = next(given["content"] for tag, given in Tags(page).found if "http-equiv" in given)
    for tag in ("script", "style"):
        text = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert text and allowed
        digest = b64encode(hashlib.sha256(text[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in allowed
    assert allowed.startswith("default-src 'none'")


def test_numbers_say_what_they_are(page: str) -> None:
    value = load_scores(SPACE).of(6_111)["cifar10_valid"]
    assert f'data-value="{value!r}">{value:.2f}</td>' in page
    assert "CIFAR-10 validation accuracy, predicted (%)" in page and "≈ 91.00 (90.50 to 91.50)" in page
    assert "200 epochs" in page and "Predicted by: a model &lt;b&gt;, with a 90 % interval." in page
    assert page.count("<td></td>") >= 2, "unknown values are empty"


def test_what_is_only_predicted_stands_for_a_measurement(page: str) -> None:
    assert "<li>CIFAR-10 validation accuracy: " in page and "Stands for" not in page
    meanings = {"cifar10_valid": load_scores(SPACE).meaning("cifar10_valid")}
    guess = PredictionRow("cifar10_valid", 91.0, 90.5, 91.5, 0.9, "a model", None)
    alone = to_html([ExportItem(SPACE.from_index(3), meanings=meanings, predicted=(guess,))], SPACE)
    assert "<li>CIFAR-10 validation accuracy: only predicted. Stands for: " in alone


def test_files_and_limits(tmp_path: Path, page: str) -> None:
    item = ExportItem(SPACE.from_index(3))
    save([item], SPACE, tmp_path / "cells.html")
    assert (tmp_path / "cells.html").read_text("utf-8") == to_html([item], SPACE)
    with pytest.raises(SvgeError, match="no architecture"):
        to_html([], SPACE)
    with pytest.raises(SvgeError, match=f"at most {MAX_PAGE}"):
        to_html([item] * (MAX_PAGE + 1), SPACE)
