"""What ``measure`` takes."""

from pathlib import Path
from typing import Any

from svge_core.cli.options.cells import add_cells
from svge_core.cli.options.shared import add_command, add_network, whole_number
from svge_core.spaces import SPACES


def register(commands: Any) -> None:
    """Add the command."""
    parser = add_command(commands, "measure", "network_commands:measure_command")
    add_cells(parser)
    parser.add_argument(
        "--space", default="nasbench201", choices=sorted(SPACES), help="search space (default: %(default)s)"
    )
    parser.add_argument(
        "--batch", nargs="+", type=whole_number(1, 4096), default=[1, 32], metavar="N", help="images (default: 1 32)"
    )
    parser.add_argument("--threads", type=whole_number(1, 1024), default=1, metavar="N", help="(default: %(default)s)")
    parser.add_argument(
        "--runs", type=whole_number(1, 100_000), default=30, metavar="N", help="timed runs (default: %(default)s)"
    )
    parser.add_argument(
        "--warm-up", type=whole_number(0, 1000), default=5, metavar="N", help="runs before (default: %(default)s)"
    )
    parser.add_argument(
        "--engine", nargs="+", choices=("pytorch", "onnxruntime"), help="what runs the networks (default: both)"
    )
    add_network(parser)
    parser.add_argument("--out", type=Path, metavar="FILE.csv", help="write the table, which Map and Search read")
    parser.add_argument(
        "--estimate", type=Path, metavar="FILE.csv", help="estimate all cells of the space from those measured"
    )
