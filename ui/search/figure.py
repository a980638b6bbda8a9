"""Races as figures for papers: best so far or the gap to the optimum, and Pareto fronts."""

from collections.abc import Callable
from functools import partial

from svge_core.figures.paper import PaperFigure, front_sheet, race_sheet
from svge_core.search import Lineup
from svge_core.search.runs import DEFAULT_STORAGE, storage_url
from ui import paths
from ui.search.state import storage_in_words
from ui.shared.figure_button import FigureOffer, figure_button


def race_figure(lineup: Lineup, goal: int = 0, *, gap: bool = False) -> None:
    """Show the button below a chart of the best so far."""
    words = [*(["--goal", str(goal + 1)] if goal else []), *(["--gap"] if gap else [])]
    make, given = partial(race_sheet, lineup, goal=goal, regret=gap), f"goal={goal}, gap={gap}"
    figure_button("race", partial(_offer, lineup, "race", make, words, given))


def fronts_figure(lineup: Lineup, across: int, up: int) -> None:
    """Show the button below a chart of fronts."""
    words, given = ["--across", str(across + 1), "--up", str(up + 1)], f"across={across}, up={up}"
    make = partial(front_sheet, lineup, across=across, up=up)
    figure_button("front", partial(_offer, lineup, "front", make, words, given))


def _offer(lineup: Lineup, kind: str, make: Callable[..., PaperFigure], words: list[str], given: str) -> FigureOffer:
    """What stands behind the button.

    Args:
        lineup: the drawn runs.
        kind: of the figure.
        make: draws it in a width.
        words: of the command, without races and store.
        given: of the Python call, likewise.
    """
    shown = [(label, views[0].config) for label, views in lineup if views]
    names = [f"{config.space}/{config.race}" if config.race else config.name for _, config in shown]
    parts = []
    for label, config in shown:
        runs = (
            f"races[{config.space!r}, {config.race!r}]" if config.race else f"[search.read_run(store, {config.name!r})]"
        )
        parts.append(f"{label!r}: {runs}" if len(shown) > 1 else runs)
    runs = f"{{{', '.join(parts)}}}" if len(parts) > 1 else "".join(parts)
    lines = ["import svge_core as svge", "from svge_core import search", "", f"store = {_storage()!r}"]
    if any(config.race for _, config in shown):
        lines += [
            "races = {}",
            "for run in search.list_runs(store):",
            "    found = races.setdefault((run.config.space, run.config.race), [])",
            "    found.append(search.read_run(store, run.name))",
        ]
    call = "\n".join([*lines, f"svge.figure_{kind}({runs}, {given}, width="]).replace("{", "{{").replace("}", "}}")
    option = [] if _storage() == DEFAULT_STORAGE else ["--storage", _storage()]
    name = f"{shown[0][1].space}-{kind}" if shown else kind
    return FigureOffer(kind, name, make, [*names, *option, *words], f"{call}{{width}}, path={{path}})")


def _storage() -> str:
    """The URL of the store as people may see it."""
    words = storage_in_words()
    return f"sqlite:///{words}" if storage_url(paths.storage()).get_backend_name() == "sqlite" else words
