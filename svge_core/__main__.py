"""``python -m svge_core <command>``."""

import os
import sys
from collections.abc import Sequence

from svge_core.cli import (
    bench_command,
    cell_commands,
    checkpoint_commands,
    data_command,
    extrapolate_command,
    file_commands,
    quality_command,
    search_command,
)
from svge_core.cli.common import Parser
from svge_core.errors import SvgeError
from svge_core.plugins import load_plugins


def build_parser() -> Parser:
    """All commands."""
    parser = Parser(prog="svge_core", description="SVGe Explorer: learned spaces of neural architectures.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)
    groups = (
        checkpoint_commands,
        extrapolate_command,
        quality_command,
        search_command,
        cell_commands,
        file_commands,
        data_command,
        bench_command,
    )
    for group in groups:
        group.register(commands)
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; a user's mistake is one line and exit code 2, never a traceback."""
    try:
        load_plugins()  # before the parser: their names are among the choices of its options
        arguments = build_parser().parse_args(words)
        return arguments.handler(arguments) or 0
    except SvgeError as error:
        sys.stderr.write(f"svge_core: {error}\n")
        return 2
    except BrokenPipeError:
        # the reader has gone; without this, Python complains about it once more while it shuts down
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        named = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(f"svge_core: {named}{error.strerror or error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("svge_core: stopped\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
