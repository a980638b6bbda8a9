"""What the functions of ``import svge_core`` say to values that are not of the type they take.

Run by a test in a process of its own: within the tests every function is checked against its annotations, which would
answer in our place. Prints a JSON object, by call: the error's type and text.
"""

import json
import sys
from pathlib import Path
from typing import Any

import svge_core as svge


def given(value: Any) -> Any:
    """A value as a person gives it, whom no type checker holds back."""
    return value


def calls(folder: str) -> dict[str, Any]:
    """By text, a function of no arguments that is to fail."""
    space = svge.get_space("nasbench201")
    cell = space.from_index(0)
    model, explorer = svge.load_checkpoint(folder, device="cpu"), svge.open_explorer(folder)
    z = model.encode([cell])
    return {
        "encode text": lambda: model.encode([given("|nor_conv_3x3~0|")]),
        "encode one": lambda: model.encode(given(cell)),
        "predict index": lambda: model.predict([given(3)], "cifar10_valid"),
        "decode direction": lambda: model.decode(z, direction=given("sideways")),
        "decode complex": lambda: model.decode(given(z.astype(complex))),
        "decode ragged": lambda: model.decode(given([[1.0], [1.0, 2.0]])),
        "decode seed": lambda: model.decode(z, seed=given(-1)),
        "decode half a seed": lambda: model.decode(z, seed=given(1.5)),
        "checkpoint device": lambda: svge.load_checkpoint(folder, device=given(3)),
        "checkpoint space": lambda: svge.load_checkpoint(folder, space=given(201)),
        "draw theme": lambda: svge.draw(cell, space, theme=given("sepia")),
        "draw text": lambda: svge.draw(given("cell"), space),
        "draw view": lambda: svge.draw(cell, space, view=given("side")),
        "export theme": lambda: svge.export([cell], Path("cell.svg"), theme=given("sepia")),
        "export texts": lambda: svge.export(given(["cell"]), Path("cell.json")),
        "path kind": lambda: svge.interpolate(explorer, cell, space.from_index(9), given("curly")),
        "outline mode": lambda: svge.figure_map(explorer, parts=[(given("bogus"), ((0, 0), (1, 0), (0, 1)))]),
        "path explorer": lambda: svge.interpolate(given(folder), cell, space.from_index(9)),
        "path text": lambda: svge.interpolate(explorer, given("cell"), cell),
        "sampler model": lambda: svge.cell_sampler("latent-bo", space, given(folder)),
        "sampler seed": lambda: svge.cell_sampler("random", space, seed=given("one")),
        "space": lambda: svge.get_space(given(201)),
        "validate": lambda: space.validate(given("cell")),
        "epochs": lambda: svge.TrainConfig(epochs=given(1.5)),
        "rate": lambda: svge.TrainConfig(learning_rate=given("fast")),
        "precision": lambda: svge.TrainConfig(precision=given("float8")),
        "training seed": lambda: svge.TrainConfig(seed=given(-1)),
        "decode constrained": lambda: model.decode(z, constrained=given("yes")),
        "decode argmax": lambda: model.decode(z, argmax=given(1)),
        "path constrained": lambda: svge.interpolate(explorer, cell, space.from_index(9), constrained=given("no")),
        "sampler limit": lambda: svge.cell_sampler("random", space, where=given("params_m<0.5")),
        "sampler free": lambda: svge.cell_sampler("random", space, like="#3", free=given(0)),
        "sampler distinct": lambda: svge.cell_sampler("random", space, distinct=given("no")),
        "run restricted": lambda: svge.search.SearchConfig(
            "nasbench201", ("table:cifar10_valid",), "random", 2, restricted=given("no")
        ),
        "run distinct": lambda: svge.search.SearchConfig(
            "nasbench201", ("table:cifar10_valid",), "random", 2, distinct=given("no")
        ),
        "evaluation store": lambda: svge.evaluate(model, store=given("no")),
        "evaluation seed": lambda: svge.evaluate(model, seed=given(True)),
    }


def said(call: Any) -> tuple[str, str]:
    """The error's type and text."""
    try:
        return ("nothing", repr(call())[:200])
    except Exception as error:
        return (type(error).__name__, str(error))


if __name__ == "__main__":
    print(json.dumps({name: said(call) for name, call in calls(sys.argv[1]).items()}))
