"""The command ``quality``: how far the latent of a checkpoint can be trusted."""

import argparse

import numpy as np

from svge_core.checkpoints import Checkpoint
from svge_core.cli.common import command_line, config_from, emit, open_model, standing
from svge_core.cli.waiting import Steps, counted
from svge_core.data import ScoreMeaning
from svge_core.data.csv import Labels
from svge_core.errors import SvgeError
from svge_core.evaluation.latent import STEPS, QualityConfig, load, save
from svge_core.files import to_plain

#: fewer labels say nothing about ten neighbours
LEAST_LABELS = 50


def run(arguments: argparse.Namespace) -> int:
    """Measure, and store ``quality.json`` beside the checkpoint."""
    from svge_core.evaluation.latent import measure, readings

    checkpoint = open_model(arguments)
    config: QualityConfig = config_from(arguments, QualityConfig)
    with counted(arguments):
        scores = read_labelled(checkpoint, arguments, config)
    command = command_line(FILE=arguments.csv, JSON=arguments.meaning)
    before = standing(lambda: load(checkpoint.folder, checkpoint.model.space.name))
    steps = Steps(arguments, len(STEPS))
    with counted(arguments):
        content = measure(checkpoint, scores, config, command=command, on_step=steps)
    steps.close()
    path = save(checkpoint.folder, content)
    found = readings(content)
    scores_before = None if before is None else [part.key for part in before.neighbours]
    lines = [] if scores_before is None else [f"replaced what was measured of {', '.join(scores_before) or 'no score'}"]
    lines += [f"{path}: {content.cells.words}, {content.seconds:.0f} s"]
    lines += [f"{row.title}: {row.value} ({row.denominator}). {row.text}" for row in found]
    emit(arguments, {"file": str(path), "replaced": scores_before, **to_plain(content)}, "\n".join(lines))
    return 0


def read_labelled(
    checkpoint: Checkpoint, arguments: argparse.Namespace, config: QualityConfig
) -> list[tuple[ScoreMeaning, Labels]]:
    """The scores to predict: of a file, of one key, or all measured ones; and how large the cells' networks are.

    None where nothing of all this is known of the space.

    Raises:
        SvgeError: if the options do not go together or there is no such score.
    """
    from svge_core.data import load_scores
    from svge_core.data.csv import read_labels, read_meaning

    space = checkpoint.model.space
    if (arguments.csv is None) != (arguments.meaning is None) or (arguments.csv is not None and not arguments.score):
        raise SvgeError("--csv, --score and --meaning go together: a file, its column of labels, and what they are.")
    known = load_scores(space)
    found: list[tuple[ScoreMeaning, Labels]] = []
    if arguments.csv is not None:
        found.append((read_meaning(arguments.meaning), read_labels(arguments.csv, arguments.score, space)))
    elif arguments.score is not None:
        known.meaning(arguments.score)
    for key in known.columns(detail=False):
        wanted = key == arguments.score if arguments.score else known.meaning(key).kind == "measured"
        if wanted and arguments.csv is None:
            values = known.frame[key].to_numpy(dtype=float)
            rows = np.flatnonzero(np.isfinite(values))
            found.append((known.meaning(key), Labels(rows, values[rows])))
    found = [(meaning, labels) for meaning, labels in found if len(labels.indices) >= LEAST_LABELS]
    if arguments.score and not found:
        raise SvgeError(f"Fewer than {LEAST_LABELS} cells have a label of {arguments.score!r}: too few for neighbours.")
    if space.has_cost and all(meaning.key != "params_m" for meaning, _ in found):
        found.append(_sizes(checkpoint, known.meaning("params_m"), config))
    return found


def _sizes(checkpoint: Checkpoint, meaning: ScoreMeaning, config: QualityConfig) -> tuple[ScoreMeaning, Labels]:
    """Parameters of a sample of the cells: a score that no training can spoil."""
    from svge_core.atlas import chart_indices

    space = checkpoint.model.space
    rng = np.random.default_rng((config.seed, 41))
    indices = chart_indices(space, config.labelled)
    if len(indices) > config.labelled:
        indices = np.sort(rng.choice(indices, config.labelled, replace=False))
    values = space.costs_of(space.from_index(int(index)) for index in indices)[:, 0]
    return meaning, Labels(indices, values)
