from .comparison import (
    FEWEST_CELLS as FEWEST_CELLS,
    MOST_CELLS as MOST_CELLS,
    Comparison as Comparison,
    compare_cells as compare_cells,
    example_pair as example_pair,
)
from .export import (
    comparison_to_csv as comparison_to_csv,
    comparison_to_json as comparison_to_json,
    comparison_to_text as comparison_to_text,
    pairs_file as pairs_file,
    pairs_to_csv as pairs_to_csv,
    save_comparison as save_comparison,
)
from .pairs import CellPair as CellPair, RandomPairs as RandomPairs, random_pairs as random_pairs
from .scores import ComparedValue as ComparedValue, ScoreRow as ScoreRow, score_rows as score_rows
from .sheet import comparison_to_pdf as comparison_to_pdf
from .wording import (
    LABEL_USED as LABEL_USED,
    distance_in_words as distance_in_words,
    edits_of_pair as edits_of_pair,
    full_meaning as full_meaning,
    function_in_words as function_in_words,
    meanings_in_words as meanings_in_words,
    short_meaning as short_meaning,
    value_in_words as value_in_words,
)
