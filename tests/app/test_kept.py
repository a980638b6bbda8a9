"""What a person made is kept: in the store of browsers, in session files, over reloads; and undo and redo."""

import os
from pathlib import Path

import pytest

from svge_core.atlas import PlaneName
from svge_core.explorer.selection import CellFilter
from tests.support.app_driver import App, choose, click_map, fire, focus, open_app, press, rerun, words
from tests.support.sessions import CSV, NAMES, SPACE, SQUARE, aside, own, session_of
from ui.kept import browser
from ui.kept.document import Kept, write_session
from ui.kept.store import KeptSessions
from ui.shared.choices import CellFocus, Lasso, MapDisplay, PlaceFocus

# ---- the app ----------------------------------------------------------------------------------------------------


@pytest.fixture
def at_home(environment: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every opening of the app is a visit of one browser that has been here before."""
    monkeypatch.setenv("SVGE_RUNS", str(tmp_path))
    monkeypatch.setattr(browser, "secret_of_browser", lambda: "s" * 32)


def upload(at: App, content: bytes = CSV) -> App:
    at.get_by_key("w-csv").upload("mine.csv", content, "text/csv")
    rerun(at)
    return rerun(at)


def outline(at: App) -> App:
    return fire(at, "lasso", {"polygon": [list(corner) for corner in SQUARE]})


@pytest.mark.usefixtures("at_home")
def test_a_reload_keeps_basket_own_scores_lasso_filter_colour_and_focus() -> None:
    at = click_map(open_app(), 0.0, 0.0, index=2)
    press(at, "basket-add")
    upload(at)
    outline(at)
    choose(at, "w-held-out", True)
    again = open_app()
    assert focus(again) == CellFocus(2)
    assert [entry.notation for entry in again.session_state["basket"]] == [SPACE.format(SPACE.from_index(2))]
    assert again.session_state["user_scores"].scores.of(3) == {"user_my_score": 1e300, "user_loss": 0.5}
    assert again.get_by_key("w-colour").value == "user_my_score"
    assert again.session_state["map_lasso"] == at.session_state["map_lasso"] is not None
    assert "Selection:" in words(again) and "mine.csv" in words(again)
    assert again.session_state["map_filter"] == CellFilter(held_out_only=True)


@pytest.mark.usefixtures("environment")
def test_who_was_never_here_finds_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SVGE_RUNS", str(tmp_path))
    press(click_map(open_app(), 0.0, 0.0, index=2), "basket-add")
    again = open_app()
    assert focus(again) is None and "basket" not in again.session_state


@pytest.mark.usefixtures("environment")
def test_a_visit_alone_writes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SVGE_RUNS", str(tmp_path))
    open_app(space="nasbench201", cell="7")
    assert not list(tmp_path.glob("sessions/*/*"))


@pytest.mark.usefixtures("at_home")
def test_a_link_wins_over_what_was_shown_before() -> None:
    press(click_map(open_app(), 0.0, 0.0, index=2), "basket-add")
    at = open_app(space="nasbench201", cell="9")
    assert focus(at) == CellFocus(9) and len(at.session_state["basket"]) == 1


@pytest.mark.usefixtures("at_home")
def test_a_link_without_a_word_on_the_look_shows_the_usual_one() -> None:
    choose(choose(open_app(), "w-scale", "values"), "w-regions", False)
    own_look = MapDisplay("values", regions=False)
    at = rerun(open_app())
    assert at.session_state["map_display"] == own_look, "kept for this browser"
    assert at.query_params["regions"] == "0" and at.query_params["scale"] == "values"
    assert rerun(open_app(colour="cifar10_valid")).session_state["map_display"] == MapDisplay()


@pytest.mark.usefixtures("at_home")
def test_a_session_goes_to_a_file_and_comes_back_from_it() -> None:
    at = outline(click_map(open_app(), 0.0, 0.0, index=2))
    press(at, "basket-add")
    saved = write_session(session_of(basket=aside(4), cell=5, own=own(), checkpoint="tiny"))
    at.get_by_key("session-file").upload("s.json", saved, "application/json")
    press(rerun(at), "session-open")
    assert "s.json is open" in words(at) and focus(at) == CellFocus(5)
    assert [entry.notation for entry in at.session_state["basket"]] == [NAMES[4]]
    assert focus(open_app()) == CellFocus(5)  # and it is kept
    press(at, "session-before")
    assert focus(at) == CellFocus(2) and at.session_state["map_lasso"] is not None
    assert [entry.notation for entry in at.session_state["basket"]] == [SPACE.format(SPACE.from_index(2))]
    assert focus(open_app()) == CellFocus(2)


@pytest.mark.usefixtures("at_home")
def test_a_file_that_is_no_session_changes_nothing() -> None:
    at = press(click_map(open_app(), 0.0, 0.0, index=2), "basket-add")
    at.get_by_key("session-file").upload("s.json", b"{}", "application/json")
    press(rerun(at), "session-open")
    assert "The session is damaged" in words(at)
    assert focus(at) == CellFocus(2) and len(at.session_state["basket"]) == 1


@pytest.mark.usefixtures("at_home")
def test_a_fresh_start_can_be_taken_back() -> None:
    at = press(click_map(open_app(), 0.0, 0.0, index=2), "basket-add")
    press(at, "session-afresh")
    assert focus(at) is None and at.session_state["basket"] == ()
    assert focus(open_app()) is None
    press(at, "session-before")
    assert focus(at) == CellFocus(2) and len(at.session_state["basket"]) == 1
    assert focus(open_app()) == CellFocus(2)


@pytest.mark.usefixtures("at_home")
def test_what_cannot_be_kept_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    at = open_app()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(KeptSessions, "save", full)
    press(click_map(at, 0.0, 0.0, index=2), "basket-add")
    rerun(at)
    assert "What you make cannot be kept here: No space left on device" in words(at)
    monkeypatch.undo()


@pytest.mark.usefixtures("at_home")
def test_what_cannot_be_kept_is_said_at_once_in_the_map_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A click on the map runs its part of the page alone; the line stands in the sidebar."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    at = open_app()
    monkeypatch.setattr(KeptSessions, "save", full)
    click_map(at, 0.0, 0.0, index=2)
    assert at.session_state["refresh_all"] or "cannot be kept here" in words(at)
    monkeypatch.undo()
    click_map(rerun(at), 0.0, 0.0, index=3)
    assert "cannot be kept here" not in words(rerun(at))


@pytest.mark.usefixtures("at_home")
def test_a_fresh_start_that_cannot_reach_the_store_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    at = press(click_map(open_app(), 0.0, 0.0, index=2), "basket-add")
    monkeypatch.setattr(KeptSessions, "forget", refused)
    press(at, "session-afresh")
    assert "keeps for your browser cannot be deleted: Permission denied" in words(at)
    assert not at.exception and at.session_state["basket"] == ()


@pytest.mark.usefixtures("at_home")
def test_a_decoded_place_is_there_again_and_is_no_step() -> None:
    """The address rounds it, the store does not."""
    at = click_map(open_app(), 0.123456789, 0.25)
    place = focus(at)
    assert isinstance(place, PlaceFocus) and place.x == 0.123456789
    again = open_app(space="nasbench201", plane=place.plane, x="0.123457", y="0.25")
    assert focus(again) == place and again.get_by_key("undo").disabled
    moved = open_app(space="nasbench201", plane=place.plane, x="0.123458", y="0.25")
    assert focus(moved) == PlaceFocus(place.plane, 0.123458, 0.25) and not moved.get_by_key("undo").disabled


@pytest.mark.usefixtures("at_home")
@pytest.mark.parametrize("plane", ["umap", "pca"])
def test_places_of_a_checkpoint_that_is_gone_are_dropped_and_cells_stay(plane: PlaneName) -> None:
    KeptSessions(Path(os.environ["SVGE_RUNS"]) / "sessions").save(
        "s" * 32,
        session_of(checkpoint="gone", lasso=Lasso(plane, SQUARE), place=PlaceFocus(plane, 0.0, 0.0), basket=aside(3)),
        Kept(),
    )
    at = open_app()
    assert focus(at) is None and at.session_state["map_lasso"] is None and len(at.session_state["basket"]) == 1
    assert "The checkpoint 'gone' of NAS-Bench-201 is not here; the lasso or place" in words(at)


@pytest.mark.usefixtures("at_home")
@pytest.mark.parametrize("key", ["", "nope"])
def test_a_filter_by_a_column_that_is_not_there_is_a_line_and_can_be_removed(key: str) -> None:
    saved = write_session(session_of(checkpoint="tiny", filter=CellFilter(key, (0.0, 1.0))))
    at = open_app()
    at.get_by_key("session-file").upload("s.json", saved, "application/json")
    press(rerun(at), "session-open")
    assert "The filter cannot be applied" in words(at) and "Remove it under Filter" in words(at)
    click_map(at, 0.0, 0.0, index=2)
    assert "The filter cannot be applied" in words(at)  # as long as it is there
    press(at, "w-filter-reset")
    assert "The filter cannot be applied" not in words(at)


@pytest.mark.usefixtures("environment")
def test_a_place_beyond_every_map_is_a_line() -> None:
    assert "The link's x and y are not both numbers" in words(open_app(space="nasbench201", x="1e300", y="0"))


@pytest.mark.usefixtures("at_home")
def test_undo_and_redo_leave_what_another_tab_put_aside() -> None:
    def numbers(at: App) -> set[int]:
        return {SPACE.index(SPACE.parse(entry.notation)) for entry in at.session_state["basket"]}

    at = press(click_map(open_app(), 0.0, 0.0, index=2), "basket-add")
    other = press(click_map(open_app(), 0.0, 0.0, index=9), "basket-add")
    assert numbers(other) == {2, 9}
    press(at, "undo")
    assert numbers(at) == numbers(open_app()) == {9}
    press(at, "redo")
    assert numbers(at) == numbers(open_app()) == {2, 9}
    other = open_app()
    press(other, "basket-drop-" + SPACE.format(SPACE.from_index(9)))
    press(at, "undo")  # of the basket's first: what the other tab took out does not come back with a redo
    press(at, "redo")
    assert numbers(at) == numbers(open_app()) == {2}


# ---- undo and redo ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("at_home")
def test_undo_and_redo_go_through_focus_basket_lasso_filter_and_own_scores() -> None:
    at = open_app()
    assert at.get_by_key("undo").disabled and at.get_by_key("redo").disabled

    def state() -> tuple[object, ...]:
        values = [next((at.session_state[k] for k in [key] if k in at.session_state), None) for key in KEYS]
        return tuple(None if value in ((), CellFilter()) else value for value in values)

    seen = [state()]
    for step in (
        lambda: click_map(at, 0.0, 0.0, index=2),
        lambda: press(at, "basket-add"),
        lambda: outline(at),
        lambda: choose(at, "w-held-out", True),
        lambda: upload(at),
        lambda: press(at, "w-csv-drop"),
        lambda: fire(at, "clear", {"seq": 3}),
    ):
        step()
        seen.append(state())
    assert all(one != other for one, other in zip(seen, seen[1:], strict=False))
    for wanted in reversed(seen[:-1]):
        press(at, "undo")
        assert state() == wanted
    assert at.get_by_key("undo").disabled
    for wanted in seen[1:]:
        press(at, "redo")
        assert state() == wanted
    assert at.get_by_key("redo").disabled
    assert focus(open_app()) is None  # what is kept is what is shown


KEYS = ("focus", "basket", "map_lasso", "map_filter", "user_scores")


@pytest.mark.usefixtures("environment")
def test_a_cleared_basket_comes_back_on_any_page() -> None:
    at = press(click_map(open_app(), 0.0, 0.0, index=2), "basket-add")
    at.switch_page("pages/results.py").run()
    press(at, "basket-clear")
    assert at.session_state["basket"] == ()
    press(at, "undo")
    assert len(at.session_state["basket"]) == 1
