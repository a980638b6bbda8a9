"""What the tests of the model core share: a tiny search space of cells of many sizes, tiny models, small helpers."""

from collections.abc import Iterator
from functools import cache, cached_property
from itertools import combinations, product
from pathlib import Path

import numpy as np
import torch

from svge_core.cells.cell import INPUT, OUTPUT, Cell, canonical_cell, cell_key
from svge_core.checkpoints.checkpoint import Checkpoint, CheckpointMeta, data_digest, load_checkpoint, save_checkpoint
from svge_core.data.held_out import split_cells
from svge_core.errors import InvalidCellError, ParseError
from svge_core.models.config import ModelConfig
from svge_core.models.svge import SVGe
from svge_core.spaces.base import AbstractSearchSpace, Cost, DecodingRules
from svge_core.spaces.registry import get_space
from svge_core.tensors import CellBatch, to_batch
from svge_core.training.config import TrainConfig
from svge_core.training.trainer import Trainer


class TinySpace(AbstractSearchSpace):
    """Cells of 2 to ``max_nodes`` nodes, operations a and b, every node on a path from the input to the output.

    NAS-Bench-201 cells all have the same structure; sizes, padding, edges and node order are tested with this space.
    """

    operations = ("a", "b")
    equivalence = "Equal up to the order in which the nodes are written down."

    def __init__(self, max_nodes: int = 5) -> None:
        self.name, self.title, self.max_nodes = f"tiny{max_nodes}", f"Tiny {max_nodes}", max_nodes
        self.gene_choices = (max_nodes - 1, *(2,) * (max_nodes - 2), *(2,) * (max_nodes * (max_nodes - 1) // 2))
        # counting means writing all of them down, which ends for small cells only
        self.size = len(self._members) if max_nodes <= 6 else None

    @cached_property
    def _members(self) -> tuple[Cell, ...]:
        found: dict[Cell, None] = {}
        for nodes in range(2, self.max_nodes + 1):
            pairs = list(combinations(range(nodes), 2))
            for chosen in product((False, True), repeat=len(pairs)):
                edges = tuple(pair for pair, there in zip(pairs, chosen, strict=True) if there)
                if self.is_valid(Cell((INPUT, *("a",) * (nodes - 2), OUTPUT), edges)):
                    for ops in product(self.operations, repeat=nodes - 2):
                        found[canonical_cell(Cell((INPUT, *ops, OUTPUT), edges))] = None
        return tuple(found)

    @cached_property
    def _by_genotype(self) -> dict[tuple[int, ...], Cell]:
        return {self.genotype(cell): cell for cell in self._members}

    def validate(self, cell: Cell) -> None:
        if not 2 <= cell.num_nodes <= self.max_nodes:
            raise InvalidCellError(f"A tiny cell has 2 to {self.max_nodes} nodes; got {cell.num_nodes}.")
        if cell.ops[0] != INPUT or cell.ops[-1] != OUTPUT:
            raise InvalidCellError(f"A tiny cell starts with 'input', ends with 'output'; got {cell.ops}.")
        if any(op not in self.operations for op in cell.ops[1:-1]):
            raise InvalidCellError(f"A tiny cell's operations are a and b; got {cell.ops}.")
        if any(not sources for sources in cell.sources[1:]) or any(not targets for targets in cell.targets[:-1]):
            raise InvalidCellError(f"Every node of a tiny cell is on a path; got {cell.edges}.")

    def canonical(self, cell: Cell) -> Cell:
        form = canonical_cell(cell)
        self.validate(form)
        return form

    def key(self, cell: Cell) -> str:
        return cell_key(cell)

    def random_cell(self, rng: np.random.Generator) -> Cell:
        nodes = int(rng.integers(2, self.max_nodes + 1))  # uniform over sizes, so that small cells come too
        members = [cell for cell in self._members if cell.num_nodes == nodes]
        return members[int(rng.integers(len(members)))]

    def neighbours(self, cell: Cell) -> list[Cell]:
        """Members whose genotype differs in exactly one gene."""
        genes, known = self.genotype(cell), self._by_genotype
        changed = (
            (*genes[:place], choice, *genes[place + 1 :])
            for place, choices in enumerate(self.gene_choices)
            for choice in range(choices)
            if choice != genes[place]
        )
        return [known[other] for other in changed if other in known]

    def enumerate(self) -> Iterator[Cell]:
        return iter(self._members)

    def parse(self, text: str) -> Cell:
        raise ParseError(f"Tiny cells have no notation; got {text!r}.")

    def format(self, cell: Cell) -> str:
        return f"{'-'.join(cell.ops)} {cell.edges}"

    def genotype(self, cell: Cell) -> tuple[int, ...]:
        """Size, one operation per possible inner node, one bit per possible edge."""
        form = self.canonical(cell)
        ops = [self.operations.index(op) for op in form.ops[1:-1]]
        padding = [0] * (self.max_nodes - form.num_nodes)
        edges = [int(pair in form.edges) for pair in combinations(range(self.max_nodes), 2)]
        return (form.num_nodes - 2, *ops, *padding, *edges)

    def from_genotype(self, genotype: tuple[int, ...]) -> Cell:
        if tuple(genotype) not in self._by_genotype:
            raise InvalidCellError(f"No tiny cell has the genotype {str(genotype)[:120]}.")
        return self._by_genotype[tuple(genotype)]

    def index(self, cell: Cell) -> int:
        return self._members.index(self.canonical(cell))

    def from_index(self, index: int) -> Cell:
        return self._members[index]

    def decoding_rules(self) -> DecodingRules:
        node_types = np.zeros((self.max_nodes, len(self.vocabulary)), dtype=bool)
        node_types[0, 1] = node_types[-1, 0] = True
        node_types[1:-1, [0, 2, 3]] = True
        return DecodingRules(node_types, np.triu(np.full((self.max_nodes,) * 2, -1, dtype=np.int8), 1))

    def cost(self, cell: Cell) -> Cost:
        return Cost(0.001 * cell.num_nodes, 0.01 * len(cell.edges), "none")


TINY = TinySpace(5)


def tiny_model(space: AbstractSearchSpace, seed: int = 0, **config: object) -> SVGe:
    """An untrained model whose parameters are all random: the step embeddings start at zero and would hide mistakes."""
    settings = {"hidden": 8, "latent": 4, "operation_dim": 3, **config}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = SVGe(space, ModelConfig(**settings)).eval()  # type: ignore[arg-type]
        with torch.no_grad():
            for embedding in model.generator.steps:
                embedding.normal_(std=0.5)
    return model


def random_cells(space: AbstractSearchSpace, count: int, seed: int = 0) -> list[Cell]:
    """Members drawn at random."""
    rng = np.random.default_rng(seed)
    return [space.random_cell(rng) for _ in range(count)]


def tiny_batch(space: AbstractSearchSpace = TINY, count: int = 24, seed: int = 0) -> CellBatch:
    """A batch of random members; in the tiny space their sizes differ."""
    return to_batch(space, random_cells(space, count, seed))


def in_double(batch: CellBatch) -> CellBatch:
    """The batch for a model in double precision."""
    return CellBatch(batch.types, batch.adjacency.double(), batch.sizes)


def narrowed(batch: CellBatch) -> CellBatch:
    """The batch without the padded positions that no cell of it needs."""
    width = int(batch.sizes.max())
    return CellBatch(batch.types[:, :width], batch.adjacency[:, :width, :width], batch.sizes)


@cache
def all_cells(space: AbstractSearchSpace) -> CellBatch:
    """Every cell of a space as one batch, made once per process."""
    return to_batch(space, list(space.enumerate()))


TINY_TRAINING = TrainConfig(epochs=1, batch_size=8, held_out=0.1, seed=5)


def write_checkpoint(folder: Path, model: SVGe, training: TrainConfig = TINY_TRAINING) -> Checkpoint:
    """Store a model as a checkpoint of its space and read it back."""
    space = model.space
    cells = all_cells(space)
    split = split_cells(len(cells), training.held_out, training.seed)
    meta = CheckpointMeta(
        space=space.name,
        config=model.config,
        training=training.to_dict(),
        data_digest=data_digest(cells.select(split.train)),
        data_count=len(split.train),
        held_out_count=len(split.held_out),
        command="python -m svge_core train",
    )
    save_checkpoint(folder, model, meta)
    return load_checkpoint(folder)


def write_sampled_checkpoint(folder: Path, model: SVGe) -> Checkpoint:
    """Store a model of a space that is not listed as a checkpoint and read it back."""
    meta = CheckpointMeta(
        model.space.name, model.config, TINY_TRAINING.to_dict(), "0" * 16, 1_000, 100, "python -m svge_core train"
    )
    save_checkpoint(folder, model, meta)
    return load_checkpoint(folder)


#: the eight cells of :func:`overfitted_model`, by official index
OVERFITTED = (0, 1, 2, 3, 5_000, 10_000, 15_000, 15_624)


@cache
def overfitted_model() -> SVGe:
    """A NAS-Bench-201 model that knows eight cells by heart (about three seconds; made once per process)."""
    space = get_space("nasbench201")
    cells = to_batch(space, [space.from_index(index) for index in OVERFITTED])
    model = tiny_model(space, 1, hidden=32, latent=8, beta=0.001, posterior_noise=0.1)
    config = TrainConfig(epochs=150, batch_size=8, learning_rate=1e-2, warmup_steps=5, held_out=0.0)
    for _ in Trainer(model, cells, config).steps():
        pass
    return model.eval()
