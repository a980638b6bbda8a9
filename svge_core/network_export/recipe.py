"""``train.py``: how a network was trained where its space comes from, as a file that anybody can run and change."""

from collections.abc import Mapping
from importlib import resources
from string import Template

from svge_core.cells import Cell
from svge_core.network_export.code import NetworkCode
from svge_core.spaces import AbstractSearchSpace

_SGD = """    return torch.optim.SGD(
        network.parameters(), lr=LEARNING_RATE, momentum=0.9, weight_decay=5e-4, nesterov=True
    )"""
_RMSPROP = """    # TensorFlow, in which it was first done, adds eps below the root and starts the mean square at 1
    return torch.optim.RMSprop(
        network.parameters(), lr=LEARNING_RATE, alpha=0.9, eps=1.0, momentum=0.9, weight_decay=1e-4
    )"""
_ADAM = "    return torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)"

#: what the template is filled with, by the name that a space's :class:`NetworkCode` gives
RECIPES: Mapping[str, Mapping[str, object]] = {
    "sgd": {
        "origin": "NAS-Bench-201 (Dong & Yang 2020, table 1: SGD, cosine, flip and crop, 200 epochs).",
        "epochs": 200,
        "batch": 256,
        "learning_rate": 0.1,
        "flip": 0.5,
        "crop_padding": 4,
        "optimiser": _SGD,
    },
    "rmsprop": {
        "origin": "NAS-Bench-101 (Ying et al. 2019, supplement: RMSProp, cosine, flip and crop, 108 epochs).",
        "epochs": 108,
        "batch": 256,
        "learning_rate": 0.2,
        "flip": 0.5,
        "crop_padding": 4,
        "optimiser": _RMSPROP,
    },
    "adam": {
        "origin": "SVGe Explorer's for searches on digits: Adam, cosine, no augmentation, 8 epochs.",
        "epochs": 8,
        "batch": 64,
        "learning_rate": 0.01,
        "flip": 0,
        "crop_padding": 0,
        "optimiser": _ADAM,
    },
}


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
        # Python's own quoting: a notation cannot end its string
        architecture=ascii(space.format(cell)),
        space=ascii(space.name),
    )
