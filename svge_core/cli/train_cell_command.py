"""``train-cell`` trains one architecture on images and says what it is worth."""

import argparse
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from svge_core.cli.common import emit, json_line, use_threads
from svge_core.cli.waiting import shows_bars
from svge_core.errors import SvgeError
from svge_core.explorer import find_cell
from svge_core.files import LockHeldError, exclusive
from svge_core.network_training import NetworkStep, TrainedNetwork, TrainRecipe, read_recipe, train_network
from svge_core.networks import network_options
from svge_core.spaces import get_space

#: seconds between two words on how far a training is, for machines
EVERY = 0.5
#: settings that not every space's network has
SIZES = ("channels", "cells_per_stage")


def train_cell(arguments: argparse.Namespace) -> int:
    """Train to the end, saving as it goes; a rerun of the same command goes on from the last save."""
    use_threads(arguments)
    space = get_space(arguments.space)
    cell = find_cell(space, str(arguments.index) if arguments.cell is None else arguments.cell)
    typed = {item.name: getattr(arguments, item.name) for item in fields(TrainRecipe) if hasattr(arguments, item.name)}
    for name in SIZES:
        if typed.get(name) and name not in network_options(space):
            raise SvgeError(f"The networks of {space.title} have no {name.replace('_', ' ')}: leave the option away.")
    shown = _Shown(arguments)
    try:
        with _turn(arguments.queue, shown):
            found = train_network(
                space,
                cell,
                arguments.data,
                replace(read_recipe(arguments.recipe), **typed),
                folder=arguments.out,
                image_size=arguments.image_size,
                device=arguments.device,
                fresh=arguments.fresh,
                allow_python=arguments.allow_python,
                save_every=arguments.save_every,
                on_step=shown,
            )
    finally:
        shown.close()
    last = {"event": "done", "folder": str(arguments.out), "result": found.to_dict()}
    emit(arguments, last, _text(found, str(arguments.out)))
    return 0


@contextmanager
def _turn(queue: Path | None, shown: "_Shown") -> Generator[None, None, None]:
    """Hold the file of the queue while training; the operating system frees it when whoever holds it dies."""
    if queue is None:
        yield
        return
    with ExitStack() as stack:
        try:
            stack.enter_context(exclusive(queue, wait=False))
        except LockHeldError:
            shown.waits()
            stack.enter_context(exclusive(queue))
        yield


class _Shown:
    """A bar and a line per epoch for people, events for machines."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments, self.bar, self.said = arguments, None, 0.0

    def __call__(self, at: NetworkStep) -> None:
        """After every step."""
        if self.bar is None:
            self.bar: Any = tqdm(total=at.steps, initial=at.step, unit="step", disable=not shows_bars(self.arguments))
            if at.step:
                self._event({"event": "resumed", "step": at.step, "steps": at.steps})
        self.bar.update(at.step - self.bar.n if not self.bar.disable else 0)
        place = {"step": at.step, "steps": at.steps, "run": at.run, "runs": at.runs, "seed": at.seed}
        if at.row is not None:
            left = {"epochs": at.epochs, "seconds_left": at.seconds_left}
            self._event({"event": "epoch", **place, **left, **asdict(at.row)})
        elif self.arguments.json and time.monotonic() - self.said > EVERY:
            self._event({"event": "step", **place, "epochs": at.epochs, "seconds_left": at.seconds_left})

    def waits(self) -> None:
        """Another training goes on first."""
        self._event({"event": "waiting"})

    def close(self) -> None:
        """The last step is done, or none will come."""
        if self.bar is not None:
            self.bar.close()

    def _event(self, event: dict[str, Any]) -> None:
        self.said = time.monotonic()
        if self.arguments.json:
            sys.stdout.write(json_line(event) + "\n")
        elif event["event"] == "waiting":
            tqdm.write("waiting for another training of the queue")
        elif event["event"] == "resumed":
            tqdm.write(f"resumed at step {event['step']:,} of {event['steps']:,}")
        else:
            seed = f"seed {event['seed']}  " if event["runs"] > 1 else ""
            tqdm.write(
                f"{seed}epoch {event['epoch']}/{event['epochs']}  loss {event['loss']:.4f}  "
                f"train {event['train']:.2f} %  validation {event['validation']:.2f} %  {event['seconds']:.0f} s"
            )
        sys.stdout.flush()


def _text(found: TrainedNetwork, folder: str) -> str:
    """The result for people; selection was by validation, so the test accuracy comes last."""
    lines = [
        f"validation {found.validation:.2f} %, test {found.test:.2f} %, {found.parameters:,} parameters, "
        f"{found.seconds:.1f} s on {found.device}"
    ]
    if len(found.runs) > 1:
        lines += [f"  seed {run.seed}: validation {run.validation:.2f} %, test {run.test:.2f} %" for run in found.runs]
    return "\n".join([*lines, found.meaning.describe(), f"wrote {folder}"])
