"""What ``draw``, ``export`` and ``labels`` take."""

import argparse
from pathlib import Path
from typing import Any

from svge_core.cli.options.cells import add_cells
from svge_core.cli.options.shared import add_checkpoint, add_command, add_network, add_own_scores
from svge_core.exporting import DRAWINGS
from svge_core.spaces import SPACES


def register(commands: Any) -> None:
    """Add the commands."""
    parser = add_command(commands, "draw", "file_commands:draw_command")
    add_cells(parser)
    _add_space(parser)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help=".svg, .png, .pdf or .dot; a folder for several (default: SVG to the terminal)",
    )
    parser.add_argument("--format", choices=DRAWINGS, help="form of the drawings in a folder (default: svg)")
    parser.add_argument("--theme", choices=("light", "dark"), default="light", help="(default: %(default)s)")
    parser.add_argument("--view", choices=("maps", "operations"), help="(default: maps where the space has them)")

    parser = add_command(commands, "export", "file_commands:export_command")
    add_cells(parser)
    parser.add_argument(
        "--where",
        metavar="WORDS",
        help="the cells on the checkpoint's map that a question in words means, such as 'depth over 2, no pool'",
    )
    add_checkpoint(parser)
    add_own_scores(parser)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        required=True,
        help=".json, .csv, .parquet, .txt, .html (a page with drawings) or .zip; one alone also .svg, .png, .pdf, "
        ".dot; its network as .py, .safetensors, .pt2, .onnx, or all in a folder",
    )
    parser.add_argument("--space", choices=sorted(SPACES), help="instead of the checkpoint's, without predictions")
    parser.add_argument("--theme", choices=("light", "dark"), help="of drawings (default: light)")
    add_network(parser)
    parser.add_argument("--weights", type=Path, metavar="FILE", help="trained weights of the network, .safetensors")
    parser.add_argument("--forms", nargs="+", metavar="NAME", help="files of a network's folder, such as model.onnx")

    parser = add_command(commands, "labels", "file_commands:labels_command")
    parser.add_argument("table", type=Path, metavar="FILE.csv", help="architectures and scores")
    _add_space(parser)
    parser.add_argument("--out", type=Path, metavar="FILE.csv", help="write the tidied table")
    parser.add_argument(
        "--direction",
        action="append",
        type=_column_direction,
        metavar="COLUMN=min",
        help="whether less (min) or more (max) of a column is better; again for several",
    )


def _column_direction(text: str) -> tuple[str, str]:
    column, _, direction = text.rpartition("=")
    if not column or direction not in ("min", "max"):
        raise argparse.ArgumentTypeError(f"expected COLUMN=min or COLUMN=max; got {text[:60]!r}")
    return column, direction


def _add_space(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--space", default="nasbench201", choices=sorted(SPACES), help="search space (default: %(default)s)"
    )
