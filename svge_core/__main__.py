"""The command line: ``svge <command>`` or ``python -m svge_core <command>``."""

import importlib
import os
import sys
from collections.abc import Sequence

from svge_core.cli.options import COMMANDS, Parser
from svge_core.errors import SvgeError
from svge_core.plugins import load_plugins, use_modules

NAME = "svge"
#: what the settings that an error names are called here
OPTIONS = {
    "allow_python": "--allow-python",
    "checkpoint": "--checkpoint DIR",
    "cpus_per_block": "--cpus-per-block N",
    "cpus_per_evaluation": "--cpus-per-evaluation N",
    "file": "--file FILE",
    "free": "--free GENES",
    "fresh": "--fresh",
    "function": "--function N",
    "function_targets": "--function-targets",
    "gpus_per_block": "--gpus-per-block N",
    "gpus_per_evaluation": "--gpus-per-evaluation N",
    "initial": "--initial DIR",
    "latent": "--latent N",
    "like": "--like ARCH",
    "limit": "--limit N",
    "name": "--name NAME",
    "on": "--on CLUSTER",
    "out": "--out DIR",
    "parallel": "--parallel N",
    "precision": "--precision",
    "prune": "without --prune",
    "restricted": "--restrict",
    "score": "--score KEY",
    "ship": "--ship DIR",
    "space_module": "--space-module MODULE",
    "strict": "without --strict",
    "where": "--where LIMIT",
}


def build_parser(wanted: str | None = None) -> Parser:
    """All commands.

    Args:
        wanted: the one command that is asked for; the options of the others, which take time to read, are left out.
    """
    parser = Parser(prog=NAME, description="SVGe Explorer: learned spaces of neural architectures.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)
    for file, summaries in COMMANDS.items():
        if wanted is None or wanted in summaries:
            importlib.import_module(f"svge_core.cli.options.{file}").register(commands)
        else:
            for name, summary in summaries.items():
                commands.add_parser(name, help=summary)
    return parser


def space_modules(words: Sequence[str]) -> list[str]:
    """What ``--space-module`` names, whichever the command: it is read before all other options."""
    first = Parser(prog=NAME, add_help=False, allow_abbrev=False)
    first.add_argument("--space-module", action="append", default=[])
    return first.parse_known_args(words)[0].space_module


def with_options(error: SvgeError) -> str:
    """What an error says, and what the settings that mend it are called here."""
    options = ", ".join(OPTIONS[name] for name in error.settings if name in OPTIONS)
    return f"{str(error).removesuffix('.')} ({options})." if options else str(error)


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; a user's mistake is one line and exit code 2, never a traceback."""
    words = sys.argv[1:] if words is None else words
    try:
        # before the parser: their names are among the choices of its options
        load_plugins(lambda line: sys.stderr.write(f"{NAME}: {line}\n"))
        use_modules(space_modules(words))
        # the program itself takes no options, so a command comes first or not at all
        arguments = build_parser(words[0] if words else "").parse_args(words)
        return arguments.handler(arguments) or 0
    except SvgeError as error:
        sys.stderr.write(f"{NAME}: {with_options(error)}\n")
        return 2
    except BrokenPipeError:
        # the reader has gone; without this, Python complains about it once more while it shuts down
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        named = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(f"{NAME}: {named}{error.strerror or error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write(f"{NAME}: stopped\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
