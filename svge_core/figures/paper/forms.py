"""What a figure for a paper can be: its forms and widths. Nothing heavy is imported, so that help is there at once."""

from typing import Literal, get_args

PaperForm = Literal["pdf", "svg", "png"]
FORMS: tuple[PaperForm, ...] = get_args(PaperForm)
PaperWidth = Literal["single", "text", "double"]
#: inches, as LaTeX includes the figure without scaling it, and what that is for
WIDTHS: dict[PaperWidth, tuple[float, str]] = {
    "single": (3.25, "one of two columns: ICML, CVPR, ACL; fits IEEE's 3.5 in"),
    "text": (5.5, "the one column of NeurIPS, ICLR"),
    "double": (6.75, "both columns: ICML, CVPR; fits IEEE's 7.16 in"),
}
