"""The command ``extrapolate``: trained on small cells, asked about larger ones."""

import argparse

from svge_core.cli.common import command_line, config_from, emit, open_model
from svge_core.cli.waiting import Steps, counted
from svge_core.evaluation.extrapolation import ExtrapolationConfig, extrapolate, save
from svge_core.files import to_plain


def run(arguments: argparse.Namespace) -> int:
    """Measure, rank, and store ``extrapolation.json`` beside the checkpoint."""
    from svge_core.data.csv import read_labels, read_meaning

    checkpoint = open_model(arguments)
    known, meaning = (
        read_labels(arguments.csv, arguments.score, checkpoint.model.space),
        read_meaning(arguments.meaning),
    )
    config: ExtrapolationConfig = config_from(arguments, ExtrapolationConfig)
    command = command_line().replace(arguments.csv.name, "FILE")  # what a user's file is called is the user's business
    steps = Steps(arguments, config.draws + 1)
    with counted(arguments):
        content = extrapolate(checkpoint, meaning, known, known, config, command=command, on_step=steps)
    steps.close()
    path = save(checkpoint.folder, content)
    lines = [*known.remarks, f"{path}: {content.larger.distinct:,} larger cells ranked"]
    lines += [
        f"{row.predictor:>14}  {row.side:<8} n = {row.held_out:,}  Kendall tau "
        + ("-" if row.kendall_tau is None else f"{row.kendall_tau:.3f}")
        for row in content.table
    ]
    emit(
        arguments,
        {"file": str(path), "table": to_plain(content.table), "remarks": list(known.remarks)},
        "\n".join(lines),
    )
    return 0
