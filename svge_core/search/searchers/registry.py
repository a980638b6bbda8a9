"""The methods by name. A new one is one file with one class and one line here; ``make_searcher`` builds it."""

from collections.abc import Callable
from dataclasses import dataclass

from svge_core.checkpoints import Checkpoint
from svge_core.errors import SvgeError
from svge_core.search.domain import Domain
from svge_core.search.searchers.base import RandomSearch, Searcher
from svge_core.search.searchers.bayesian import BayesianSearch
from svge_core.search.searchers.generative import GraphPNAS, GraphPNASReinforce, RecurrentSearch
from svge_core.search.searchers.published import PublishedLatentSearch
from svge_core.search.searchers.tpe import ParzenEstimator
from svge_core.search.searchers.trees import BoostedTrees
from svge_core.search.searchers.walks import LocalSearch, RegularisedEvolution, Reinforce


@dataclass(frozen=True)
class Method:
    """A search method as people choose it.

    Attributes:
        title: name on the screen.
        summary: one sentence: what it does.
        make: builds it for a domain and, where ``needs_checkpoint``, a model.
        needs_checkpoint: whether it searches in a checkpoint's latent space.
    """

    title: str
    summary: str
    make: Callable[[Domain, Checkpoint | None], Searcher]
    needs_checkpoint: bool = False


def _published(domain: Domain, checkpoint: Checkpoint | None) -> Searcher:
    if checkpoint is None:
        raise SvgeError(f"SVGe-style search needs a checkpoint of {domain.space.title}.")
    return PublishedLatentSearch(domain, checkpoint)


METHODS: dict[str, Method] = {
    "latent-bo": Method(
        "Latent Bayesian optimisation (ours)",
        "Decoded, re-encoded architectures and one-edit mutations, ranked by a Gaussian process on latents, structure "
        "features or both, whichever predicts left-out evaluations best.",
        lambda domain, checkpoint: BayesianSearch("latent-bo", domain, checkpoint),
        needs_checkpoint=True,
    ),
    "gp": Method(
        "Gaussian process on structure",
        "The same without the latent space: mutations and random cells, structure features alone.",
        lambda domain, checkpoint: BayesianSearch("gp", domain),
    ),
    "trees": Method(
        "Boosted trees on structure",
        "Boosted trees on structure features over mutations, Thompson sampling by bootstrap.",
        lambda domain, checkpoint: BoostedTrees(domain),
    ),
    "local-search": Method(
        "Local search",
        "One-edit moves, first improvement, random restarts.",
        lambda domain, checkpoint: LocalSearch(domain),
    ),
    "evolution": Method(
        "Regularised evolution",
        "The best of a random sample of the youngest evaluations is mutated; the oldest die.",
        lambda domain, checkpoint: RegularisedEvolution(domain),
    ),
    "reinforce": Method(
        "REINFORCE",
        "One categorical distribution per gene, moved by the policy gradient.",
        lambda domain, checkpoint: Reinforce(domain),
    ),
    "graphpnas": Method(
        "GraphPNAS",
        "A graph generator, fitted anew to the best architectures so far by rank-weighted likelihood, draws the next.",
        lambda domain, checkpoint: GraphPNAS(domain),
    ),
    "graphpnas-reinforce": Method(
        "GraphPNAS, policy gradient",
        "The same generator, moved by the true policy gradient after every evaluation.",
        lambda domain, checkpoint: GraphPNASReinforce(domain),
    ),
    "lstm": Method(
        "LSTM generator",
        "A recurrent network over the genotype, fitted as GraphPNAS fits its generator.",
        lambda domain, checkpoint: RecurrentSearch(domain),
    ),
    "tpe": Method(
        "TPE (Optuna)",
        "Optuna's tree-structured Parzen estimator over the genotype.",
        lambda domain, checkpoint: ParzenEstimator(domain),
    ),
    "svge-bo": Method(
        "SVGe-style (adapted)",
        "The authors' expected improvement over latent coordinates in batches of 50, each decoded to its most frequent "
        "cell; 100 random cells first instead of 1,000.",
        _published,
        needs_checkpoint=True,
    ),
    "random": Method(
        "Random search", "Distinct random architectures.", lambda domain, checkpoint: RandomSearch(domain)
    ),
}


def make_searcher(name: str, domain: Domain, checkpoint: Checkpoint | None = None) -> Searcher:
    """Build a searcher.

    Raises:
        SvgeError: if there is no such method, or it needs a checkpoint of this space and none is given.
    """
    if name not in METHODS:
        raise SvgeError(f"Unknown search method {name[:60]!r}: expected one of {', '.join(METHODS)}.")
    method = METHODS[name]
    if method.needs_checkpoint and checkpoint is None:
        raise SvgeError(f"{method.title} searches a latent space: give a checkpoint of {domain.space.title}.")
    if checkpoint is not None and checkpoint.model.space.name != domain.space.name:
        raise SvgeError(
            f"The checkpoint is of {checkpoint.model.space.title}, the search of {domain.space.title}: "
            "choose a checkpoint of the same space."
        )
    return method.make(domain, checkpoint)
