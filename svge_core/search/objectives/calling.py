"""The inside of the process that calls a user's function: reads cells, calls, answers; a line of JSON for each.

It ends, with everything the function has started, as soon as whoever asks is gone: it holds the other end of the pipe.
"""

import contextlib
import json
import os
import queue
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from svge_core.cells import Cell
from svge_core.errors import SvgeError
from svge_core.search.objectives.goals import PrunedError
from svge_core.search.objectives.python_function import imported_function, one_line
from svge_core.spaces import get_space

if TYPE_CHECKING:
    from svge_core.search.objectives.training import TrainedInProcess


def serve(path: str, space: str = "", device: str = "auto") -> None:
    """Import the function that a path names, say so, and call it until nobody asks any more.

    Args:
        path: of the function; with a space, what a ``train:`` word says.
        space: name of the space whose networks are trained.
        device: that they are trained on.

    What the function prints goes to the standard error stream: the standard output is for the answers.
    """
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    try:
        trained = _trained(path, space, device) if space else None
        function = trained or imported_function(path)
    except SvgeError as error:
        _say(answers, {"refused": str(error)})
        return
    _say(answers, {"ready": True, "goals": [goal.meaning.to_dict() for goal in trained.goals] if trained else []})
    asked: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    # from a thread, so that the end of whoever asks is noticed in the middle of an evaluation too
    threading.Thread(target=_listen, args=(questions, asked), name="questions", daemon=True).start()

    def go_on(epoch: int, value: float) -> bool:
        _say(answers, {"epoch": epoch, "value": value})
        return bool(json.loads(asked.get())["go_on"])

    while True:
        question = json.loads(asked.get())
        cell = Cell(tuple(question["ops"]), tuple((u, v) for u, v in question["edges"]))
        try:
            values = trained.evaluate(cell, go_on) if trained and question.get("staged") else function.evaluate(cell)
            answer: dict[str, Any] = {"values": values}
        except PrunedError as error:
            answer = {"pruned": str(error)}
        except SvgeError as error:
            answer = {"problem": str(error)}
        except BaseException as error:  # nobody interrupts this process by a signal: it was the function
            answer = {"problem": f"{function.name} raised {one_line(error)}"}
        _say(answers, answer)


def _trained(words: str, space: str, device: str) -> "TrainedInProcess":
    from svge_core.search.objectives.training import TrainedInProcess  # with torch, for which no plain function waits

    return TrainedInProcess(words, get_space(space), device)


def _listen(questions: BinaryIO, asked: "queue.SimpleQueue[bytes]") -> None:
    for line in questions:
        asked.put(line)
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
            os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


def _say(answers: BinaryIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.flush()
