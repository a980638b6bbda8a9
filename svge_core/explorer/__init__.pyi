from .columns import (
    Column as Column,
    ColumnName as ColumnName,
    column as column,
    column_names as column_names,
)
from .explorer import Explorer as Explorer
from .inspection import (
    Inspection as Inspection,
    KnownValue as KnownValue,
    Membership as Membership,
    NearCell as NearCell,
    place_in_words as place_in_words,
)
from .opening import PREDICTORS as PREDICTORS, assemble_explorer as assemble_explorer, open_explorer as open_explorer
from .predictor_source import PredictorSource as PredictorSource
from .selection import (
    CellFilter as CellFilter,
    Summary as Summary,
    find_cell as find_cell,
    find_forms as find_forms,
    kept_by as kept_by,
    selection_columns as selection_columns,
    summary as summary,
)
