"""What the functions behind the commands share: the model they are about, and output for people or machines."""

import argparse
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import torch

from svge_core.checkpoints import Checkpoint, load_checkpoint
from svge_core.devices import pick_device
from svge_core.errors import CheckpointError, SvgeError

T = TypeVar("T")


def config_from(arguments: argparse.Namespace, config: type, **given: Any) -> Any:
    """The config dataclass of the parsed options."""
    values = {item.name: getattr(arguments, item.name) for item in fields(config) if hasattr(arguments, item.name)}
    return config(**{**values, **given})


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


def json_line(value: Any) -> str:
    """The value as JSON, which has no word for what is not finite.

    Raises:
        SvgeError: if a number is not finite.
    """
    try:
        return json.dumps(value, allow_nan=False, default=str)
    except ValueError:
        raise SvgeError(
            "A number of the answer is not finite, which JSON cannot hold: ask for text or CSV, or for fewer cells."
        ) from None


def emit(arguments: argparse.Namespace, value: Any, text: str) -> None:
    """Print the value as one line of JSON, or the text."""
    line = json_line(value) if arguments.json else text
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def command_line(**hidden: Path | None) -> str:
    """The command as it was typed, for model cards, quoted for a shell; absolute folders are not given away.

    Args:
        hidden: files by the word that stands for each: what a user's file is called is the user's business.
    """
    names = {str(path): name for name, path in hidden.items() if path is not None}

    def kept(word: str) -> str:
        if word.startswith("--") and "=" in word:
            option, _, value = word.partition("=")
            return f"{option}={kept(value)}"
        if str(Path(word)) in names:
            return names[str(Path(word))]
        near = os.path.relpath(word) if word.startswith("/") else word
        return Path(word).name if near.startswith("..") else near

    return shlex.join(["python", "-m", "svge_core", *map(kept, sys.argv[1:])])


def refuse_unused(arguments: argparse.Namespace, names: Iterable[str], why: str) -> None:
    """See that nothing was typed that the chosen form of a command does not use; what was not typed is None.

    Args:
        arguments: as parsed.
        names: of the options, as attributes.
        why: what is used instead, a sentence without its full stop.

    Raises:
        SvgeError: naming the options to leave away.
    """
    typed = [f"--{name.replace('_', '-')}" for name in names if getattr(arguments, name) is not None]
    if typed:
        raise SvgeError(f"{why}: leave {', '.join(typed)} away.")


def standing(load: Callable[[], T | None]) -> T | None:
    """What lies where a new measurement will be written; None for nothing, and for what cannot be read any more."""
    try:
        return load()
    except CheckpointError:
        return None
