"""The forms that cells and drawings are written in; read by the command line too, so nothing heavy is imported here."""

from typing import Literal, get_args

Drawing = Literal["dot", "svg", "png", "pdf"]
DRAWINGS: tuple[Drawing, ...] = get_args(Drawing)
#: suffixes of all files but those of networks
FORMS = ("json", "csv", "parquet", "txt", "html", "zip", *DRAWINGS)
