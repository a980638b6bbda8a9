"""What ``quality`` takes."""

from pathlib import Path
from typing import Any

from svge_core.cli.options.shared import add_checkpoint, add_command, add_fields
from svge_core.evaluation.latent import QualityConfig


def register(commands: Any) -> None:
    """Add the command."""
    parser = add_command(commands, "quality", "quality_command:run")
    add_checkpoint(parser)
    parser.add_argument("--score", metavar="KEY", help="score to predict (default: all measured ones, and parameters)")
    parser.add_argument(
        "--csv", type=Path, metavar="FILE", help="take labels from the column --score of a CSV file (with --meaning)"
    )
    parser.add_argument("--meaning", type=Path, metavar="JSON", help="what the labels of --csv are")
    add_fields(parser, QualityConfig)
