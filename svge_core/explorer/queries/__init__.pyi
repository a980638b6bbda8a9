from .conditions import (
    Among as Among,
    Condition as Condition,
    Counted as Counted,
    Extreme as Extreme,
    Query as Query,
    Ranged as Ranged,
    Top as Top,
)
from .finding import Found as Found, find_rows as find_rows, met_by as met_by
from .names import NamedColumn as NamedColumn, Vocabulary as Vocabulary
from .parsing import MAX_QUERY as MAX_QUERY, parse_query as parse_query
from .tokens import starts_like_query as starts_like_query
from .wording import example_of as example_of, in_words as in_words
from .words_of import vocabulary_of as vocabulary_of
