"""The shortest way to each of six answers in the app of now and in the one of before, and what a first visit sees."""

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.harness.people import Person

SMALL = "best 3 under 0.5 M parameters"
WORDS = "best 1, at least 2 conv3x3, no pool, under 0.8 M parameters"
#: the two best of CIFAR-10, which the third task puts side by side
PAIR = ("#6111", "#9930")
LIMIT = 0.5


@dataclass(frozen=True)
class Way:
    """How a task is done.

    Attributes:
        words: the way, or what stands in it.
        walk: goes it, and returns the answer as it stands on the page.
        possible: whether it leads anywhere; where not, ``walk`` shows that it does not.
    """

    words: str
    walk: Callable[[Person], str]
    possible: bool = True


# ---- the app of now ----------------------------------------------------------------------------------------------


def _best(person: Person) -> str:
    return person.sees(person.page.locator(".st-key-map-first").get_by_text(re.compile("^Best of .*: #.* %$")).first)


def _three_small(person: Person) -> str:
    _ask(person, SMALL)
    person.click(person.button("Best 3"))
    listed = person.page.locator(".st-key-first-best-list button")
    person.sees(listed.nth(2))
    return ", ".join(re.findall(r"#\d+", " ".join(listed.all_inner_texts())))


def _two(person: Person) -> str:
    person.click(person.button("Compare", ".st-key-compare-buttons"))
    person.click(person.button("Best 10"))
    person.click(person.page.locator(".st-key-first-best-2 button").first)
    person.sees(person.page.get_by_role("heading", name=f"Cell {PAIR[1]}"))
    person.press("Escape")  # the list lies over the panel
    person.click(person.button("Compare", ".st-key-compare-buttons"))
    person.click(person.page.get_by_role("link", name="2 side by side"))
    return _side_by_side(person)


def _side_by_side(person: Person) -> str:
    for number in range(2):
        person.sees(person.page.get_by_role("img", name=re.compile(r"^Drawing of architecture \d")).nth(number))
    names = person.page.get_by_role("table", name="Scores of the 2 architectures").get_by_role("columnheader")
    names.nth(2).wait_for()
    return " and ".join(re.findall(r"#\d+", " ".join(names.all_inner_texts())))


def _figure(person: Person) -> str:
    person.click(person.button("Figure", ".st-key-figure-map"))
    with person.page.expect_download() as download:
        person.click(person.button("Download"))
    content = Path(download.value.path()).read_bytes()
    assert content.startswith(b"%PDF-")
    return f"{download.value.suggested_filename}, {len(content) / 1024:,.0f} KiB"


def _replay(person: Person) -> str:
    person.click(person.page.get_by_role("link", name="Search", exact=True))
    person.click(person.button("Again", ".pl"))
    _played(person, 1)
    return person.sees(person.page.locator(".pl-words").first)


def _by_words(person: Person) -> str:
    _ask(person, WORDS)
    said = person.sees(person.page.get_by_text(re.compile(r"^\d[\d,]* cells?: ")).first)
    return f"{said} {person.sees(person.page.get_by_role('heading', name=re.compile(r'^Cell #(?!6111$)')))}"


def _ask(person: Person, text: str) -> None:
    person.click(person.page.get_by_role("textbox", name="Find"))
    person.write(text)
    person.press("Enter")


NOW: dict[str, Way] = {
    "the best cell": Way("The page opens with it", _best),
    "three best under 0.5 M parameters": Way("Map: Find in words, Best 3", _three_small),
    "two cells side by side": Way("Map: Compare, Best 10, the second, Escape, Compare, 2 side by side", _two),
    "a figure of the map for a paper": Way("Map: Figure, Download", _figure),
    "a race replayed": Way("Search: Again, in the example", _replay),
    "a cell found by words": Way("Map: Find in words", _by_words),
}

# ---- the app of before -------------------------------------------------------------------------------------------


def _best_before(person: Person) -> str:
    _enclose_all(person)
    return person.sees(person.page.get_by_text(re.compile(r"from .* to .*, best #\d+")).first)


def _enclose_all(person: Person) -> None:
    box = person.page.locator(".lm .lm-over").bounding_box()
    left, top = box["x"] + 3, box["y"] + 3
    right, bottom = box["x"] + box["width"] - 3, min(box["y"] + box["height"], 900) - 3
    person.drag([(left, top), (right, top), (right, bottom), (left, bottom), (left, top + 5)], hold="Shift")
    person.page.locator(".st-key-selection-head").wait_for()


