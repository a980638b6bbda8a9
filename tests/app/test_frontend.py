"""The browser's part of our components: it parses, every name is defined, and defined once in the joined module."""

import json
import re
from collections import Counter

import pytest

from tests.support.javascript import joined, node
from tests.support.paths import ROOT
from ui.latent_map import component

LATENT_MAP = ROOT / "ui" / "latent_map" / "frontend"
MODULES = {
    "latent_map": [LATENT_MAP / name for name in component._SCRIPTS],
    "live_chart": [ROOT / "ui" / "live_chart" / "live_chart.js"],
    "compare_table": [ROOT / "ui" / "compare" / "table.js"],
    "player": [ROOT / "ui" / "player" / name for name in ("curve.js", "player.js")],
    "space_table": [ROOT / "ui" / "table" / "table.js"],
    "tour": [ROOT / "ui" / "tour" / "tour.js"],
    "keyboard": [ROOT / "ui" / "keyboard" / "keyboard.js"],
}
#: a name that each of them declares
DECLARED = {
    "latent_map": "LatentMap",
    "live_chart": "draw",
    "compare_table": "explain",
    "player": "Player",
    "space_table": "placeOf",
    "tour": "Tour",
    "keyboard": "Keeper",
}
_NAMES = re.compile(r"^(?:export )?(?:async )?(?:function|class)\*? (\w+)|^(?:const|let|var) (.+)", re.MULTILINE)


def top_level_names(text: str) -> list[str]:
    """Names that unindented lines declare; of ``const A = 1, B = 2;`` both."""
    return [
        name
        for single, several in _NAMES.findall(text)
        for name in ([single] if single else re.findall(r"(?:^|, )(\w+) =", several))
    ]


def undefined_names(text: str) -> list[str]:
    done = node("--expose-internals", str(ROOT / "tests" / "support" / "undefined_names.cjs"), text=text)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def syntax_error(text: str) -> str:
    done = node("--input-type=module", "--check", "-", text=text)
    return done.stderr if done.returncode else ""


def test_every_script_is_part_of_a_module() -> None:
    found = {*(ROOT / "ui").rglob("*.js")}
    assert found == {path for paths in MODULES.values() for path in paths} and len(found) >= 7


@pytest.mark.parametrize("name", MODULES)
def test_a_name_is_defined_once_in_a_module(name: str) -> None:
    names = Counter(top_level_names(joined(MODULES[name])))
    assert [twice for twice, count in names.items() if count > 1] == []
    assert names[DECLARED[name]] == 1


def hidden_methods(text: str) -> list[str]:
    """Methods of a class that a class above it has, too, and that do not call it."""
    classes = {
        name: (parent, dict(re.findall(r"^  (?:async )?(\w+)\([^\n]*\) \{(.*?)(?=^  \S|\Z)", body, re.M | re.S)))
        for name, parent, body in re.findall(r"^class (\w+)(?: extends (\w+))? \{\n(.*?)^\}", text, re.M | re.S)
    }
    found = []
    for name, (above, methods) in classes.items():
        while above in classes:
            above, theirs = classes[above]
            found += [f"{name}.{m}" for m, body in methods.items() if m in theirs and f"super.{m}(" not in body]
    return [each for each in found if not each.endswith(".constructor")]


@pytest.mark.parametrize("name", MODULES)
def test_no_method_hides_one_of_a_class_above(name: str) -> None:
    assert hidden_methods(joined(MODULES[name])) == []


@pytest.mark.parametrize("name", MODULES)
def test_a_module_parses_and_uses_no_undefined_name(name: str) -> None:
    text = joined(MODULES[name])
    assert syntax_error(text) == ""
    assert undefined_names(text) == []


def test_the_table_gives_the_keyboard_back_to_what_had_it() -> None:
    script = """
const lines = [0, 1, 2].map((rowIndex) => {
  const line = { rowIndex, tagName: "TR", dataset: {}, closest: () => line };
  line.input = { tagName: "INPUT", dataset: {}, closest: () => line };
  line.querySelector = () => line.input;
  return line;
});
const header = { tagName: "BUTTON", dataset: { key: "depth" }, closest: () => lines[0] };
const had = [lines[2].input, lines[0].input, lines[1], header], got = [];
for (const each of had) each.focus = () => got.push(each);
for (const each of had) giveBack({ querySelectorAll: () => [header] }, { rows: lines }, placeOf(each));
giveBack(null, null, placeOf(null));
console.log(JSON.stringify(got.map((each, place) => each === had[place])));
"""
    done = node("--input-type=module", "-", text=joined(MODULES["space_table"]) + script)
    assert done.returncode == 0 and json.loads(done.stdout) == [True] * 4, done.stderr


