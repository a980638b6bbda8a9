"""The panel beside the map: the cell in focus, drawn, with what is measured, what is predicted, and how sure that is.

Measured and predicted numbers never look alike: measured ones are bold and plain, predicted ones are violet, slanted,
marked with ≈ and stand with their interval in a column of their own.
"""

from collections.abc import Callable

import streamlit as st

from svge_core.cells import Cell
from svge_core.data import USUAL_EPOCHS, PredictionRow, ScoreMeaning, score_name
from svge_core.drawing import to_svg
from svge_core.evaluation import Share
from svge_core.explorer import (
    Explorer,
    Inspection,
    KnownValue,
    Membership,
    NearCell,
    cell_name,
    place_in_words,
    short_name,
)
from svge_core.spaces import AbstractSearchSpace, Cost
from ui.shared import inspecting, opening, reruns, session
from ui.shared.basket import entry_for
from ui.shared.cell_figure import cell_figure
from ui.shared.choices import BASKET_CAP, BasketEntry, CellFocus, Focus, PlaceFocus
from ui.shared.comparing import compare_button
from ui.shared.network import network_section
from ui.shared.numbers import number_in_words
from ui.shared.path_buttons import path_buttons
from ui.shared.steps import undo_and_redo
from ui.shared.theme import plain, theme_name
from ui.shared.widgets import show_drawing

BASKET_LINE = "basket"
_WELCOME = (
    "**Click a point** to see that architecture. **Click empty space** to see what the model decodes there; "
    "with Alt held, exactly there, even on a point.\n\n"
    "**Draw a lasso** (button on the map, or drag with Shift) to list and export a region. "
    "Arrow keys walk, `+` and `-` zoom, `0` shows everything, Esc clears."
)
MEMBERSHIP: dict[Membership, str] = {
    "training": ":gray-badge[VAE trained on it]",
    "held out": ":blue-badge[held out]",
    "not held out": ":gray-badge[not held out]",
}


def inspect_focus(explorer: Explorer, focus: Focus) -> Inspection:
    """What there is to say about the focus; kept until the focus changes."""
    chosen = session.plane()
    return reruns.memo(
        "inspection", (explorer.digest, focus, chosen), lambda: inspecting.inspected(explorer, focus, chosen)
    )


def cell_panel(
    explorer: Explorer,
    shown_key: str,
    more: Callable[[Cell], None] | None = None,
    opened: CellFocus | None = None,
    *,
    welcome: str = "",
) -> None:
    """Show the focus.

    Args:
        explorer: what is known about the space.
        shown_key: score that the list of neighbours shows.
        more: shows what else can be done with a valid cell, below its numbers.
        opened: what is shown while nothing is chosen, if anything.
        welcome: what to do while nothing is chosen; that of the map by default.
    """
    focus = session.focus() or opened
    _history_bar(focus, explorer)
    if focus is None:
        st.markdown(welcome or _WELCOME)
        return
    if opened is not None:
        st.caption("Shown first, as the best. **Click a point** to see another cell, **empty space** to decode it.")
    found = inspect_focus(explorer, focus)
    if found.cell is not None:
        with st.container(horizontal=True, gap="small", key="cell-acts"):
            path_buttons(found.index)
            compare_button(explorer.space, found.cell)
            cell_figure(explorer, found.cell)
    st.markdown(_badges(found))
    if found.cell is None:
        st.warning(f"The decoder gives no member of {explorer.space.title} here. {plain(found.reason)}")
    else:
        svg = to_svg(found.cell, explorer.space, theme=theme_name())
        show_drawing(svg, alt=f"Drawing of the cell {found.notation}")
        if table := values_table(found):
            with st.container(key="cell-values"):
                st.markdown(table)
        structure(found)
        if more is not None:
            more(found.cell)
    _decoding(found, focus)
    _neighbours(explorer, found.neighbours, shown_key)
    if found.cell is not None:
        names(found, explorer.space)
        network_section(explorer, found.cell)
        _other_values(found)


