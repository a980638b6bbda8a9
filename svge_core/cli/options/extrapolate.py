"""What ``extrapolate`` takes."""

from pathlib import Path
from typing import Any

from svge_core.cli.options.shared import add_checkpoint, add_command, add_fields
from svge_core.evaluation.extrapolation import ExtrapolationConfig


def register(commands: Any) -> None:
    """Add the command."""
    parser = add_command(commands, "extrapolate", "extrapolate_command:run")
    add_checkpoint(parser)
    parser.add_argument("--csv", type=Path, metavar="FILE", required=True, help="labels: one cell per row")
    parser.add_argument("--score", metavar="COLUMN", required=True, help="column of the labels")
    parser.add_argument("--meaning", type=Path, metavar="JSON", required=True, help="what the labels are")
    add_fields(parser, ExtrapolationConfig)
