"""What ``figure`` and its kinds take."""

import argparse
import math
from functools import partial
from pathlib import Path
from typing import Any, get_args

from svge_core.cli.options.search import add_storage
from svge_core.cli.options.shared import Parser, add_checkpoint, add_command, add_own_scores, whole_number
from svge_core.cli.options.table import SUMMARIES
from svge_core.figures.paper import FORMS, WIDTHS
from svge_core.interpolation import FEWEST_STOPS, MOST_STOPS, PathKind

_CELL = "architecture string, index, genotype digits, or another form that the space reads"
_WIDTHS = "; ".join(f"{name}: {inches:g} in, {use}" for name, (inches, use) in WIDTHS.items())


def register(commands: Any) -> None:
    """Add the command and its kinds."""
    parser = commands.add_parser("figure", help=SUMMARIES["figure"], description=SUMMARIES["figure"])
    kinds = parser.add_subparsers(title="kinds", metavar="KIND", required=True, parser_class=Parser)

    kind = _kind(kinds, "map", "The map of a space, coloured by a column.")
    kind.add_argument(
        "--colour", default="", metavar="KEY", help="column that colours it (default: the first there is)"
    )
    kind.add_argument("--plane", choices=("umap", "pca"), help="the map (default: the first there is)")
    kind.add_argument("--ranks", action="store_true", help="colours by rank instead of by value")
    kind.add_argument("--contours", action="store_true", help="lines around the densest places")
    kind.add_argument(
        "--surface", action="store_true", help="values between the cells, interpolated on the map and not measured"
    )
    kind.add_argument("--range", type=_pair, metavar="LOW,HIGH", help="ends of the colours")
    kind.add_argument(
        "--cell", action="append", metavar="ARCH", help=f"name it on the map ({_CELL}); again for several"
    )
    kind.add_argument("--outline", type=_corners, metavar="X,Y;X,Y;...", help="a selection; what is outside is pale")
    for mode in ("add", "remove"):
        kind.add_argument(
            f"--{mode}",
            dest="parts",
            action="append",
            type=partial(_part, mode),
            metavar="X,Y;X,Y;...",
            help=f"{mode} the cells inside this outline, after those before; again for several",
        )
    kind.add_argument(
        "--keep", type=_ranged, metavar="KEY=LOW,HIGH", help="pale are cells with other values of a column"
    )
    kind.add_argument(
        "--params", type=_pair, metavar="LOW,HIGH", help="pale are cells with more or fewer million parameters"
    )
    kind.add_argument("--contains", action="append", metavar="OP", help="pale are cells without it; again for several")
    kind.add_argument("--without", action="append", metavar="OP", help="pale are cells with it; again for several")
    kind.add_argument("--held-out", action="store_true", help="pale are cells that the model was trained on")
    kind.add_argument(
        "--where",
        default="",
        metavar="WORDS",
        help="pale are cells that a question in words does not mean, such as 'depth over 2, no pool'",
    )
    add_own_scores(kind)

    kind = _kind(kinds, "path", "Architectures along a path, and a score on the way.")
    kind.add_argument("start", metavar="A", help=_CELL)
    kind.add_argument("end", metavar="B", help="the same")
    kind.add_argument("--kind", choices=get_args(PathKind), default="linear", help="(default: %(default)s)")
    stops = whole_number(FEWEST_STOPS, MOST_STOPS)
    kind.add_argument("--stops", type=stops, default=21, metavar="N", help="A and B included (default: %(default)s)")
    kind.add_argument("--constrained", action="store_true", help="keep the decoder inside the space")
    kind.add_argument("--score", default="", metavar="KEY", help="(default: the first there is)")
    add_own_scores(kind)

    kind = _kind(kinds, "race", "Best value so far of the methods of a race.", model=False)
    _add_runs(kind)
    kind.add_argument("--goal", type=whole_number(1, 10), default=1, metavar="N", help="of several goals (default: 1)")
    kind.add_argument("--gap", action="store_true", help="the gap to the known optimum, on a logarithmic axis")

    kind = _kind(kinds, "front", "Pareto fronts of a race of several goals.", model=False)
    _add_runs(kind)
    kind.add_argument("--across", type=whole_number(1, 10), default=2, metavar="N", help="goal across (default: 2)")
    kind.add_argument("--up", type=whole_number(1, 10), default=1, metavar="N", help="goal upwards (default: 1)")

    kind = _kind(kinds, "compare", "Two to four architectures side by side.", width="double")
    kind.add_argument("cells", nargs="+", metavar="ARCH", help=_CELL)
    kind.add_argument(
        "--reference", type=whole_number(1, 4), default=1, metavar="N", help="mark what differs from it (default: 1)"
    )
    add_own_scores(kind)

    kind = _kind(kinds, "cell", "One architecture with its scores.")
    kind.add_argument("arch", metavar="ARCH", help=_CELL)
    add_own_scores(kind)


def _kind(kinds: Any, name: str, summary: str, *, width: str = "single", model: bool = True) -> Parser:
    """A kind of figure with the options that all of them have."""
    kind = add_command(kinds, name, f"figure_command:{name}_figure", summary)
    forms = ", ".join(f".{form}" for form in FORMS)
    kind.add_argument("--out", type=Path, required=True, metavar="FILE", help=f"to write: {forms}")
    kind.add_argument("--width", choices=tuple(WIDTHS), default=width, help=f"{_WIDTHS} (default: %(default)s)")
    if model:
        add_checkpoint(kind)
    return kind


def _add_runs(kind: Parser) -> None:
    kind.add_argument(
        "names", nargs="+", metavar="NAME", help="of a run, a race, or SPACE/RACE; several are labelled A, B, ..."
    )
    add_storage(kind)


def _pair(text: str) -> tuple[float, float]:
    low, _, high = text.partition(",")
    return _number(low), _number(high)


def _ranged(text: str) -> tuple[str, tuple[float, float]]:
    key, _, pair = text.partition("=")
    return key, _pair(pair)


def _corners(text: str) -> tuple[tuple[float, float], ...]:
    return tuple(_pair(corner) for corner in text.split(";"))


def _part(mode: str, text: str) -> tuple[str, tuple[tuple[float, float], ...]]:
    return mode, _corners(text)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"expected finite numbers with a comma between, got {text[:40]!r}")
    return value
