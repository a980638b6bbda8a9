from .labels import Labels as Labels, read_labels as read_labels, read_meaning as read_meaning
from .scores import (
    OWN_KEY as OWN_KEY,
    UserScores as UserScores,
    architecture_columns as architecture_columns,
    columns_in_words as columns_in_words,
    import_csv as import_csv,
)
from .text import quote_text as quote_text, read_header as read_header, read_rows as read_rows, read_text as read_text
