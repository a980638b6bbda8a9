"""The recurrent rival: an LSTM that writes the flat genotype gene by gene, fitted like GraphPNAS's generator.

Two layers of 128 units, logits 2.5 tanh(x / 5), as in the published baseline. Its loss there leaves the reward out;
here it is the same rank-weighted likelihood of the same pool, from fresh weights, as the graph generator's, so that
the two differ in the distribution alone.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


@dataclass(frozen=True)
class RecurrentOptions:
    """Sizes and fit of the LSTM.

    Attributes:
        hidden: units per layer.
        layers: stacked.
        temperature, limit: logits are limit * tanh(x / temperature).
        keep: cells of the pool.
        epochs: passes over it.
        batch: cells per step of Adam.
        rate: Adam's.
    """

    hidden: int = 128
    layers: int = 2
    temperature: float = 5.0
    limit: float = 2.5
    keep: int = 15
    epochs: int = 70
    batch: int = 2
    rate: float = 1e-3


class Recurrent(nn.Module):
    """An autoregressive distribution over genotypes.

    Args:
        choices: of every gene.
        options: sizes.
        seed: of the initial weights.
    """

    def __init__(self, choices: tuple[int, ...], options: RecurrentOptions | None = None, seed: int = 0) -> None:
        super().__init__()
        self.choices, self.options = choices, options or RecurrentOptions()
        o, most = self.options, max(choices)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.place = nn.Embedding(len(choices), o.hidden)
            self.before = nn.Embedding(most + 1, o.hidden)  # the last one: nothing yet
            self.cell = nn.LSTM(o.hidden, o.hidden, o.layers, batch_first=True)
            self.out = nn.Linear(o.hidden, most)
        allowed = torch.arange(most) < torch.tensor(choices)[:, None]
        self.register_buffer("allowed", allowed, persistent=False)

    def _log_probabilities(self, states: Tensor, genes: slice) -> Tensor:
        o = self.options
        logits = o.limit * torch.tanh(self.out(states) / o.temperature)
        return logits.masked_fill(~self.get_buffer("allowed")[genes], float("-inf")).log_softmax(-1)

    def log_likelihood(self, genotypes: Int[Tensor, "cells genes"]) -> Float[Tensor, " cells"]:
        """Exact log probability (nats) of genotypes."""
        count, genes = genotypes.shape
        start = torch.full((count, 1), self.before.num_embeddings - 1)
        given = torch.cat([start, genotypes[:, :-1]], dim=1)
        states, _ = self.cell(self.before(given) + self.place(torch.arange(genes)))
        logs = self._log_probabilities(states, slice(None))
        return logs.gather(2, genotypes[:, :, None])[:, :, 0].sum(1)

    @torch.inference_mode()
    def sample(self, count: int, chance: torch.Generator) -> Int[Tensor, "cells genes"]:
        """Independent genotypes."""
        last = torch.full((count, 1), self.before.num_embeddings - 1)
        state, drawn = None, []
        for gene in range(len(self.choices)):
            states, state = self.cell(self.before(last) + self.place(torch.tensor([gene])), state)
            logs = self._log_probabilities(states, slice(gene, gene + 1))
            last = torch.multinomial(logs[:, 0].exp(), 1, generator=chance)
            drawn.append(last)
        return torch.cat(drawn, dim=1)


def refit_recurrent(
    choices: tuple[int, ...],
    genotypes: Int[Tensor, "cells genes"],
    rewards: Float[Tensor, " cells"],
    options: RecurrentOptions | None = None,
    seed: int = 0,
) -> Recurrent:
    """An LSTM fitted to the pool from fresh weights: reward times negative log likelihood per gene, mean over cells.

    As many steps as a refit of the graph generator takes, in an order drawn from the seed.
    """
    model = Recurrent(choices, options, seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=model.options.rate, fused=True)
    chance = torch.Generator().manual_seed(seed)
    for _ in range(model.options.epochs):
        for rows in torch.randperm(len(genotypes), generator=chance).split(model.options.batch):
            optimiser.zero_grad()
            loss = -(rewards[rows] * model.log_likelihood(genotypes[rows])).mean() / len(choices)
            loss.backward()
            optimiser.step()
    return model
