"""What every command shares: the parser's shape, output for people or machines, and errors as one clear line."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import torch

from svge_core.checkpoints import Checkpoint, load_checkpoint
from svge_core.devices import pick_device
from svge_core.errors import SvgeError

Handler = Callable[[argparse.Namespace], int | None]
DEFAULT_CHECKPOINT = Path("checkpoints/nasbench201/svge")


class Parser(argparse.ArgumentParser):
    """argparse with one clear line on bad input and exit code 2."""

    def error(self, message: str) -> Any:
        """Print one line and leave."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def add_command(
    commands: "argparse._SubParsersAction[Parser]", name: str, handler: Handler, help_text: str, **extra: Any
) -> Parser:
    """Register a command with the options that all of them have."""
    parser = commands.add_parser(name, help=help_text, description=help_text, **extra)
    parser.set_defaults(handler=handler)
    parser.add_argument("--json", action="store_true", help="print JSON for machines instead of text")
    return parser


def add_checkpoint(parser: argparse.ArgumentParser) -> None:
    """The options that choose a model and where it runs."""
    parser.add_argument(
        "--checkpoint",
        type=Path,
        default=DEFAULT_CHECKPOINT,
        metavar="DIR",
        help="checkpoint folder (default: %(default)s)",
    )
    add_device(parser)


def add_device(parser: argparse.ArgumentParser) -> None:
    """Device and threads."""
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 leaves PyTorch's choice (default)")


def add_fields(
    parser: "argparse._ActionsContainer", config: type, skip: Sequence[str] = (), *, typed_only: bool = False
) -> None:
    """One option per field of a config dataclass, with its default.

    Args:
        parser: gets the options.
        config: the dataclass.
        skip: fields that get no option.
        typed_only: options that were not typed leave no value behind: their defaults depend on another option.
    """
    for item in fields(config):
        if item.name in skip:
            continue
        option = "--" + item.name.replace("_", "-")
        default = item.default if item.default is not MISSING else None
        kept = argparse.SUPPRESS if typed_only else default
        shown = f"(default: {default})"
        if isinstance(default, bool):
            parser.add_argument(option, action=argparse.BooleanOptionalAction, default=kept, help=shown)
        elif get_origin(item.type) is Literal:
            parser.add_argument(option, choices=get_args(item.type), default=kept, help=shown)
        else:
            parser.add_argument(option, type=type(default), default=kept, help=shown)


def config_from(arguments: argparse.Namespace, config: type, **given: Any) -> Any:
    """The config dataclass of the parsed options."""
    values = {item.name: getattr(arguments, item.name) for item in fields(config) if hasattr(arguments, item.name)}
    return config(**{**values, **given})


def whole_number(low: int, high: int = 2**32 - 1) -> Callable[[str], int]:
    """An argparse type: a whole number between two bounds (seeds fit every library's generator)."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"expected a whole number from {low} to {high}, got {text[:40]!r}")
        return value

    return read


def open_model(arguments: argparse.Namespace) -> Checkpoint:
    """The checkpoint that the options name, on the device they name."""
    use_threads(arguments)
    return load_checkpoint(arguments.checkpoint, device=pick_device(arguments.device))


def use_threads(arguments: argparse.Namespace) -> None:
    """Apply ``--threads``."""
    if arguments.threads < 0:
        raise SvgeError(f"--threads must be 0 or more; got {arguments.threads}.")
    if arguments.threads:
        torch.set_num_threads(arguments.threads)


def emit(arguments: argparse.Namespace, value: Any, text: str) -> None:
    """Print the value as one line of JSON, or the text."""
    line = json.dumps(value, allow_nan=False, default=str) if arguments.json else text
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def command_line() -> str:
    """The command as it was typed, for model cards; absolute folders are not given away."""

    def kept(word: str) -> str:
        near = os.path.relpath(word) if word.startswith("/") else word
        return Path(word).name if near.startswith("..") else near

    words = [kept(word) for word in sys.argv[1:]]
    return " ".join(["python -m svge_core", *words])
