"""Encoding of many cells in a server: PyTorch has one thread meanwhile, and its own number again afterwards."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from svge_core.atlas import charted, drawn
from svge_core.cells import Cell
from svge_core.models import GraphVAE, encode_all
from svge_core.predictors import checkpoint_predictors
from tests.support.core import TinySpace, tiny_model

SPACE = TinySpace(5)
CELLS = [SPACE.from_index(index) for index in range(6)]
Encoder = Callable[[GraphVAE, list[Cell]], np.ndarray]


@pytest.mark.parametrize(
    ("place", "encoder"),
    [
        (charted, lambda model, cells: charted.encode_indices(model, np.arange(len(cells)))),
        (drawn, drawn.encode_cells),
        (checkpoint_predictors, lambda model, cells: checkpoint_predictors.encoder_of(model)(cells)),
    ],
    ids=["indexed", "drawn", "for a predictor"],
)
def test_one_thread_encodes(place: Any, encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def spied(*given: Any) -> Any:
        seen.append(torch.get_num_threads())
        return encode_all(*given)

    monkeypatch.setattr(place, "encode_all", spied)
    model = tiny_model(SPACE)
    torch.set_num_threads(3)
    try:
        found = encoder(model, CELLS)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(1)
    assert seen == [1]
    assert found.shape == (6, model.config.latent)
