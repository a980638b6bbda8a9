from .charted import ChartedCells as ChartedCells
from .columns import (
    FAMILY as FAMILY,
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
from .listed import Listed as Listed, read_listed as read_listed
from .naming import (
    CellName as CellName,
    cell_name as cell_name,
    cell_named as cell_named,
    charted_name as charted_name,
    point_labels as point_labels,
    short_name as short_name,
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
