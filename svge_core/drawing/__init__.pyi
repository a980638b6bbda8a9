from .dot import View as View, to_dot as to_dot, to_pdf as to_pdf, to_png as to_png, to_svg as to_svg
from .page import (
    PageBlock as PageBlock,
    PageText as PageText,
    cell_block as cell_block,
    lines_block as lines_block,
    page_to_pdf as page_to_pdf,
    table_block as table_block,
)
from .palette import (
    THEMES as THEMES,
    Theme as Theme,
    ThemeName as ThemeName,
    blended as blended,
    operation_colours as operation_colours,
    operation_label as operation_label,
)
from .rich import (
    rich_block as rich_block,
    rich_drawing as rich_drawing,
    rich_notes as rich_notes,
    rich_row as rich_row,
    rich_table as rich_table,
)
from .strokes import Stroke as Stroke, Strokes as Strokes, cell_strokes as cell_strokes
