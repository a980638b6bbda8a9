"""The commands that made a checkpoint and what lies beside it, as its files record them, fitting together.

A command that was typed names the checkpoint as it lay where it was typed. Here all of them name the folder that the
training writes, so that one after the other they make it again.
"""

import os
import shlex
from collections.abc import Iterator

from svge_core.atlas import FILE as ATLAS
from svge_core.checkpoints import Checkpoint
from svge_core.evaluation import extrapolation, latent
from svge_core.predictors import stored_infos

_PROGRAM = ["python", "-m", "svge_core"]
#: what stands in a recorded command for the name of a person's file
PLACEHOLDERS = ("FILE", "JSON")


def recipe(checkpoint: Checkpoint) -> list[str]:
    """Commands, or comments where none was recorded, in the order in which they are to be run.

    Raises:
        CheckpointError: if a file that records a command is damaged.
    """
    space, lines, folder = checkpoint.meta.space, [], ""
    for command in checkpoint.meta.commands:
        named = _naming(command, "--initial", folder) if lines else command
        lines.append(named or "# the command that trained it is not recorded")
        folder = _written_by(named, space)
    folder = folder or _near(checkpoint)
    return [*lines, *(_naming(line, "--checkpoint", folder) for line in _beside(checkpoint))]


def leaves_names_out(lines: list[str]) -> bool:
    """Whether a command has placeholders for the names of files."""
    return any(word.rpartition("/")[2] in PLACEHOLDERS for line in lines for word in _words(line))


def _beside(checkpoint: Checkpoint) -> Iterator[str]:
    """What was run on the checkpoint, each command with the folder that it was typed with, or none."""
    space, program = checkpoint.model.space, " ".join(_PROGRAM)
    if (checkpoint.folder / ATLAS).is_file():  # before the predictors, which store their predictions of its cells
        yield f"{program} atlas"
    if checkpoint.meta.metrics:
        seed = checkpoint.meta.metrics[0].seed
        yield f"{program} evaluate{f' --seed {seed}' if seed else ''}"
    for key, info in stored_infos(checkpoint.folder).items():
        yield info.command or f"# the predictor of {key}: {info.labels:,} labels; its command is not recorded"
    quality, larger = latent.load(checkpoint.folder, space.name), extrapolation.load(checkpoint.folder, space)
    for name, content in (("quality", quality), ("extrapolation", None if larger is None else larger.content)):
        if content is not None and content.checkpoint == checkpoint.digest:  # of other weights: not of this model
            yield content.command or f"# {name}: its command is not recorded"
    yield f"{program} card"


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:  # a quotation that nothing closes: not a command
        return []


def _written_by(command: str, space: str) -> str:
    """The folder that a training writes; empty for what is no command of ours, such as a call from Python."""
    words = _words(command)
    if words[:4] != [*_PROGRAM, "train"]:
        return ""
    given = {"--out": "checkpoints", "--name": "svge"}
    for word, value in zip(words, [*words[1:], ""], strict=True):
        option, equals, rest = word.partition("=")
        if option in given:
            given[option] = rest if equals else value
    return f"{given['--out']}/{space}/{given['--name']}"


def _naming(command: str, option: str, folder: str) -> str:
    """The command with this folder for the option; as it is where it is no command of ours or no folder is known."""
    words = _words(command)
    if words[: len(_PROGRAM)] != _PROGRAM or not folder:
        return command
    named, rest = list[str](), iter(words)
    for word in rest:
        if word.partition("=")[0] != option:
            named.append(word)
            continue
        if word == option:
            next(rest, None)
        named += [option, folder]
    return shlex.join(named if option in named else [*named, option, folder])


def _near(checkpoint: Checkpoint) -> str:
    """The folder from here; its name alone where it lies elsewhere, as absolute folders are not given away."""
    near = os.path.relpath(checkpoint.folder)
    return checkpoint.folder.name if near.startswith("..") else near
