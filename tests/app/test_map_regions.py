"""Names of regions on the map, and what they say below it."""

import pytest

from tests.support.app_driver import choose, fire, map_data, open_app, words

pytestmark = pytest.mark.usefixtures("environment")


def test_names_stand_on_the_map_with_their_shares_below_until_they_are_taken_off() -> None:
    at = open_app()
    named = map_data(at)["regions"]
    assert named and all(one["name"] and one["reach"] > 0 for one in named)
    assert "What the names on the map say" in [one.label for one in at.expander]
    assert "| name | cells | true of | true of all others |" in words(at)
    at.toggle(key="w-regions").set_value(False).run()
    assert map_data(at)["regions"] == []
    assert "What the names on the map say" not in [one.label for one in at.expander]


def test_a_column_of_trust_colours_the_map_and_can_be_brushed() -> None:
    at = choose(open_app(), "w-colour", "kept-neighbours-pca")
    colour = map_data(at)["colour"]
    assert (colour["title"], colour["unit"]) == ("Neighbours that the PCA map keeps", "%")
    assert "nearest in the latent space" in words(at)
    fire(at, "brush", {"range": [50, None]})
    assert map_data(at)["brush"] == [50.0, 100.0] and "pass the filter" in words(at)


def test_certainty_of_the_decoder_colours_the_map() -> None:
    at = choose(open_app(), "w-colour", "decode-certainty")
    assert map_data(at)["colour"]["title"] == "Decode certainty (power of ten)"
    assert "until one gives another graph" in words(at)
