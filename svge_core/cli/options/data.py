"""What ``data`` and its actions take."""

from pathlib import Path
from typing import Any

from svge_core.cli.options.shared import Parser, add_command, whole_number
from svge_core.cli.options.table import SUMMARIES


def register(commands: Any) -> None:
    """Add the command and its actions."""
    parser = commands.add_parser("data", help=SUMMARIES["data"], description=SUMMARIES["data"])
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True, parser_class=Parser)

    action = add_command(
        actions, "import", "data_command:import_command", "Read an official benchmark file into a compact cache."
    )
    action.add_argument(
        "file", type=Path, metavar="FILE", help="the file, or NATS-Bench's folder; its kind is detected"
    )
    action.add_argument("--strict", action="store_true", help="refuse a file whose sha256 is not the official one")

    action = add_command(
        actions,
        "untrained",
        "data_command:untrained_command",
        "Take statistics of untrained networks (synflow, nwot, jacov, gradient norm) as columns of a space.",
    )
    action.add_argument("--space", required=True, metavar="SPACE", help="whose cells")
    action.add_argument(
        "--count", type=whole_number(1), metavar="N", help="so many random cells, the same for everybody (default: all)"
    )

    add_command(actions, "list", "data_command:list_command", "Say what was imported.")

    action = add_command(actions, "remove", "data_command:remove_command", "Delete an imported table.")
    action.add_argument("name", metavar="NAME", help="a name that 'data list' shows")
