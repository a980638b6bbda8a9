"""What ``data`` and its actions take."""

from pathlib import Path
from typing import Any

from svge_core.cli.options.shared import Parser, add_command
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

    add_command(actions, "list", "data_command:list_command", "Say what was imported.")

    action = add_command(actions, "remove", "data_command:remove_command", "Delete an imported table.")
    action.add_argument("name", metavar="NAME", help="a name that 'data list' shows")
