"""What ``bench`` takes."""

import argparse
from typing import Any

from svge_core.cli.options.shared import add_command


def register(commands: Any) -> None:
    """Add the command."""
    parser = add_command(commands, "bench", "bench_command:bench")
    parser.add_argument("name", nargs="?", metavar="NAME", help="file name of a script in bench/")
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="...", help="passed on; try: bench NAME --help")