def _history_bar(focus: Focus | None, explorer: Explorer) -> None:
    """Title, undo and redo, and the basket's button."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="panel-head"):
        st.markdown(f"##### {_title(focus, explorer)}", width="stretch")
        undo_and_redo()
        if session.focus() is not None:  # what is shown before anything was chosen covers nothing
            st.button(
                "Close",
                key="panel-close",
                icon=":material/close:",
                type="tertiary",
                help="Show no cell (Esc on the map)",
                on_click=_close,
            )
        if focus is not None and (found := inspect_focus(explorer, focus)).cell is not None:
            entry = entry_for(explorer.space, found.cell)
            inside = entry.notation in {other.notation for other in session.basket()}
            st.button(
                "In basket" if inside else "Basket",
                key="basket-add",
                icon=":material/add_shopping_cart:",
                disabled=inside,
                help="Put this architecture into the basket",
                on_click=add_to_basket,
                args=(entry,),
            )


def _close() -> None:
    """A callback: as Esc on the map, show no cell."""
    opening.close()
    session.set_focus(None)


def add_to_basket(entry: BasketEntry) -> None:
    """A callback: put an architecture aside; the sidebar shows it at once."""
    reruns.refresh_all()
    _, full = session.add_to_basket((entry,))
    if full:
        session.say(BASKET_LINE, f"The basket is full: it holds {BASKET_CAP} architectures.")


def _title(focus: Focus | None, explorer: Explorer) -> str:
    if focus is None:
        return "Nothing chosen"
    found = inspect_focus(explorer, focus)
    known = found.index is not None or found.row is not None
    if isinstance(focus, CellFocus):
        return f"Cell {short_name(found.index, found.row)}"
    return f"Decoded: cell {short_name(found.index, found.row)}" if known else "Decoded here"


def _badges(found: Inspection) -> str:
    """Validity, how the cell relates to training, sparse zone: words with colour, never colour alone."""
    badges = []
    if found.origin == "cell":
        badges.append(":green-badge[valid cell]")
    elif found.cell is None:
        badges.append(":red-badge[not a valid cell]")
    else:
        badges.append(
            ":green-badge[valid cell]" if found.raw.valid else ":orange-badge[valid only with constrained decoding]"
        )
    if found.membership is not None:
        badges.append(MEMBERSHIP[found.membership])
    if found.origin == "cell" and found.row is None:
        badges.append(":gray-badge[not on the map]")
    if any(found.label_used):
        badges.append(":orange-badge[its label trained the predictor]")
    if found.place.sparse:
        badges.append(":red-badge[sparse zone]")
    return " ".join(badges)


def _trained(meaning: ScoreMeaning) -> bool:
    """A validation accuracy of the cell's own training; one with shared weights has no epochs."""
    return meaning.role == "accuracy" and meaning.epochs is not None


def _is_main(meaning: ScoreMeaning) -> bool:
    return meaning.role == "accuracy" or meaning.origin == "user"


def values_table(found: Inspection) -> str:
    """One row per score that is a goal, measured and predicted in columns of their own; a user's own below."""
    predicted = {p.score: p for p in found.predicted}
    used = {p.score for p, mark in zip(found.predicted, found.label_used, strict=True) if mark}
    known = {value.meaning.key: value for value in found.known if _is_main(value.meaning)}
    if not known and not predicted:
        return ""
    meanings = {**{key: value.meaning for key, value in known.items()}, **found.meanings}
    own = {key: meaning for key, meaning in meanings.items() if meaning.origin == "user"}
    rest = {key: meaning for key, meaning in meanings.items() if key not in own}
    accuracies = all(_trained(meaning) for meaning in rest.values())
    parts = (("Validation accuracy" if accuracies else "Score", rest), ("Own scores", own))
    return "\n\n".join(_rows(title, part, known, predicted, used) for title, part in parts if part)


