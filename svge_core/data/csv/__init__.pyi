from .column_roles import architecture_columns as architecture_columns, columns_in_words as columns_in_words
from .labels import (
    MAX_LABEL_BYTES as MAX_LABEL_BYTES,
    MAX_LABEL_ROWS as MAX_LABEL_ROWS,
    Labels as Labels,
    means_column as means_column,
    read_labels as read_labels,
    read_meaning as read_meaning,
    score_key as score_key,
)
from .line_reader import LineReader as LineReader
from .scores import OWN_KEY as OWN_KEY, import_csv as import_csv
from .text import (
    Lines as Lines,
    quote_text as quote_text,
    read_content as read_content,
    read_lines as read_lines,
    read_text as read_text,
)
from .user_scores import UserScores as UserScores
