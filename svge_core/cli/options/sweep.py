"""What ``sweep`` takes."""

from pathlib import Path
from typing import Any, get_args

from svge_core.cli.options.shared import add_cluster, add_command, add_device, whole_number
from svge_core.cluster import BLOCK, KEEP, MAX_BLOCK, MAX_KEPT, SAMPLE, Ranker


def register(commands: Any) -> None:
    """Add the command."""
    parser = add_command(commands, "sweep", "sweep_command:run")
    parser.add_argument(
        "--checkpoint",
        type=Path,
        required=True,
        metavar="DIR",
        help="checkpoint folder with predictors, such as checkpoints/enas6/svge",
    )
    add_device(parser)
    parser.add_argument(
        "--score",
        default="",
        metavar="KEY",
        help="what is predicted (default: the score of the checkpoint's only predictor)",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="the kept cells: .csv, .parquet or .json"
    )
    kept = whole_number(0, MAX_KEPT)
    parser.add_argument("--keep", type=kept, default=KEEP, metavar="K", help="best cells (%(default)s)")
    parser.add_argument(
        "--sample",
        type=kept,
        default=SAMPLE,
        metavar="N",
        help="cells drawn uniformly from those that are predicted (%(default)s)",
    )
    parser.add_argument("--seed", type=whole_number(0), default=0, help="of the sample (%(default)s)")
    parser.add_argument(
        "--by",
        choices=get_args(Ranker),
        default="joint",
        help="what ranks the cells: the model's joint head, or the structure surrogate (default: %(default)s)",
    )
    parser.add_argument(
        "--block",
        type=whole_number(1, MAX_BLOCK),
        default=BLOCK,
        metavar="N",
        help="cells at one time (default: %(default)s)",
    )
    parser.add_argument(
        "--limit",
        type=whole_number(1, 2**62),
        metavar="N",
        help="cells, rounded up to whole blocks, which are taken at random (default: all)",
    )
    parser.add_argument("--fresh", action="store_true", help="begin anew what was begun with this output file")
    add_cluster(parser, "block")