def _rows(
    title: str,
    meanings: dict[str, ScoreMeaning],
    known: dict[str, KnownValue],
    predicted: dict[str, PredictionRow],
    used: set[str],
) -> str:
    rows = [f"| {title} | measured |", "|:---|---:|"]
    predicted = {key: value for key, value in predicted.items() if key in meanings}
    if predicted:
        level = 100 * next(iter(predicted.values())).level
        rows = [f"{rows[0]} :violet[*predicted, {level:.0f} % interval*] |", f"{rows[1]}---:|"]
    for key, meaning in meanings.items():
        measured = f"**{_number(known[key].value, meaning)}**" if key in known else "unknown"
        interval = (
            f" {_interval(predicted[key], meaning.unit, key in used) if key in predicted else ''} |"
            if predicted
            else ""
        )
        rows.append(f"| {_row_title(meaning)} | {measured} |{interval}")
    return "\n".join(rows)


def _other_values(found: Inspection) -> None:
    """Times, latencies and what explains the accuracies."""
    others = [v for v in found.known if not _is_main(v.meaning) and v.meaning.kind == "measured"]
    if others:
        with st.expander("Latency, training time, single runs"):
            rows = [f"| {_row_title(v.meaning)} | {_number(v.value, v.meaning)} |" for v in others]
            st.markdown("\n".join(["| measured | |", "|:---|---:|", *rows]))


def _interval(p: PredictionRow, unit: str, label_used: bool) -> str:
    mark = " †" if label_used else ""
    mean, low, high = (plain(number_in_words(value, unit)) for value in (p.mean, p.low, p.high))
    return f":violet[*≈ {mean}* ({low} to {high}){mark}]"


def _row_title(meaning: ScoreMeaning) -> str:
    """Short, with the data set; the full meaning stands under the map when the score colours it."""
    if meaning.origin == "user":
        return plain(meaning.title)
    if _trained(meaning):
        unusual = meaning.epochs not in (None, *USUAL_EPOCHS)
        return plain(meaning.data_set + (f", {meaning.epochs} epochs" if unusual else ""))
    return plain(score_name(meaning))


def _number(value: float, meaning: ScoreMeaning, million: str = "million") -> str:
    unit = million if meaning.unit == "million" else meaning.unit
    return plain(f"{number_in_words(value, meaning.unit)} {unit}".strip())


def network_size(cost: Cost) -> None:
    """Parameters, their range where the order of the vertices decides them, and FLOPs."""
    size, words = f"**{cost.params_m:.3f} M** parameters", "FLOPs are multiply-accumulates."
    if cost.params_range_m is not None:
        fewest, most = cost.params_range_m
        size += f" ({fewest:.3f} to {most:.3f} M)"
        words += (
            " In brackets: the counts of all orders in which the vertices may be written down, which decide who gets "
            "the channels that do not divide evenly. The published count is one of them."
        )
    st.markdown(f"{size} · **{cost.flops_m:.1f} M** FLOPs", help=f"Follows from the structure: {cost.network}. {words}")


def structure(found: Inspection) -> None:
    """Size of its network, and by what its scores are predicted."""
    if found.cost is not None:
        network_size(found.cost)
    if sizes := [v for v in found.known if v.meaning.kind == "analytic" and v.meaning.role == "other"]:
        words = " ".join(f"{v.meaning.title}: {v.meaning.source}." for v in sizes)
        st.markdown(" · ".join(f"{plain(v.meaning.title)} **{v.value:.4g}**" for v in sizes), help=plain(words))
    notes = {p.model: None for p in found.predicted}
    used = any(found.label_used)
    if notes:
        words = f"Predicted by: {'; '.join(notes)}."
        if used:
            words += " † This cell's own measured label was among them, so its prediction is no test."
        st.caption(plain(words))


