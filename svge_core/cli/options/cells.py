"""What ``encode``, ``decode``, ``predict``, ``find`` and ``compare`` take."""

import argparse
from pathlib import Path
from typing import Any, get_args

from svge_core.cli.options.shared import add_checkpoint, add_command, add_own_scores, whole_number
from svge_core.models import DecodeDirection


def register(commands: Any) -> None:
    """Add the commands."""
    parser = add_command(commands, "encode", "cell_commands:encode_command")
    add_cells(parser)
    add_checkpoint(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="write .npy, .csv or .json instead of printing")

    parser = add_command(commands, "decode", "cell_commands:decode_command")
    parser.add_argument(
        "latent", nargs="*", metavar="Z", help="comma-separated numbers; write -- before one that starts with a minus"
    )
    parser.add_argument("--file", type=Path, metavar="FILE", help="latents, one per row: .npy, .csv, .txt or .json")
    parser.add_argument("--plane", choices=("umap", "pca"), help="decode a position of this map, with --xy")
    parser.add_argument("--xy", type=float, nargs=2, metavar=("X", "Y"), help="the position")
    parser.add_argument("--samples", type=whole_number(1, 1_000_000), metavar="N", help="decode N samples of the prior")
    parser.add_argument("--seed", type=whole_number(0), help="of --samples and --sample (default: 0)")
    parser.add_argument("--direction", choices=get_args(DecodeDirection), default="both", help="(default: %(default)s)")
    rules = parser.add_mutually_exclusive_group()
    rules.add_argument(
        "--constrained", action="store_true", default=True, help="keep to the rules of the space (default)"
    )
    rules.add_argument("--raw", action="store_true", help="whatever the decoder says, members or not")
    draws = parser.add_mutually_exclusive_group()
    draws.add_argument("--argmax", action="store_true", default=True, help="the likeliest architecture (default)")
    draws.add_argument("--sample", action="store_true", help="draw one architecture per latent")
    add_checkpoint(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="write .json, .csv or .txt instead of printing")

    parser = add_command(commands, "predict", "cell_commands:predict_command")
    add_cells(parser)
    add_checkpoint(parser)
    parser.add_argument("--score", metavar="KEY", help="only this score (default: all that have a predictor)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write JSON to a file instead of printing")

    parser = add_command(commands, "find", "find_command:run")
    parser.add_argument("words", metavar="WORDS", help="such as 'at least 2 conv3x3, no pool, under 0.5 M parameters'")
    parser.add_argument(
        "--limit", type=whole_number(1, 1_000_000), default=20, metavar="N", help="show N (default: %(default)s)"
    )
    add_checkpoint(parser)
    add_own_scores(parser)

    parser = add_command(commands, "compare", "compare_command:run")
    parser.add_argument("cells", nargs="+", metavar="CELL", help="two to four, each as ARCH of the other commands")
    add_checkpoint(parser)
    add_own_scores(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="write .pdf (a page), .json, or .csv (two tables)")
    parser.add_argument("--theme", choices=("light", "dark"), help="of the page (default: light)")


def add_cells(parser: argparse.ArgumentParser) -> None:
    """One architecture, or a file of them."""
    parser.add_argument(
        "arch",
        nargs="?",
        metavar="ARCH",
        help="architecture string, index, genotype digits, or another form that the space reads, such as a NASLib "
        "tuple '(4, 0, 3, 1, 4, 3)' of NAS-Bench-201",
    )
    parser.add_argument(
        "--file",
        type=Path,
        metavar="FILE",
        help="many: .txt one per line, .csv with a column arch_str, arch, index, genotype or another that the "
        "space reads, .json a list or an export of this program",
    )
