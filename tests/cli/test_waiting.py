"""What a terminal shows while a command works: finished steps, true counts, no guess of the time that is left."""

import argparse
import io
import sys
from pathlib import Path

import pytest

from svge_core.__main__ import main
from svge_core.cli import waiting
from svge_core.cli.waiting import Steps, counted
from svge_core.threads.progress import counting
from tests.support.waiting import until

PEOPLE, MACHINES = argparse.Namespace(json=False), argparse.Namespace(json=True)


class Terminal(io.StringIO):
    """What people look at."""

    def isatty(self) -> bool:
        return True


def look(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal from now on; no fixture, as pytest changes the streams once more between a fixture and its test."""
    made = Terminal()
    monkeypatch.setattr(sys, "stderr", made)
    monkeypatch.setattr(waiting, "EVERY", 0.01)
    return made


def test_a_step_is_done_when_the_next_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = look(monkeypatch)
    steps = Steps(PEOPLE, 3)
    done = [steps.bar.n]
    for text in ("latents", "cycles", "maps"):
        steps(text)
        done.append(steps.bar.n)
    steps.close()
    assert (done, steps.bar.n) == ([0, 0, 1, 2], 3)
    shown = terminal.getvalue()
    assert "0 of 3 steps done" in shown and "3 of 3 steps done" in shown and "cycles" in shown
    assert "<" not in shown and "it/s" not in shown, "neither the time that is left nor a speed"


def test_the_count_of_what_goes_on_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = look(monkeypatch)
    with counted(PEOPLE), counting("NAS-Bench-101", "cells encoded", 423_624) as tell:
        tell(16_384)
        until(lambda: "NAS-Bench-101: 16,384 of 423,624 cells encoded" in terminal.getvalue(), 60)
    assert "<" not in terminal.getvalue() and "it/s" not in terminal.getvalue()


def test_machines_and_files_are_shown_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = look(monkeypatch)

    def work(arguments: argparse.Namespace) -> None:
        steps = Steps(arguments, 2)
        with counted(arguments), counting("a", "b", 3):
            steps("one")
        steps.close()

    work(MACHINES)
    assert terminal.getvalue() == ""
    file = io.StringIO()
    monkeypatch.setattr(sys, "stderr", file)
    work(PEOPLE)
    assert file.getvalue() == ""


def test_building_an_atlas_shows_its_counts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []

    def built(checkpoint: object, **options: object) -> object:
        with counting("NAS-Bench-201", "cells encoded", 15_625):
            seen.append(until(lambda: "NAS-Bench-201: 0 of 15,625 cells encoded" in made.getvalue(), 60))
        raise KeyboardInterrupt

    monkeypatch.setattr("svge_core.atlas.build_atlas", built)
    made = look(monkeypatch)
    assert main(["atlas", "--checkpoint", str(folder)]) == 130
    assert seen == [True]
