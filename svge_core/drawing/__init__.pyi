from .dot import View as View, to_dot as to_dot, to_pdf as to_pdf, to_png as to_png, to_svg as to_svg
from .palette import (
    THEMES as THEMES,
    Theme as Theme,
    ThemeName as ThemeName,
    blended as blended,
    operation_colours as operation_colours,
    operation_label as operation_label,
)
