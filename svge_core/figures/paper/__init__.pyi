from .cell import cell_sheet as cell_sheet
from .charted import MapChoice as MapChoice, map_sheet as map_sheet
from .compared import compare_sheet as compare_sheet
from .forms import FORMS as FORMS, WIDTHS as WIDTHS, PaperForm as PaperForm, PaperWidth as PaperWidth
from .path import path_sheet as path_sheet
from .searches import front_sheet as front_sheet, race_sheet as race_sheet
from .sheet import PaperFigure as PaperFigure