def _decoding(found: Inspection, focus: Focus) -> None:
    """Where it stands, how far known cells are, how sure the decoder is."""
    certainty, lines = found.certainty, []
    where = place_in_words(found.place, found.origin, charted=found.row is not None)
    if isinstance(focus, PlaceFocus):
        where += f" (Position {focus.x:.3f}, {focus.y:.3f}.)"
    if found.place.sparse:
        st.warning(plain(where), icon=":material/explore_off:")
    else:
        lines.append(where)
    if found.origin == "cell":
        back = "comes back" if found.comes_back else "comes back as another cell"
        lines.append(f"Encoded and decoded, this cell {back}; {_of(certainty.shown)} random decodings give it.")
    else:
        lines.append(f"{_of(certainty.shown)} random unconstrained decodings give this cell.")
        if not found.raw.valid:
            lines.append(f"Unconstrained, the likeliest graph is invalid: {found.raw.reason}")
    if certainty.modal_cell is not None and certainty.modal_cell != found.cell:
        lines.append(f"The commonest gives another one ({_of(certainty.modal)}).")
    alike = "all the same cell" if certainty.distinct == 1 else f"{certainty.distinct} different cells"
    lines.append(f"{_of(certainty.valid)} are valid{f', {alike}' if certainty.distinct else ''}.")
    st.caption(plain(" ".join(lines)))


def _of(share: Share) -> str:
    return f"{share.count} of {share.of}"


def _neighbours(explorer: Explorer, neighbours: tuple[NearCell, ...], shown_key: str) -> None:
    """The nearest known cells, as buttons that move the focus."""
    if not neighbours:
        return
    meaning = explorer.scores.meanings.get(shown_key)
    stored = None if meaning or shown_key not in explorer.predicted_keys else explorer.stored_predictions[shown_key]
    what = f", with measured {plain(score_name(meaning))}" if meaning and meaning.kind == "measured" else ""
    if stored is not None:
        what = f", with :violet[*predicted*] {plain(score_name(explorer.meaning(shown_key)))}"
    atlas = explorer.atlas
    by = f"the last {atlas.latents.shape[1] - atlas.first} numbers of the latent" if atlas.first else "latent distance"
    st.markdown(f"**Nearest known cells** by {by}{what}")
    with st.container(gap=None, key="neighbours"):
        for rank, near in enumerate(neighbours, start=1):
            value = explorer.scores.of(near.row).get(shown_key)
            shown = (
                ""
                if stored is None
                else f" · :violet[*≈ {number_in_words(stored.mean[near.row], explorer.meaning(shown_key).unit)}*]"
            )
            if value is not None and meaning is not None:
                shown = f" · {_row_title(meaning)} {_number(value, meaning, 'M')}"
            name = short_name(near.index, near.row)
            st.button(
                f"{rank}\\. **{name}**{shown} :gray[· distance {near.distance:.2f}{_edits(near.edits)}]",
                key=f"near-{rank}",
                type="tertiary",
                width="stretch",
                help=plain(explorer.space.format(near.cell)),
                on_click=session.set_focus,
                args=(CellFocus(cell_name(explorer.space, near.cell)),),
            )


def _edits(edits: int | None) -> str:
    if edits is None:
        return ""
    return " · the same cell" if edits == 0 else f" · {edits} edit{'s' if edits > 1 else ''}"


def names(found: Inspection, space: AbstractSearchSpace) -> None:
    """The cell in every notation there is for it."""
    st.code(found.notation, language=None, wrap_lines=True)
    for alias in found.aliases:
        if alias.long:
            st.code(alias.text, language=None)
            st.caption(alias.title)
    parts = []
    if found.index is not None:  # without one, the notation is the genotype
        digits = ("" if space.digits_joined else " ").join(map(str, found.genotype))
        parts = [f"index `{found.index}`", f"genotype `{digits}`"]
    parts += [f"{alias.title} `{alias.text}`" for alias in found.aliases if not alias.long]
    if parts:
        st.caption(" · ".join(parts))
