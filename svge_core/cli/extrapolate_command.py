"""The command ``extrapolate``: trained on small cells, asked about larger ones."""

import argparse

from svge_core.cli.common import command_line, config_from, emit, open_model, standing
from svge_core.cli.waiting import Steps, counted
from svge_core.evaluation.extrapolation import ExtrapolationConfig, extrapolate, load, save
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
    before = standing(lambda: load(checkpoint.folder, checkpoint.model.space))
    command = command_line(FILE=arguments.csv)
    steps = Steps(arguments, config.draws + 1)
    with counted(arguments):
        content = extrapolate(checkpoint, meaning, known, known, config, command=command, on_step=steps)
    steps.close()
    path = save(checkpoint.folder, content)
    replaced = None if before is None else before.meaning.key
    lines = [*known.remarks, *([] if replaced is None else [f"replaced what was measured of {replaced}"])]
    lines += [f"{path}: {content.larger.distinct:,} larger cells ranked"]
    lines += [
        f"{row.predictor:>14}  {row.side:<8} n = {row.held_out:,}  Kendall tau "
        + ("-" if row.kendall_tau is None else f"{row.kendall_tau:.3f}")
        for row in content.table
    ]
    emit(
        arguments,
        {"file": str(path), "replaced": replaced, "table": to_plain(content.table), "remarks": list(known.remarks)},
        "\n".join(lines),
    )
    return 0
