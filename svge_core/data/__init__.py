"""Label tables: the bundled benchmark values and a user's own file, both as columns that carry their meaning."""

from svge_core.data.scores import ScoreMeaning, Scores, load_scores
from svge_core.data.user_csv import UserScores, import_csv

__all__ = ["ScoreMeaning", "Scores", "UserScores", "import_csv", "load_scores"]
