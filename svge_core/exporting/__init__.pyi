from .document import (
    FORMAT as FORMAT,
    MAX_CELLS as MAX_CELLS,
    ExportItem as ExportItem,
    from_json as from_json,
    item_for as item_for,
    to_json as to_json,
)
from .forms import DRAWINGS as DRAWINGS, FORMS as FORMS, Drawing as Drawing
from .page import MAX_PAGE as MAX_PAGE, to_html as to_html
from .writers import (
    draw as draw,
    naslib_text as naslib_text,
    save as save,
    to_csv as to_csv,
    to_parquet as to_parquet,
    to_text as to_text,
    to_zip as to_zip,
    write_atomic as write_atomic,
)
