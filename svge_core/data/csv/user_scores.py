"""What a user's table of architectures and scores says, and which of its lines and columns were not used."""

from dataclasses import dataclass

import pandas as pd

from svge_core.cells import Cell
from svge_core.data.meaning import ScoreMeaning
from svge_core.data.scores import Scores, scores_from_columns
from svge_core.data.words import count_of
from svge_core.errors import DataError
from svge_core.spaces import AbstractSearchSpace


@dataclass(frozen=True)
class RejectedRow:
    """A line that was not used. ``line`` counts from 1, the header being line 1."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"Line {self.line}: {self.reason}"


@dataclass(frozen=True)
class Duplicate:
    """An architecture given on several lines with different scores; the mean of each score was taken."""

    architecture: str
    lines: tuple[int, ...]

    def __str__(self) -> str:
        lines = ", ".join(map(str, self.lines[:10])) + (", ..." if len(self.lines) > 10 else "")
        return f"Lines {lines} give {self.architecture} different scores; their mean is used."


@dataclass(frozen=True, eq=False)
class UserScores:
    """What a user's file says, keyed by official index.

    Attributes:
        space: name of the search space.
        frame: float64 columns of the architectures in the file; the index holds official cell indices in ascending
            order, or 0, 1, ... in file order where the space is not enumerated. NaN where a field was empty.
        cells: the architecture of each row where the space is not enumerated, otherwise empty.
        meanings: the meaning of each column, labelled as the user's own.
        rejected: the lines not used, each with its reason.
        duplicates: architectures with several different scores.
        ignored_columns: headers of the columns that are neither architecture nor score.
        rows: lines that were used.
        notes: how columns were read where that is not plain: decimal commas, percent signs, row numbers.
        directions: which directions were read off the titles, and which no word of a title says.
    """

    space: str
    frame: pd.DataFrame
    cells: tuple[Cell, ...]
    meanings: dict[str, ScoreMeaning]
    rejected: tuple[RejectedRow, ...]
    duplicates: tuple[Duplicate, ...]
    ignored_columns: tuple[str, ...]
    rows: int
    notes: tuple[str, ...] = ()
    directions: tuple[str, ...] = ()

    def summary(self) -> str:
        """One line for the screen."""
        scores, lines = count_of(len(self.meanings), "score"), count_of(self.rows, "line")
        parts = [f"{count_of(len(self.frame), 'architecture')} with {scores} from {lines}"]
        if self.duplicates:
            parts.append(f"{count_of(len(self.duplicates), 'architecture')} averaged over lines that differ")
        if self.rejected:
            parts.append(f"{count_of(len(self.rejected), 'line')} rejected")
        if self.ignored_columns:
            parts.append(f"columns not used: {', '.join(self.ignored_columns)}")
        return "; ".join(parts) + "."

    def remarks(self) -> tuple[str, ...]:
        """What people have to be told: lines not used, architectures given twice, notes, directions."""
        return (*map(str, self.rejected), *map(str, self.duplicates), *self.notes, *self.directions)

    def to_scores(self, space: AbstractSearchSpace) -> Scores:
        """The same values as a table over all cells of the space, NaN for cells the file does not name.

        Raises:
            DataError: if it is another space, or one that is not enumerated.
        """
        if space.name != self.space:
            raise DataError(f"Scores of {self.space} cannot fill a table of all cells of {space.name}.")
        if space.size is None or not space.enumerated:
            raise DataError(
                f"Scores of your own are a column over all cells, and those of {space.title} are too many for a list: "
                "fit a predictor to the scores instead."
            )
        full = self.frame.reindex(range(space.size))
        return scores_from_columns(space.name, {key: full[key].to_numpy() for key in self.meanings}, self.meanings)
