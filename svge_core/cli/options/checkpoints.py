"""What ``train``, ``evaluate``, ``atlas``, ``fit`` and ``card`` take."""

from pathlib import Path
from typing import Any

from svge_core.atlas import CHARTED, DRAWN
from svge_core.cli.options.shared import add_checkpoint, add_command, add_device, add_fields, whole_number
from svge_core.models import DEFAULTS, ModelConfig
from svge_core.spaces import SPACES
from svge_core.training import SAVE_EVERY_SECONDS, TrainConfig

FIT_LABELS, FIT_SEED = 781, 1


def register(commands: Any) -> None:
    """Add the commands."""
    parser = add_command(commands, "train", "checkpoint_commands:train")
    parser.add_argument("--space", default="nasbench201", choices=sorted(SPACES), help="search space")
    parser.add_argument("--name", default="svge", help="name of the checkpoint (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("checkpoints"), help="root folder (default: %(default)s)")
    parser.add_argument("--fresh", action="store_true", help="ignore and overwrite an unfinished run")
    parser.add_argument(
        "--initial", type=Path, metavar="DIR", help="start from the weights of this checkpoint (same space and model)"
    )
    parser.add_argument(
        "--save-every", type=float, default=SAVE_EVERY_SECONDS, metavar="SECONDS", help="(default: %(default)s)"
    )
    add_device(parser)
    models = parser.add_argument_group("model", f"defaults are SVGe's; others differ in: {_other_defaults()}")
    models.add_argument("--model", default="svge", choices=sorted(DEFAULTS), help="(default: %(default)s)")
    add_fields(models, ModelConfig, typed_only=True)
    add_fields(parser, TrainConfig)
    parser = add_command(commands, "evaluate", "checkpoint_commands:evaluate")
    add_checkpoint(parser)
    parser.add_argument("--seed", type=whole_number(0), default=0, help="sampling seed (default: %(default)s)")
    parser.add_argument("--dry-run", action="store_true", help="do not store the results in meta.json")
    parser = add_command(commands, "atlas", "checkpoint_commands:atlas")
    add_checkpoint(parser)
    parser.add_argument(
        "--charted",
        type=whole_number(3),
        help=f"size of the sample of a space that is too large to list (default: {CHARTED}, without indices {DRAWN})",
    )
    parser.add_argument(
        "--seed", type=whole_number(0), default=1, help="of UMAP and of the sample (default: %(default)s)"
    )
    parser = add_command(commands, "fit", "checkpoint_commands:fit")
    add_checkpoint(parser)
    parser.add_argument("--score", metavar="KEY", help="score to predict (default: the first one that is measured)")
    parser.add_argument(
        "--csv", type=Path, metavar="FILE", help="take labels from the column --score of a CSV file (with --meaning)"
    )
    parser.add_argument("--meaning", type=Path, metavar="JSON", help="what the labels of --csv are")
    parser.add_argument(
        "--labels", type=whole_number(2), help=f"number of labelled cells (default: {FIT_LABELS}, 5 %%)"
    )
    parser.add_argument("--seed", type=whole_number(0), help=f"draws the labelled cells (default: {FIT_SEED})")
    parser.add_argument(
        "--intervals",
        action="store_true",
        help="fit the intervals of the stored predictor again, on its own labels and seed; predictions stay",
    )
    parser = add_command(commands, "card", "checkpoint_commands:card")
    add_checkpoint(parser)


def _other_defaults() -> str:
    """Where the models' default settings differ from SVGe's, in words."""
    usual, parts = DEFAULTS["svge"].to_dict(), []
    for name, defaults in DEFAULTS.items():
        own = [f"{key} {value}" for key, value in defaults.to_dict().items() if value != usual[key]]
        if own:
            parts.append(f"{name} ({', '.join(own)})")
    return "; ".join(parts)
