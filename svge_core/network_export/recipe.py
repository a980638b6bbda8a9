"""``train.py``: how a network was trained where its space comes from, as a file that anybody can run and change."""

from collections.abc import Mapping
from importlib import resources
from string import Template
from textwrap import fill

from svge_core.cells import Cell
from svge_core.network_export.code import NetworkCode
from svge_core.network_training import IMAGE_SUFFIXES, PRESETS, PresetRecipe
from svge_core.spaces import AbstractSearchSpace

#: how an optimiser is made, filled with a recipe's own numbers
_OPTIMISERS = {
    "sgd": """    return torch.optim.SGD(
        network.parameters(),
        lr=LEARNING_RATE,
        momentum={momentum!r},
        weight_decay={weight_decay!r},
        nesterov={nesterov!r},
    )""",
    "rmsprop": """    # TensorFlow, in which it was first done, adds eps below the root and starts the mean square at 1
    return torch.optim.RMSprop(
        network.parameters(),
        lr=LEARNING_RATE,
        alpha=0.9,
        eps={epsilon!r},
        momentum={momentum!r},
        weight_decay={weight_decay!r},
    )""",
    "adam": "    return torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)",
}


def _filling(preset: PresetRecipe) -> dict[str, object]:
    """What the template is filled with for a recipe."""
    recipe = preset.recipe
    return {
        "origin": fill(f"Recipe: {preset.title}. {preset.source}", 108),
        "epochs": recipe.epochs,
        "batch": recipe.batch_size,
        "learning_rate": recipe.learning_rate,
        "flip": 0.5 if recipe.flip else 0,
        "crop_padding": recipe.crop_padding,
        "optimiser": _OPTIMISERS[recipe.optimiser].format(**recipe.to_dict()),
    }


#: what the template is filled with, by the optimiser that a space's :class:`NetworkCode` gives
RECIPES: Mapping[str, Mapping[str, object]] = {preset.recipe.optimiser: _filling(preset) for preset in PRESETS.values()}


def train_code(space: AbstractSearchSpace, cell: Cell, code: NetworkCode, shape: tuple[int, int, int]) -> str:
    """The file ``train.py`` beside the ``model.py`` of a cell.

    It appends a line to ``labels.csv``, which is read as a table of the user's own scores.

    Args:
        space: of the cell.
        cell: whose network is trained.
        code: says which of :data:`RECIPES` is taken.
        shape: colours, height and width of the images; they are square.
    """
    template = resources.files("svge_core.network_export").joinpath("train_template.txt").read_text("utf-8")
    return Template(template).substitute(
        RECIPES[code.recipe],
        side=shape[1],
        colours=shape[0],
        suffixes=", ".join(f'"{suffix}"' for suffix in sorted(IMAGE_SUFFIXES)),
        # Python's own quoting: a notation cannot end its string
        architecture=ascii(space.format(cell)),
        space=ascii(space.name),
    )
