"""The network of a cell in the panel: computed when it is opened, code in typed sizes, mistakes in words."""

import pytest
from streamlit.testing.v1 import AppTest

from svge_core.errors import SvgeError
from svge_core.network_export import count_parameters
from svge_core.spaces import get_space
from ui.shared import network


def app() -> None:
    from types import SimpleNamespace
    from typing import Any

    import streamlit as st

    from svge_core.exporting import ExportItem
    from svge_core.spaces import get_space
    from ui.shared import network

    space: Any = get_space("nasbench101")
    cell = space.from_index(300_000)

    def items(cells: Any) -> list[ExportItem]:
        st.session_state["asked"] = True
        return [ExportItem(each, 'a "label"') for each in cells]

    explorer: Any = SimpleNamespace(space=space, digest="d", export_items=items)
    network.network_section(explorer, cell)


def opened() -> AppTest:
    page = AppTest.from_function(app)
    page.session_state["network-section"] = True
    return page.run(timeout=120)


def test_a_closed_section_computes_nothing() -> None:
    page = AppTest.from_function(app).run(timeout=120)
    assert not page.exception and not page.code and "asked" not in page.session_state


def test_the_code_is_that_of_the_cell_in_the_sizes_that_are_typed() -> None:
    page = opened()
    assert not page.exception
    assert page.code[0].value.startswith("class Cell(nn.Module):")
    compile(page.code[0].value, "model.py", "exec")
    before = page.markdown[0].value
    page.number_input(key="network-nasbench101-channels").set_value(16).run(timeout=120)
    assert page.markdown[0].value != before and "M** parameters in these sizes" in before


def test_sizes_that_cannot_be_are_refused_in_words() -> None:
    page = opened()
    page.number_input(key="network-nasbench101-channels").set_value(1).run(timeout=120)
    assert not page.exception
    assert [error.value for error in page.error] and "Expected channels to be at least" in page.error[0].value
    assert not page.code


def test_a_network_that_is_too_large_for_the_server_is_not_made() -> None:
    page = opened()
    page.number_input(key="network-nasbench101-channels").set_value(1000).run(timeout=120)
    assert "are not made here" in page.warning[0].value and not page.button


def test_layers_are_repeated_no_more_often_than_counting_them_stays_quick() -> None:
    page = opened()
    cells = page.number_input(key="network-nasbench101-cells_per_stage")
    assert cells.max == 20
    space, before = get_space("nasbench101"), page.markdown[0].value
    cells.set_value(20).run(timeout=120)
    expected = count_parameters(space, space.from_index(300_000), cells_per_stage=20)
    assert f"**{expected / 1e6:,.3f} M** parameters" in page.markdown[0].value
    # a value that no browser sends is not counted
    page.number_input(key="network-nasbench101-cells_per_stage").set_value(1000).run(timeout=120)
    assert not page.exception and page.markdown[0].value == before


def test_one_zip_is_made_at_a_time_and_a_failed_one_gives_its_place_back(monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened()
    with network._MAKING:
        page.button(key="network-make").click().run(timeout=120)
        assert "making another zip" in page.warning[0].value and "network_files" not in page.session_state

    def fail(*_: object, **__: object) -> None:
        raise SvgeError("no room for it")

    monkeypatch.setattr(network, "network_files", fail)
    page.button(key="network-make").click().run(timeout=120)
    assert not page.exception and not page.warning and "no room for it" in page.error[0].value
    assert not network._MAKING.locked()
