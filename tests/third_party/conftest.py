"""The third-party spaces and method, made known as a user would and unknown again, so that no other test sees them."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from svge_core import plugins
from svge_core.__main__ import main
from svge_core.atlas import build_atlas, save_atlas
from svge_core.checkpoints import load_checkpoint
from svge_core.models import HeadConfig
from svge_core.predictors import fit_predictor
from svge_core.search.searchers import METHODS
from svge_core.spaces import SPACES
from tests.support.meanings import made_up

#: cells of the larger space on its map
CHARTED = 300
MODULES = ("tests.third_party.ring_space", "docs.tutorials.function_space", "tests.third_party.coin_method")


@pytest.fixture(scope="package", autouse=True)
def plugged() -> Iterator[None]:
    """``SVGE_PLUGINS`` names the modules, for this process and those that it starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(plugins.VARIABLE, ", ".join(MODULES))
        plugins.load_plugins()
        yield
        del SPACES["ring"], SPACES["functions"], METHODS["coin"]
        for name in MODULES:
            del sys.modules[name]
            plugins._loaded.remove(f"{plugins.VARIABLE}: {name}")


@pytest.fixture(scope="package")
def root(plugged: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of checkpoints of both spaces, trained by the command, with atlas; that of rings has a predictor."""
    folder = tmp_path_factory.mktemp("third-party-checkpoints")
    sizes = ["--epochs=20", "--batch-size=32", "--hidden=16", "--latent=4", "--warmup-steps=10"]
    assert main(["train", "--space", "ring", "--name", "tiny", "--out", str(folder), "--json", *sizes]) == 0
    checkpoint = load_checkpoint(folder / "ring" / "tiny")
    save_atlas(checkpoint.folder, build_atlas(checkpoint, planes=("pca",)))  # UMAP takes half a minute to import
    cells = list(checkpoint.model.space.enumerate())
    values = np.array([80.0 + 2 * cell.ops.count("gate") + cell.ops.count("conv") for cell in cells])
    meaning = made_up("toy_valid", title="toy accuracy", data_set="Toy", split="", epochs=None, role="accuracy")
    fit_predictor(checkpoint, meaning, np.arange(378), values, labels=60, seed=1, head=HeadConfig(layers=2, epochs=1))
    sizes = ["--epochs=4", "--cells-per-epoch=400", "--batch-size=40", *sizes[2:]]
    assert main(["train", "--space", "functions", "--name", "tiny", "--out", str(folder), "--json", *sizes]) == 0
    checkpoint = load_checkpoint(folder / "functions" / "tiny")
    save_atlas(checkpoint.folder, build_atlas(checkpoint, planes=("pca",), charted=CHARTED))
    return folder
