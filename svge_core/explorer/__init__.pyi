from .charted import ChartedCells as ChartedCells
from .columns import (
    FAMILY as FAMILY,
    Column as Column,
    ColumnName as ColumnName,
    column as column,
    column_names as column_names,
    column_values as column_values,
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
from .queries import (
    MAX_QUERY as MAX_QUERY,
    Found as Found,
    Query as Query,
    Vocabulary as Vocabulary,
    find_rows as find_rows,
    in_words as in_words,
    met_by as met_by,
    parse_query as parse_query,
    starts_like_query as starts_like_query,
    vocabulary_of as vocabulary_of,
)
from .regions import Region as Region, map_regions as map_regions
from .selection import (
    CellFilter as CellFilter,
    Summary as Summary,
    find_cell as find_cell,
    find_forms as find_forms,
    kept_by as kept_by,
    selection_columns as selection_columns,
    summary as summary,
)
from .structure import (
    COUNT as COUNT,
    DEPTH as DEPTH,
    EDGES as EDGES,
    INDEX as INDEX,
    NUMBER as NUMBER,
    ranks as ranks,
    structure_names as structure_names,
    table_column as table_column,
    table_names as table_names,
    table_values as table_values,
)
from .tables import TableForm as TableForm, table_file as table_file, table_rows as table_rows
from .trust import map_column as map_column, map_names as map_names
