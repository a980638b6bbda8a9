"""``python -m svge_core <command>``."""

import sys
from collections.abc import Sequence

from svge_core.cli import checkpoint_commands
from svge_core.cli.common import Parser
from svge_core.errors import SvgeError


def build_parser() -> Parser:
    """All commands."""
    parser = Parser(prog="svge_core", description="SVGe Explorer: learned spaces of neural architectures.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)
    checkpoint_commands.register(commands)
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; a user's mistake is one line and exit code 2, never a traceback."""
    arguments = build_parser().parse_args(words)
    try:
        return arguments.handler(arguments) or 0
    except SvgeError as error:
        sys.stderr.write(f"svge_core: {error}\n")
        return 2
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        sys.stderr.write("svge_core: stopped\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
