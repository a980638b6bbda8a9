"""What ``search`` and ``worker`` take."""

import argparse
import os
import re
from pathlib import Path
from typing import Any

from svge_core.cli.options.shared import Parser, add_cluster, add_command, add_device, whole_number
from svge_core.search.runs import DEFAULT_STORAGE, MAX_BATCH, MAX_BUDGET, MAX_SEED, PRUNERS
from svge_core.search.searchers import METHODS
from svge_core.spaces import SPACES

#: what a new run is like unless it is said; a stored run has its own
NEW_RUN = {"space": "nasbench201", "method": "random", "budget": 100, "seeds": 1, "seed": 0, "batch": 1}
#: a storage URL with a password is better not on the command line, where every user of the machine can read it
STORAGE_VARIABLE = "SVGE_STORAGE"


def register(commands: Any) -> None:
    """Add the commands."""
    parser = add_command(commands, "search", "search_command:search")
    parser.add_argument("--space", choices=sorted(SPACES), help=f"(default: {NEW_RUN['space']})")
    parser.add_argument(
        "--objective",
        action="append",
        metavar="O",
        help="table:KEY, predictor:KEY, csv:FILE:COLUMN (then :min or :max), digits:valid (trains RandWire networks), "
        "train:digits, train:FOLDER or train:FILE.npz (then :RECIPE, such as :digits,epochs=4; trains any network) "
        "or python:package.module:function; again for several goals",
    )
    parser.add_argument("--method", choices=tuple(METHODS), help=f"(default: {NEW_RUN['method']})")
    parser.add_argument(
        "--budget",
        type=whole_number(1, MAX_BUDGET),
        metavar="N",
        help=f"evaluations (default: {NEW_RUN['budget']})",
    )
    parser.add_argument(
        "--seeds",
        type=whole_number(1, 1000),
        metavar="K",
        help=f"runs, each with a seed one higher (default: {NEW_RUN['seeds']})",
    )
    parser.add_argument("--seed", type=whole_number(0, MAX_SEED), help=f"of the first run (default: {NEW_RUN['seed']})")
    parser.add_argument(
        "--batch",
        type=whole_number(1, MAX_BATCH),
        metavar="Q",
        help=f"proposals at a time (default: {NEW_RUN['batch']})",
    )
    parser.add_argument(
        "--checkpoint",
        type=Path,
        metavar="DIR",
        help="model (default: the one in checkpoints/SPACE that its file DEFAULT names, else svge)",
    )
    parser.add_argument(
        "--restrict", action="store_true", default=None, help="search only among the cells with a known value"
    )
    parser.add_argument(
        "--distinct",
        action=argparse.BooleanOptionalAction,
        help="propose cells that compute the same once (default: for real training and python: functions)",
    )
    parser.add_argument(
        "--prune",
        choices=tuple(PRUNERS),
        help="stop trainings of poor cells early (of one train: goal); they count, without a value",
    )
    parser.add_argument("--start", type=Path, metavar="CSV", help="existing labels to start from, beside the budget")
    parser.add_argument(
        "--candidates",
        type=Path,
        metavar="FILE",
        help="propose only the architectures of this .txt, .csv or .json file, to rank a list of your own",
    )
    parser.add_argument(
        "--where",
        action="append",
        metavar="LIMIT",
        help="propose only cells within this limit, such as 'params_m<0.5' or 'flops_m>=20'; again for several",
    )
    parser.add_argument("--like", metavar="ARCH", help="propose only cells that have the genes of this one, but for")
    parser.add_argument("--free", type=gene_positions, metavar="GENES", help="these, counted from 0, such as 0,3")
    parser.add_argument("--name", help="of the run (default: space, method and seed)")
    parser.add_argument("--resume", metavar="NAME", help="go on with a run, or with all runs of a race")
    parser.add_argument(
        "--table",
        action="append",
        metavar="FILE",
        help="with --resume: a CSV file that a run of an earlier version names by its path; its content is stored",
    )
    parser.add_argument("--list", action="store_true", help="list the runs of the store")
    add_storage(parser)
    _add_python(parser)
    add_device(parser)
    add_cluster(parser, "evaluation")

    parser = add_command(commands, "worker", "search_command:worker")
    parser.add_argument("--study", required=True, metavar="NAME", help="name of the run")
    add_storage(parser)
    _add_python(parser)
    add_device(parser)


def gene_positions(text: str) -> tuple[int, ...]:
    """Positions of genes, with commas between.

    Raises:
        argparse.ArgumentTypeError: with what is expected.
    """
    if not re.fullmatch(r"\d{1,6}(\s*,\s*\d{1,6})*", text.strip(), re.ASCII):
        raise argparse.ArgumentTypeError(f"expected positions of genes such as 0,3, got {text[:40]!r}")
    return tuple(int(number) for number in text.split(","))


def add_storage(parser: Parser) -> None:
    """Where runs are kept."""
    parser.add_argument(
        "--storage",
        default=os.environ.get(STORAGE_VARIABLE) or DEFAULT_STORAGE,
        metavar="URL",
        help=f"sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DB (${STORAGE_VARIABLE} or {DEFAULT_STORAGE})",
    )


def _add_python(parser: Parser) -> None:
    """Whether a stored run may name code to import."""
    parser.add_argument(
        "--allow-python",
        nargs="*",
        metavar="WORD",
        help="import the user's function that the stored run names; with words such as python:mine:f, only those",
    )
