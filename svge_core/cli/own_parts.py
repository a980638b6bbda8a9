"""Scores of one's own beside the known ones: a table, and what was trained and timed on this machine."""

import argparse
import sys

from svge_core.cli.common import use_threads
from svge_core.data import Scores, import_csv
from svge_core.devices import pick_device
from svge_core.explorer import Explorer, open_explorer
from svge_core.jobs import scores_from_here
from svge_core.spaces import AbstractSearchSpace


def own_scores(arguments: argparse.Namespace, space: AbstractSearchSpace) -> list[Scores]:
    """Columns of ``--scores`` and ``--runs``, where they are given.

    Raises:
        SvgeError: if a file cannot be read, or there is nothing of the space in it.
    """
    found: list[Scores] = []
    if arguments.scores is not None:
        read = import_csv(space, arguments.scores)
        for remark in read.remarks():  # lines not used, averaged ones, directions that were taken; not into the answer
            sys.stderr.write(f"{arguments.scores.name}: {remark}\n")
        found.append(read.to_scores(space))
    if arguments.runs is not None:
        found.append(scores_from_here(space, arguments.runs))
    return found


def opened(arguments: argparse.Namespace) -> Explorer:
    """The checkpoint that the options name, with scores of one's own.

    Raises:
        SvgeError: as :func:`own_scores`, or if the checkpoint cannot be opened.
    """
    use_threads(arguments)
    explorer = open_explorer(arguments.checkpoint, device=pick_device(arguments.device))
    for scores in own_scores(arguments, explorer.space):
        explorer = explorer.with_scores(scores)
    return explorer
