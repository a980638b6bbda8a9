from .atomic import cache_dir as cache_dir, keep_arrays as keep_arrays, write_atomically as write_atomically
from .columns import read_columns as read_columns, write_columns as write_columns
from .documentation import field_docs as field_docs
from .locks import LockHeldError as LockHeldError, exclusive as exclusive
from .markdown import markdown_text as markdown_text
from .plain import (
    is_dict as is_dict,
    is_list as is_list,
    is_mapping as is_mapping,
    is_sequence as is_sequence,
    is_tuple as is_tuple,
)
from .quantisation import STEPS as STEPS, quantised as quantised, restored as restored
from .schema import (
    Count as Count,
    Scalar as Scalar,
    StrictRecord as StrictRecord,
    check_version as check_version,
    parse_json as parse_json,
    read_record as read_record,
    to_plain as to_plain,
    to_record as to_record,
    write_record as write_record,
)
from .tensors import read_arrays as read_arrays, read_tensors as read_tensors
