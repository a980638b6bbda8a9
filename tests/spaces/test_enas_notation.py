"""An ENAS cell by every door: what a person types, links, files, the basket, graph libraries, drawings.

The space has indices but is not enumerated, so nothing may look for a table or a map row of all its cells.
"""

import json
from xml.etree import ElementTree

import numpy as np
import pytest

from svge_core.data.catalog import analytic_scores
from svge_core.data.csv.scores import import_csv
from svge_core.drawing.dot import to_png, to_svg
from svge_core.drawing.palette import THEMES, operation_label
from svge_core.errors import DataError, SvgeError
from svge_core.evaluation.metrics import uniform_uniqueness
from svge_core.explorer.selection import find_cell
from svge_core.exporting.document import ExportItem, from_json, item_for, to_json
from svge_core.exporting.graphs import from_data, from_networkx, space_dataset, to_data, to_networkx
from svge_core.exporting.writers import to_csv, to_zip
from svge_core.spaces import ENASMacro
from svge_core.spaces.registry import get_space
from ui.shared.basket import entry_for, imported, indices_of
from ui.shared.choices import CellFocus
from ui.shared.links import parse_link

SPACES = [space for space in (get_space("enas6"), get_space("enas12")) if isinstance(space, ENASMacro)]
each_space = pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
# the second largest index has as many digits as there are
INDICES = {"enas6": (0, 7, 1_528_823_806), "enas12": (0, 7, 6**12 * 2**66 - 2)}


@each_space
def test_a_cell_is_found_by_any_of_its_names(space: ENASMacro) -> None:
    for index in INDICES[space.name]:
        cell = space.from_index(index)
        digits = [str(gene) for gene in space.genotype(cell)]
        text = space.format(cell)
        for name in (text, text.replace(" ", ""), "".join(digits), " ".join(digits), str(index), f"# {index}"):
            assert find_cell(space, name) == cell


@each_space
@pytest.mark.parametrize("text", ["garbage", "", "1 2 3", "-1", "[[1], [4, 0]]", "9" * 40, "9" * 2_001])
def test_what_is_no_cell_is_one_line_of_words(space: ENASMacro, text: str) -> None:
    reason = space.title if text and len(text) < 2_000 else "Type an architecture"
    with pytest.raises(SvgeError, match=reason) as caught:
        find_cell(space, text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@each_space
def test_links_name_cells_by_index(space: ENASMacro) -> None:
    for index in INDICES[space.name]:
        assert parse_link({"space": space.name, "cell": str(index)}).focus == CellFocus(index)
    for text in (str(space.size), "9" * 5_000, "-1", "²"):
        link = parse_link({"space": space.name, "cell": text})
        assert link.focus is None
        assert len(link.problems) == 1
        assert len(link.problems[0]) < 150


@each_space
def test_json_and_basket_round_trip(space: ENASMacro) -> None:
    cells = [space.from_index(index) for index in INDICES[space.name]]
    items = [item_for(cell, space, analytic_scores(space), label=f"cell {n}") for n, cell in enumerate(cells)]
    text = to_json(items, space)
    assert from_json(text) == (space, tuple(items))
    assert [cell["index"] for cell in json.loads(text)["cells"]] == list(INDICES[space.name])
    entries = imported(text.encode(), space)
    assert entries == tuple(entry_for(space, cell, f"cell {n}") for n, cell in enumerate(cells))
    assert indices_of(entries, space) == list(INDICES[space.name])
    assert len(to_csv(items, space).splitlines()) == 4
    assert to_zip(items[:1], space).startswith(b"PK")


def test_a_changed_genotype_in_a_document_is_noticed() -> None:
    space = SPACES[0]
    document = json.loads(to_json([ExportItem(space.from_index(7))], space))
    document["cells"][0]["index"] = 8
    with pytest.raises(DataError, match="index: its notation says 7, but the document has 8"):
        from_json(json.dumps(document))


@each_space
def test_graph_libraries_give_the_cell_back(space: ENASMacro) -> None:
    rng = np.random.default_rng(0)
    for cell in [space.random_cell(rng) for _ in range(20)]:
        assert from_networkx(to_networkx(cell)) == cell
        assert from_data(to_data(cell, space), space) == cell
    with pytest.raises(DataError, match="is not enumerated: convert single cells"):
        space_dataset(space)


@each_space
def test_there_is_no_table_of_all_cells(space: ENASMacro) -> None:
    assert len(analytic_scores(space).frame) == 0
    lines = [f'"{space.format(space.from_index(i))}",0.7{i % 10}' for i in INDICES[space.name]]
    found = import_csv(space, "\n".join(["arch_str,accuracy", *lines]).encode())
    assert not found.rejected
    assert found.cells == tuple(space.from_index(i) for i in INDICES[space.name])
    assert list(found.frame.index) == [0, 1, 2]
    by_index = import_csv(space, "\n".join(["index,accuracy", *(f"{i},0.5" for i in INDICES[space.name])]).encode())
    assert by_index.cells == found.cells
    with pytest.raises(DataError, match="too many for a list"):
        found.to_scores(space)


def test_uniform_uniqueness_of_huge_spaces() -> None:
    # the chance of a repeat is that of a birthday: draws squared over twice the size
    assert uniform_uniqueness(6**12 * 2**66, 10_000) == pytest.approx(1.0)
    assert 1 - uniform_uniqueness(SPACES[0].size, 10_000) == pytest.approx(9_999 / 2 / 1_528_823_808, rel=1e-3)


@each_space
@pytest.mark.parametrize("theme", list(THEMES))
def test_drawings_show_every_layer_and_skip(space: ENASMacro, theme) -> None:
    cell = space.random_cell(np.random.default_rng(1))
    root = ElementTree.fromstring(to_svg(cell, space, theme=theme))
    groups = [group.attrib for group in root.iter("{http://www.w3.org/2000/svg}g")]
    assert sum("data-node" in group for group in groups) == space.max_nodes
    assert {g["data-edge"] for g in groups if "data-edge" in g} == {f"{u}-{v}" for u, v in cell.edges}
    texts = list(root.iter("{http://www.w3.org/2000/svg}text"))
    assert sorted(text.text or "" for text in texts) == sorted(map(operation_label, cell.ops))
    across = [float(text.attrib["x"]) for text in texts]
    assert max(across) - min(across) < 2, "the layers stand in one column"
    assert to_png(cell, space, theme=theme, dpi=48).startswith(b"\x89PNG")
