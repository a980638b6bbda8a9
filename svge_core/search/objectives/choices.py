"""The goals that a person can choose in a space without typing: what is measured, follows from the structure, or is
predicted by the checkpoint."""

from dataclasses import dataclass, replace

import numpy as np

from svge_core.data import ScoreMeaning, Scores, count_of, score_name
from svge_core.explorer import PredictorSource
from svge_core.search.objectives.digits import digits_words
from svge_core.search.objectives.training import trained_words
from svge_core.spaces import AbstractSearchSpace


@dataclass(frozen=True)
class GoalChoice:
    """One goal to choose.

    Attributes:
        word: of a specification, see :func:`svge_core.search.objectives.make.make_objective`.
        meaning: of its numbers.
        title: short name with data set and kind, unique among the choices.
        cells: how many cells have a value; None if all do.
    """

    word: str
    meaning: ScoreMeaning
    title: str
    cells: int | None = None


def goal_choices(
    space: AbstractSearchSpace, scores: Scores, predictors: PredictorSource | None = None
) -> tuple[GoalChoice, ...]:
    """Measured accuracies first, then predicted ones, real training, costs, latencies, and the rest.

    Args:
        space: that is searched.
        scores: what is known about the space; of a space that is not enumerated only the meanings are used.
        predictors: of the chosen checkpoint.
    """
    found: list[GoalChoice] = []
    for key, meaning in scores.meanings.items():
        if meaning.detail or meaning.origin == "user":  # a user's own column is given as a file: the run must find it
            continue
        cells = int(np.isfinite(scores.frame[key].to_numpy()).sum()) if space.enumerated else None
        if cells != 0:
            known = None if meaning.kind == "analytic" or cells == space.size else cells
            found.append(GoalChoice(f"table:{key}", meaning, _title(meaning, known), known))
    if not space.enumerated:
        found += _imported(space)
    found += [GoalChoice(word, meaning, _title(meaning, None)) for word, meaning in digits_words(space).items()]
    trained = trained_words(space)
    found += [GoalChoice(word, meaning, _title(meaning, None)) for word, meaning in trained.items()]
    for key in predictors.score_keys if predictors else ():
        stored = predictors.meaning(key) if predictors else None
        meaning = stored or scores.meanings.get(key)
        if meaning is not None:
            meaning = replace(meaning, kind="predicted", source="the checkpoint's predictor")
            found.append(GoalChoice(f"predictor:{key}", meaning, _title(meaning, None)))
    unique = {choice.title: choice for choice in reversed(found)}
    # after predictions of the space's own data: the first choice is what a page begins with, and training takes time
    ranks = {c.word: (0, 2) if c.word in trained else _rank(c.meaning) for c in found}
    return tuple(sorted((c for c in found if unique[c.title] is c), key=lambda choice: ranks[choice.word]))


def _imported(space: AbstractSearchSpace) -> list[GoalChoice]:
    from svge_core.data.importers import load_imported

    found = []
    for table in load_imported(space.name):
        for key, meaning in table.meanings.items():
            cells = int(np.isfinite(table.frame[key].to_numpy(dtype=np.float64)).sum())
            if cells and not meaning.detail:
                found.append(GoalChoice(f"table:{key}", meaning, _title(meaning, cells), cells))
    return found


def _title(meaning: ScoreMeaning, cells: int | None) -> str:
    name = score_name(meaning)
    words = [] if meaning.kind == "analytic" else [meaning.kind]
    words += [] if cells is None else [count_of(cells, "cell")]
    mark = "≈ " if meaning.kind == "predicted" else ""
    return f"{mark}{name} ({', '.join(words)})" if words else f"{mark}{name}"


def _rank(meaning: ScoreMeaning) -> tuple[int, int]:
    kind = ("measured", "predicted", "analytic").index(meaning.kind)
    if meaning.role == "accuracy":
        return (0, kind)
    if meaning.kind == "analytic":
        return (1, 0)
    # a time with epochs is that of training, which nobody asks of a network
    return (2 if meaning.role in ("time", "cost") and meaning.epochs is None else 3, kind)