PLAYING = """
let starts = 0;
const made = () => Object.assign(Object.create(Player.prototype), {
  ui: { slider: {}, root: { scrollIntoView() {} } }, time: 0,
  readStyle() {}, legend() {}, draw() {}, halt() {}, start() { starts += 1; },
});
globalThis.matchMedia = () => ({ matches: false });
const frames = [{ x: 0, y: 0, words: "", label: "#0" }, { x: 1, y: 1, words: "", label: "#7" }];
const data = (play) => ({ map: "m", identity: "i", frames, pictures: [], curves: [{ values: [1, 2] }], at: 0, play });
const counted = [];
const first = made();
for (const play of [1, 1]) { first.update({ data: data(play) }); counted.push(starts); }
const again = made(); // the page was left and is there again
for (const play of [1, 2, 0]) { again.update({ data: data(play) }); counted.push(starts); }
again.time = 1;
console.log(JSON.stringify([counted, again.trail().marks.filter(({ kind }) => kind === "focus")[0].label]));
"""


def test_a_trip_plays_once_and_the_trail_names_evaluations_by_their_numbers() -> None:
    done = node(
        "--input-type=module", "-", text=f"globalThis.window = globalThis;\n{joined(MODULES['player'])}{PLAYING}"
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [[1, 1, 1, 2, 2], "#7"]


FOLLOWING = """
const map = Object.assign(Object.create(MapMotion.prototype), {
  data: { key: "b", twin: { key: "a", sameRows: true, track: [[0, 0], [10, 20], null] } },
  index: { xy: [1, 2, 3, 4] }, scene: {}, root: { dataset: {} }, requestDraw() {},
});
const frame = { words: "Stop", replaces: [], lines: [1], marks: [{ x: 7, y: 7, kind: "decoded" }] }, seen = [];
const played = (name, stop, part) => {
  map.playFrame({ map: name, frame, at: { stop, part } });
  seen.push(map.played && map.played.marks.map(({ x, y }) => [x, y]));
};
played("a", 0, 0.5);
played("a", 1, 0);
played("a", 2, 0);
played("other", 0, 0);
played("b", 0, 0);
for (const detail of [{ map: "a", index: 1 }, { map: "other", index: 0 }, { map: "a", index: null }]) {
  map.showTwin(detail);
  seen.push(map.scene.twin);
}
console.log(JSON.stringify(seen));
"""


def test_a_map_shows_what_moves_on_the_one_beside_it_at_its_own_places() -> None:
    done = node("--input-type=module", "-", text=f"{joined(MODULES['latent_map'])}{FOLLOWING}")
    assert done.returncode == 0, done.stderr
    ringed = [[3, 4], [3, 4], None]
    assert json.loads(done.stdout) == [[[5, 10]], [[10, 20]], None, None, [[7, 7]], *ringed]


WATCHED = """
const glides = [];
const map = Object.assign(Object.create(MapMotion.prototype), {
  data: { key: "a" }, scene: {}, root: { dataset: {} }, requestDraw() {}, glide(target) { glides.push(target); },
  size: { width: 200, height: 100 }, camera: { x: 0, y: 0, scale: 10 }, fit: "whole",
});
const at = (x, y) => map.playFrame({ map: "a", frame: { words: "", marks: [{ x, y }] } });
at(9, 4); // 90 pixels right of the middle, 40 above it: in sight
const inside = glides.length;
map.gesture = "pan";
at(11, 0); // a person who moves the map is left alone
const moved = glides.length;
map.gesture = null;
at(0, 6);
at(0, 7); // the map is on its way
console.log(JSON.stringify([inside, moved, glides]));
"""


def test_what_plays_out_of_sight_brings_the_whole_map_back() -> None:
    done = node("--input-type=module", "-", text=f"{joined(MODULES['latent_map'])}{WATCHED}")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [0, 0, ["whole"]]


def test_the_checks_see_what_is_wrong() -> None:
    assert top_level_names("const A = 1, B = 2;\nfunction f() {\n  const c = 1;\n}\nexport class D {}\nlet e = 3;") == [
        "A",
        "B",
        "f",
        "D",
        "e",
    ]
    above = "class A {\n  constructor() {}\n  keep([x]) {\n  }\n  end() {\n  }\n}\n"
    below = "class B extends A {\n  constructor() {\n    super();\n  }\n  end() {\n    super.end();\n  }\n}\n"
    assert hidden_methods(above + below + "class C extends B {\n  keep(marks) {\n    end();\n  }\n}\n") == ["C.keep"]
    assert "already been declared" in syntax_error("const a = 1;\nclass a {}\n")
    assert syntax_error("const a = (;") != ""
    text = """
class Chart { #size = 1; draw({ x, y: [z = size], ...rest }) { return this.size + x + z + rest.y + missing(rest); } }
export default function (parent) {
  try { for (const [key, value] of parent.items) if (key in value) label: while (true) break label; }
  catch (error) { return { key: error.key, [other]: () => arguments.length, Chart }; }
}
"""
    assert undefined_names(text) == ["2: size", "2: missing", "5: other"]
    assert undefined_names("const rows = [1].map((row) => rwo);\nwindow.x = Math.max(...rows);") == ["1: rwo"]
