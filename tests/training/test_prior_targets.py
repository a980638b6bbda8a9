"""Training on draws from the prior: on all of them, or where the raw decoding is no member."""

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
import torch

from svge_core.cells.cell import Cell
from svge_core.errors import SvgeError
from svge_core.evaluation.metrics import generation
from svge_core.models import DecodeOptions
from svge_core.models.config import DEFAULTS
from svge_core.models.registry import MODELS, build_model
from svge_core.models.svge import SVGe
from svge_core.spaces import AbstractSearchSpace
from svge_core.spaces.registry import get_space
from svge_core.tensors import CellBatch, to_batch
from svge_core.training.config import TrainConfig
from svge_core.training.trainer import Trainer
from tests.support.core import TinySpace, tiny_batch, tiny_model
from tests.training.test_training import CONFIG, rows_of

SPACE = TinySpace(4)
FROM_THE_PRIOR = replace(CONFIG, prior_share=1.0, prior_from=0.0, prior_targets="invalid")


def everything(space: TinySpace) -> CellBatch:
    """All that a raw forward run can write: the first vertex is the input, the first end ends it."""
    inner = [label for label in space.vocabulary if label != space.vocabulary[0]]
    cells = []
    for nodes in range(2, space.max_nodes + 1):
        free = [pair for pair in combinations(range(nodes), 2) if pair != (0, 1)]  # that edge always exists
        for ops in product(inner, repeat=nodes - 2):
            for bits in product((False, True), repeat=len(free)):
                edges = ((0, 1), *(pair for pair, there in zip(free, bits, strict=True) if there))
                cells.append(Cell((space.vocabulary[1], *ops, space.vocabulary[0]), edges))
    return to_batch(space, cells, canonical=False)


@pytest.mark.parametrize("edges", ["independent", "sequential"])
def test_its_gradient_is_that_of_the_probability_of_no_member(edges: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model(SPACE, 3, edge_sampling=edges)
    every = everything(SPACE)
    z = torch.tensor([[0.3, -0.8, 0.5, 1.1]])
    drawn = model.log_probability(every, z.expand(len(every), -1)).exp()
    assert drawn.sum().item() == pytest.approx(1, abs=1e-5), "all that can be drawn"
    member = torch.tensor([SPACE.is_valid(as_cell(row, SPACE)) for row in rows(every)])
    assert 0.2 < drawn[~member].sum() < 0.98
    weights = [weight for name, weight in model.named_parameters() if name.startswith("generator")]
    expected = torch.autograd.grad(drawn[~member].sum(), weights, allow_unused=True)

    monkeypatch.setattr(Trainer, "_members_loss", lambda self, z, noise: torch.zeros(()))
    trainer = Trainer(model, tiny_batch(SPACE), FROM_THE_PRIOR)
    means = z.expand(60_000, -1)  # all equal, so that every draw is this latent
    loss = trainer._prior_loss(means, torch.Generator().manual_seed(1))
    assert isinstance(loss, torch.Tensor)
    found = torch.autograd.grad(loss, weights, allow_unused=True)
    a, b = (
        torch.cat([torch.zeros(w.numel()) if g is None else g.flatten() for g, w in zip(part, weights, strict=True)])
        for part in (expected, found)
    )
    assert (a - b).norm() < 0.1 * a.norm()


def as_cell(row: CellBatch, space: AbstractSearchSpace) -> Cell:
    """The graph as it stands, read without the project's own reader."""
    size = int(row.sizes)
    pairs = [(u, v) for u in range(size) for v in range(size) if row.adjacency[0, u, v] > 0]
    return Cell(tuple(space.vocabulary[kind] for kind in row.types[0, :size].tolist()), tuple(pairs))


def rows(batch: CellBatch) -> list[CellBatch]:
    """One batch per cell."""
    return [batch.select(slice(row, row + 1)) for row in range(len(batch))]


def test_the_likelier_cells_are_members_at_the_very_latents(monkeypatch: pytest.MonkeyPatch) -> None:
    space = get_space("nasbench101")
    trainer = Trainer(tiny_model(space, 3, edge_sampling="sequential"), tiny_batch(space), FROM_THE_PRIOR)
    asked: list[torch.Tensor] = []
    original = SVGe.terms

    def spied(self: SVGe, batch: CellBatch, z: torch.Tensor, reduction: str) -> tuple[torch.Tensor, torch.Tensor]:
        asked.append(z)
        assert all(space.is_valid(as_cell(row, space)) for row in rows(batch))
        return original(self, batch, z, reduction)

    monkeypatch.setattr(SVGe, "terms", spied)
    means = torch.randn(400, 4, generator=torch.Generator().manual_seed(2))
    trainer._prior_loss(means, torch.Generator().manual_seed(1))
    generator = torch.Generator().manual_seed(1)
    z = torch.randn(400, 4, generator=generator) * means.std(0) + means.mean(0)
    (given,) = asked
    assert 0 < len(given) < 400 and all((z == row).all(1).any() for row in given)


def test_where_every_draw_is_a_member_nothing_is_asked() -> None:
    space = get_space("nasbench201")  # of a fixed shape; an untrained model may still draw types that are none
    model = tiny_model(space, 3)
    trainer = Trainer(model, tiny_batch(space), FROM_THE_PRIOR)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(space), "is_valid", lambda self, cell: True)
        assert trainer._prior_loss(torch.randn(50, 4), torch.Generator().manual_seed(1)) == 0.0


def test_raw_decodings_become_members() -> None:
    space = get_space("nasbench101")
    cells = to_batch(space, [space.from_index(index) for index in range(0, space.size or 0, 4_001)])

    def valid_share(config: TrainConfig) -> float:
        run = Trainer(tiny_model(space, 5, edge_sampling="sequential"), cells, config)
        rows_of(run)
        found = generation(run.model.eval(), cells, DecodeOptions("forward"), latents=300, decodings=1)
        return found.valid.value

    plain = TrainConfig(epochs=25, batch_size=32, learning_rate=2e-2, warmup_steps=10, kl_warmup_epochs=1.0)
    aimed = replace(plain, prior_share=1.0, prior_from=0.2, prior_targets="invalid")
    assert valid_share(aimed) > valid_share(plain) + 0.05


@pytest.mark.parametrize("kind", sorted(MODELS))
def test_every_kind_of_model_learns_so(kind: str) -> None:
    space = get_space("randwire" if kind == "rows" else "nasbench101")
    torch.manual_seed(1)
    model = build_model(kind, space, replace(DEFAULTS[kind], encoding="one-hot" if kind == "rows" else "learned"))
    cells = to_batch(space, [space.random_cell(np.random.default_rng(row)) for row in range(16)])
    trainer = Trainer(model, cells, replace(FROM_THE_PRIOR, epochs=2))
    loss = trainer._prior_loss(model.encode(cells).mean.detach(), torch.Generator().manual_seed(1))
    assert isinstance(loss, torch.Tensor) and torch.isfinite(loss), "some draws of an untrained decoder are no members"
    rows = rows_of(trainer)
    assert len(rows) == 2 and all(np.isfinite(row.loss) for row in rows)


def test_other_words_are_refused() -> None:
    with pytest.raises(SvgeError, match="prior_targets"):
        TrainConfig.from_dict({"prior_targets": "some"})
