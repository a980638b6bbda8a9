"""The true policy gradient of the generator (REINFORCE, Williams 1992): an ablation, not what GraphPNAS does.

One generator lives through the whole search. After each evaluation its weights move along the gradient of
advantage * log p(graph), where p is the exact probability of drawing the graph, and the advantage is the reward minus a
moving average of the rewards before, in units of a moving average of their distance from it. In a search draws that are
known or no member are drawn again, and p does not know of that; and the first cells, which no policy drew, move it too.
"""

from dataclasses import dataclass

import torch

from svge_core.graphpnas.generator import Generator, GeneratorOptions
from svge_core.graphpnas.space_views import Graphs, GraphView


@dataclass(frozen=True)
class PolicyOptions:
    """Settings of the policy gradient.

    Attributes:
        rate: of Adam.
        decay: of the moving averages.
        clip: largest advantage, in both directions.
    """

    rate: float = 3e-3
    decay: float = 0.9
    clip: float = 3.0


class Policy:
    """A generator and what its updates need to remember.

    Args:
        view: what is drawn.
        options: settings.
        sizes: of the generator.
        seed: of the initial weights.
    """

    def __init__(
        self,
        view: GraphView,
        options: PolicyOptions | None = None,
        sizes: GeneratorOptions | None = None,
        seed: int = 0,
    ) -> None:
        self.options = options or PolicyOptions()
        self.generator = Generator(view, sizes, seed)
        self.baseline: float | None = None
        self.spread: float | None = None
        self._optimiser = torch.optim.Adam(self.generator.parameters(), lr=self.options.rate, fused=True)

    def advantage(self, reward: float) -> float:
        """How good a reward is beside those before, clipped; the moving averages then take it in."""
        o = self.options
        if self.baseline is None:
            self.baseline = reward
            return 0.0
        gap = reward - self.baseline
        self.spread = abs(gap) if self.spread is None else o.decay * self.spread + (1.0 - o.decay) * abs(gap)
        self.baseline = o.decay * self.baseline + (1.0 - o.decay) * reward
        return max(-o.clip, min(o.clip, gap / self.spread)) if self.spread > 0.0 else 0.0

    def update(self, graph: Graphs, reward: float) -> float:
        """One step for one graph; greater rewards are better. Returns the advantage that was used."""
        advantage = self.advantage(reward)
        if advantage:
            self._optimiser.zero_grad()
            (-advantage * self.generator.log_likelihood(graph).sum()).backward()
            self._optimiser.step()
        return advantage