def _three_small_before(person: Person) -> str:
    person.click(person.button("Filter"))
    lower, upper = (
        person.page.get_by_role("slider", name=re.compile(f"Parameters.* {end}")) for end in ("start", "end")
    )
    upper.wait_for()
    (low, y), (high, _) = (_middle(end.locator("xpath=..").bounding_box()) for end in (lower, upper))
    smallest, largest = (float(end.get_attribute("aria-valuetext") or "") for end in (lower, upper))
    person.drag([(high, y), (low + (high - low) * (LIMIT - smallest) / (largest - smallest), y)])
    while (now := float(upper.get_attribute("aria-valuetext") or "")) != LIMIT:
        person.press("ArrowLeft" if now > LIMIT else "ArrowRight")
    person.page.get_by_text("pass the filter").first.wait_for()
    _enclose_all(person)  # a press beside the list of conditions closes it
    table = person.page.get_by_test_id("stDataFrame").first
    table.wait_for()
    person.scroll_to(table)
    names = [table.locator(f"tr[aria-rowindex='{row}'] [role=gridcell]").first.inner_text() for row in (2, 3, 4)]
    return ", ".join(f"#{name}" for name in names)


def _middle(box: dict[str, float]) -> tuple[float, float]:
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def _two_before(person: Person) -> str:
    person.click(person.page.get_by_role("link", name="Compare", exact=True))
    field = person.page.get_by_role("textbox", name="Choose 2 to 4 architectures")
    person.click(field)
    person.write(PAIR[0])
    person.press("Enter")
    person.click(person.page.get_by_role("textbox", name="Add an architecture"))
    person.write(PAIR[1])
    person.press("Enter")
    return _side_by_side(person)


def _no_figure(person: Person) -> str:
    forms = person.page.get_by_role("button", name=re.compile("Figure|PDF|SVG|PNG"))
    person.page.get_by_role("button", name="Filter").wait_for()
    _must_lack(forms.count())
    return ""


def _no_replay(person: Person) -> str:
    person.click(person.page.get_by_role("link", name="Search", exact=True))
    shown = person.sees(person.page.get_by_text(re.compile("^No search of")).first)
    _must_lack(person.page.locator(".pl").count())
    return f"The page says: {shown}."


def _no_words(person: Person) -> str:
    _ask(person, WORDS)
    alert = person.page.get_by_test_id("stAlertContentError").get_by_test_id("stMarkdownContainer")
    return f"The page says: {person.sees(alert.first)}"


def _must_lack(found: int) -> None:
    if found:
        raise SystemExit("The checkout beside this one has what was to be missing: it is no version of before.")


BEFORE: dict[str, Way] = dict(
    zip(
        NOW,
        (
            Way("Map: a lasso around everything", _best_before),
            Way(
                "Map: Filter, drag the upper end of parameters, a lasso around everything, scroll", _three_small_before
            ),
            Way("Compare: the field, one name, Enter, the field, the other name, Enter", _two_before),
            Way("The map has no button for a file.", _no_figure, possible=False),
            Way("No race is there, and one that is over cannot be played again.", _no_replay, possible=False),
            Way(
                "Find knows strings, indices and genotypes; conditions do not count operations.",
                _no_words,
                possible=False,
            ),
        ),
        strict=True,
    )
)

# ---- the first visit -----------------------------------------------------------------------------------------------


def _best_ten(person: Person) -> None:
    person.click(person.button("Best 10"))
    person.sees(person.page.locator(".st-key-first-best-10 button").first)


def _surprise(person: Person) -> None:
    person.click(person.button("Surprise me", ".st-key-first-surprise"))
    person.sees(person.page.get_by_role("heading", name=re.compile("^Decoded")))
    _landed(person)


def _landed(person: Person) -> None:
    """The map flies no more."""
    person.page.wait_for_function(
        """el => { const before = window.svgeCamera; window.svgeCamera = el.dataset.camera;
          return before === el.dataset.camera; }""",
        arg=person.page.locator(".lm").first.element_handle(),
        polling=300,
    )


def _travel(person: Person) -> None:
    person.click(person.button("Show the whole map"))
    _landed(person)
    person.click(person.button("Travel", ".st-key-first-travel"))
    _played(person, 8)


def _played(person: Person, frame: int) -> None:
    """What is played has come so far."""
    player = person.page.locator(".pl").first
    player.wait_for()
    person.page.wait_for_function(
        "([el, frame]) => el.dataset.playing === 'true' && Number(el.dataset.frame) >= frame",
        arg=[player.element_handle(), frame],
    )


def _searched(person: Person) -> None:
    _replay(person)
    _played(person, 30)


#: name of the picture, what is in view, and how one comes there from the last
VISIT: tuple[tuple[str, str, Callable[[Person], object]], ...] = (
    ("1-opened", "the best cell on the map", _best),
    ("2-best-ten", "the best ten", _best_ten),
    ("3-decoded", "an empty place decoded", _surprise),
    ("4-travel", "a trip played", _travel),
    ("5-search", "a search replayed", _searched),
)


def commit_of(root: Path) -> str:
    """The commit of a checkout, short."""
    words = ["git", "-C", str(root), "rev-parse", "--short", "HEAD"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
