"""Parts of the cell panel on their own."""

from streamlit.testing.v1 import AppTest


def test_a_network_whose_size_depends_on_the_order_of_the_vertices_has_a_range() -> None:
    def app() -> None:
        from svge_core.spaces import Cost
        from ui.shared.cell_panel import network_size

        network_size(Cost(2.67515, 700.0, "a network", (2.640554, 2.67515)))
        network_size(Cost(8.55553, 900.0, "a network"))

    ranged, single = AppTest.from_function(app).run(timeout=60).markdown
    assert ranged.value == "**2.675 M** parameters (2.641 to 2.675 M) · **700.0 M** FLOPs"
    assert "The published count is one of them." in ranged.help
    assert single.value == "**8.556 M** parameters · **900.0 M** FLOPs"
    assert single.help == "Follows from the structure: a network. FLOPs are multiply-accumulates."
