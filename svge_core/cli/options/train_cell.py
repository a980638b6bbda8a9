"""What ``train-cell`` takes."""

import argparse
from pathlib import Path
from typing import Any

from svge_core.cli.options.shared import add_command, add_device, add_fields, whole_number
from svge_core.network_training import IMAGE_SIZE, PRESETS, SAVE_SECONDS, TrainRecipe
from svge_core.spaces import SPACES


def register(commands: Any) -> None:
    """Add the command."""
    parser = add_command(commands, "train-cell", "train_cell_command:train_cell")
    parser.add_argument("--space", default="nasbench201", choices=sorted(SPACES), help="(default: %(default)s)")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--cell", metavar="TEXT", help="architecture in any notation that the space reads")
    which.add_argument("--index", type=whole_number(0), metavar="N", help="official index of the architecture")
    add_images(parser)
    parser.add_argument(
        "--recipe",
        default="digits",
        metavar="NAME",
        help=f"{', '.join(PRESETS)}, or with settings: nasbench201,epochs=12 (default: %(default)s)",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder of weights and result.json; resumed by itself"
    )
    parser.add_argument("--fresh", action="store_true", help="begin anew where the folder holds a training")
    parser.add_argument(
        "--save-every", type=float, default=SAVE_SECONDS, metavar="SECONDS", help="(default: %(default)s)"
    )
    parser.add_argument(
        "--queue", type=Path, metavar="FILE", help="begin when no other training with the same FILE is going on"
    )
    add_device(parser)
    settings = parser.add_argument_group(
        "settings",
        "change the recipe, whose own values hold where none is given; the defaults here are those of digits",
    )
    add_fields(settings, TrainRecipe, typed_only=True)


def add_images(parser: argparse.ArgumentParser) -> None:
    """The images to train on."""
    parser.add_argument(
        "--data",
        default="digits",
        metavar="DATA",
        help="digits, a folder with one sub-folder of images per class, a .npz file with arrays images and labels, or "
        "python:package.module:function that returns a PyTorch data set (default: %(default)s)",
    )
    parser.add_argument(
        "--image-size",
        type=whole_number(4, 4096),
        default=IMAGE_SIZE,
        metavar="PIXELS",
        help="side that the images of a folder are brought to (default: %(default)s)",
    )
    parser.add_argument("--allow-python", action="store_true", help="agree that a python: word runs your code")
