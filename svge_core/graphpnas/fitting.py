"""GraphPNAS's step of learning: a new generator by rank-weighted maximum likelihood on the best graphs so far.

This is what the authors' code does: no policy gradient, but the pool of the K best of everything that was evaluated,
each weighted by its rank, and at every iteration fresh weights. The loss of one graph with n nodes is

    reward * ( -log p(edges) / (n (n + 1) / 2) + 1/2 mean over nodes of CE(label)
               + 1/8 sum over rows of the mean over the row's edges of CE(label) )

where log p(edges) is of the presence of edges alone. :class:`~svge_core.graphpnas.policy.Policy` is the true policy
gradient.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from svge_core.graphpnas.generator import Generator, GeneratorOptions
from svge_core.graphpnas.kernels import StackedTrainer
from svge_core.graphpnas.rows import lay_out
from svge_core.graphpnas.space_views import Graphs, GraphView, join_graphs
from svge_core.graphpnas.target_weights import targets
from svge_core.threads import counting, one_thread

#: what the counts of fitting and drawing are about
COUNTED = "GraphPNAS"
#: nodes of a step, over all fits: so many are worth a second thread (NAS-Bench-201's have 8, RandWire's 64)
_FOR_THREADS = 64


@dataclass(frozen=True)
class RefitOptions:
    """How a generator is fitted to the pool; the defaults are the authors' for NAS-Bench-201 and CIFAR-10.

    Attributes:
        keep: graphs of the pool (K).
        epochs: passes over it.
        batch: graphs per step of Adam.
        rate: Adam's.
    """

    keep: int = 15
    epochs: int = 70
    batch: int = 2
    rate: float = 1e-3


def best_by_rank(
    values: Sequence[float] | Float[np.ndarray, " observations"], keep: int
) -> tuple[Int[np.ndarray, " kept"], Float[np.ndarray, " kept"]]:
    """Positions of the best values, worst first, and their rewards: rank / number kept, 1 for the best.

    Args:
        values: greater is better.
        keep: most positions.
    """
    order = np.argsort(np.asarray(values, dtype=np.float64), kind="stable")[-keep:]
    return order, np.arange(1, len(order) + 1) / len(order)


def refit(
    view: GraphView,
    graphs: Graphs,
    rewards: Float[Tensor, " graphs"],
    options: RefitOptions | None = None,
    seed: int = 0,
    sizes: GeneratorOptions | None = None,
    on_epoch: Callable[[int, float], None] | None = None,
) -> Generator:
    """A generator fitted to graphs from fresh weights.

    Args:
        view: what is drawn.
        graphs: the pool.
        rewards: weight of each graph, not negative.
        options: of the fit; ``keep`` is not looked at.
        seed: of the weights and of the order.
        sizes: of the generator.
        on_epoch: called after every epoch with its number and mean loss.
    """

    def tell(epoch: int, losses: Tensor) -> None:
        if on_epoch is not None:
            on_epoch(epoch, float(losses))

    return refit_many(view, [graphs], rewards[None], options, [seed], sizes, tell)[0]


def refit_many(
    view: GraphView,
    pools: Sequence[Graphs],
    rewards: Float[Tensor, "models graphs"],
    options: RefitOptions | None = None,
    seeds: Sequence[int] = (0,),
    sizes: GeneratorOptions | None = None,
    on_epoch: Callable[[int, Tensor], None] | None = None,
) -> list[Generator]:
    """Independent fits side by side, each what :func:`refit` gives with its seed up to rounding, in less time.

    Args:
        view: as in :func:`refit`.
        pools: of as many graphs each.
        rewards: weights of their graphs.
        options: as in :func:`refit`.
        seeds: of each fit.
        sizes: as in :func:`refit`.
        on_epoch: called after every epoch with its number and the mean losses (models).
    """
    options = options or RefitOptions()
    generators = [Generator(view, sizes, seed) for seed in seeds]
    chances = [torch.Generator().manual_seed(seed) for seed in seeds]
    small = len(pools) * options.batch * view.nodes < _FOR_THREADS
    with one_thread() if small else nullcontext(), _denormals_flushed(), torch.inference_mode():
        graphs = join_graphs(pools)
        wanted = targets(view, graphs, rewards.flatten())
        trainer = StackedTrainer(generators, lay_out(view, graphs), wanted, options.batch, options.rate)
        with counting(COUNTED, "epochs fitted", options.epochs) as tell:
            for epoch in range(options.epochs):
                order = torch.stack([torch.randperm(len(pools[0]), generator=chance) for chance in chances])
                losses = trainer.epoch(order)
                tell(epoch + 1)
                if on_epoch is not None:
                    on_epoch(epoch + 1, losses)
        trainer.store()
    return generators


@contextmanager
def _denormals_flushed() -> Iterator[None]:
    """Gradients through closed gates underflow, and products with denormal numbers take ten times as long."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
