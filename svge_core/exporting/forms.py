"""The forms a drawing is written in; read by the command line too, so nothing heavy is imported here."""

from typing import Literal, get_args

Drawing = Literal["dot", "svg", "png", "pdf"]
DRAWINGS: tuple[Drawing, ...] = get_args(Drawing)
