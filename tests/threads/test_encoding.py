"""Encoding of many cells: PyTorch has one thread meanwhile, and its own number again afterwards."""

from typing import Any

import pytest
import torch

from svge_core.models import encode_all
from svge_core.models.svge import SVGe
from tests.support.core import TinySpace, tiny_batch, tiny_model


def test_one_thread_encodes(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    real = SVGe.encode

    def spied(self: SVGe, *given: Any) -> Any:
        seen.append(torch.get_num_threads())
        return real(self, *given)

    monkeypatch.setattr(SVGe, "encode", spied)
    space = TinySpace(5)
    model, cells = tiny_model(space), tiny_batch(space)
    torch.set_num_threads(3)
    try:
        means, log_vars = encode_all(model, cells)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(1)
    assert seen == [1]
    assert means.shape == log_vars.shape == (len(cells), model.config.latent)
