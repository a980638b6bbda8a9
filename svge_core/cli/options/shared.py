"""What every command's parser shares. Nothing heavy is imported, so that help is there at once."""

import argparse
import importlib
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from svge_core.cli.options.table import SUMMARIES
from svge_core.files import field_docs

DEFAULT_CHECKPOINT = Path("checkpoints/nasbench201/svge")


class Parser(argparse.ArgumentParser):
    """argparse with one clear line on bad input and exit code 2."""

    def error(self, message: str) -> Any:
        """Print one line and leave."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


@dataclass(frozen=True)
class Handler:
    """The function that carries a command out; its file is imported when it is called.

    Attributes:
        place: ``file:function`` of this package's parent.
    """

    place: str

    def load(self) -> Callable[[argparse.Namespace], int | None]:
        """The function itself."""
        file, _, function = self.place.partition(":")
        return getattr(importlib.import_module(f"svge_core.cli.{file}"), function)

    def __call__(self, arguments: argparse.Namespace) -> int | None:
        """Run the command; returns its exit code, None for success."""
        return self.load()(arguments)


def add_command(
    commands: "argparse._SubParsersAction[Parser]", name: str, handler: str, summary: str | None = None
) -> Parser:
    """Register a command with the options that all of them have.

    Args:
        commands: that it joins.
        name: that is typed.
        handler: where the function is that carries it out, see :class:`Handler`.
        summary: one line; that of the table by default.
    """
    text = SUMMARIES[name] if summary is None else summary
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(handler=Handler(handler))
    parser.add_argument("--json", action="store_true", help="print JSON for machines instead of text")
    parser.add_argument(
        "--space-module",
        action="append",
        metavar="MODULE",
        help="a search space of your own, whose code is run: a module, a .py file or a folder; again for several",
    )
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


def add_own_scores(parser: argparse.ArgumentParser) -> None:
    """The options that name scores of one's own."""
    parser.add_argument("--scores", type=Path, metavar="FILE.csv", help="architectures with scores of your own, too")
    parser.add_argument(
        "--runs", type=Path, metavar="DIR", help="also what was trained and timed here: the folder of the app's runs"
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """Device and threads."""
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 leaves PyTorch's choice (default)")


def add_network(parser: argparse.ArgumentParser) -> None:
    """The options that choose the size of a cell's network."""
    parser.add_argument(
        "--network",
        nargs="+",
        type=_named_number,
        metavar="NAME=N",
        help="sizes of its network, such as channels=32 num_classes=100 (default: as its authors trained it)",
    )
    parser.add_argument(
        "--side", type=whole_number(1, 4096), metavar="N", help="pixels of a side of its images (default: theirs)"
    )


def _named_number(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if not name.isidentifier() or not number.isascii() or not number.isdigit() or len(number) > 6 or not int(number):
        raise argparse.ArgumentTypeError(
            f"expected NAME=N such as channels=32, with N from 1 to 999999; got {text[:60]!r}"
        )
    return name, int(number)


def add_fields(
    parser: "argparse._ActionsContainer", config: type, skip: Sequence[str] = (), *, typed_only: bool = False
) -> None:
    """One option per field of a config dataclass, with the field's docstring and default as help.

    Args:
        parser: gets the options.
        config: the dataclass.
        skip: fields that get no option.
        typed_only: options that were not typed leave no value behind: their defaults depend on another option.
    """
    docs = field_docs(config)
    for item in fields(config):
        if item.name in skip:
            continue
        option = "--" + item.name.replace("_", "-")
        default = item.default if item.default is not MISSING else None
        kept = argparse.SUPPRESS if typed_only else default
        meaning = " ".join(docs.get(item.name, "").split()).replace("%", "%%")
        meaning = meaning if meaning.endswith("...") else meaning.removesuffix(".")
        shown = f"{meaning} (default: {default})".lstrip()
        if isinstance(default, bool):
            parser.add_argument(option, action=argparse.BooleanOptionalAction, default=kept, help=shown)
        elif get_origin(item.type) is Literal:
            parser.add_argument(option, choices=get_args(item.type), default=kept, help=shown)
        else:
            parser.add_argument(option, type=type(default), default=kept, help=shown)


def add_cluster(parser: Parser, what: str) -> None:
    """Where the work is done, and what one piece of it takes.

    Args:
        parser: gets the options.
        what: one piece of the work, such as ``evaluation``.
    """
    group = parser.add_argument_group("on a cluster (pip install 'svge-explorer[cluster]')")
    group.add_argument(
        "--on",
        metavar="CLUSTER",
        help="ray (a local one, or that of $RAY_ADDRESS), ray://HOST:10001, or ray:ADDRESS such as ray:auto",
    )
    group.add_argument(f"--cpus-per-{what}", type=float, metavar="N", help=f"processors of one {what} (default: 1)")
    group.add_argument(
        f"--gpus-per-{what}", type=float, metavar="N", help=f"graphics cards of one {what}, also 0.5 (default: 0)"
    )
    group.add_argument(
        "--parallel",
        type=whole_number(1, 100_000),
        metavar="N",
        help=f"{what}s at a time (default: as many as the cluster has room for)",
    )
    group.add_argument(
        "--ship",
        type=Path,
        metavar="DIR",
        help="folder of your code, copied to every machine; the command imports from it too",
    )


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
