"""The methods by name. A new one is one file with one class and one entry here; ``make_searcher`` builds it.

Titles are read where nothing is searched (forms, help), so a method's own file, which may load PyTorch, is imported
when the method is made.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from svge_core.errors import SvgeError
from svge_core.search.domain import Domain
from svge_core.search.searchers.base import RandomSearch, Searcher

if TYPE_CHECKING:
    from svge_core.checkpoints import Checkpoint


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
    make: "Callable[[Domain, Checkpoint | None], Searcher]"
    needs_checkpoint: bool = False


def _latent_bo(domain: Domain, checkpoint: "Checkpoint | None") -> Searcher:
    from svge_core.search.searchers.bayesian import BayesianSearch

    return BayesianSearch("latent-bo", domain, checkpoint)


def _gp(domain: Domain, checkpoint: "Checkpoint | None") -> Searcher:
    from svge_core.search.searchers.bayesian import BayesianSearch

    return BayesianSearch("gp", domain)


def _trees(domain: Domain, checkpoint: "Checkpoint | None") -> Searcher:
    from svge_core.search.searchers.trees import BoostedTrees

    return BoostedTrees(domain)


def _local_search(domain: Domain, checkpoint: "Checkpoint | None") -> Searcher:
    from svge_core.search.searchers.walks import LocalSearch

    return LocalSearch(domain)


def _evolution(domain: Domain, checkpoint: "Checkpoint | None") -> Searcher:
    from svge_core.search.searchers.walks import RegularisedEvolution

    return RegularisedEvolution(domain)


def _reinforce(domain: Domain, checkpoint: "Checkpoint | None") -> Searcher:
    from svge_core.search.searchers.walks import Reinforce

    return Reinforce(domain)


def _graphpnas(domain: Domain, checkpoint: "Checkpoint | None") -> Searcher:
    from svge_core.search.searchers.generative import GraphPNAS

    return GraphPNAS(domain)


def _graphpnas_reinforce(domain: Domain, checkpoint: "Checkpoint | None") -> Searcher:
    from svge_core.search.searchers.generative import GraphPNASReinforce

    return GraphPNASReinforce(domain)


def _lstm(domain: Domain, checkpoint: "Checkpoint | None") -> Searcher:
    from svge_core.search.searchers.generative import RecurrentSearch

    return RecurrentSearch(domain)


def _tpe(domain: Domain, checkpoint: "Checkpoint | None") -> Searcher:
    from svge_core.search.searchers.tpe import ParzenEstimator

    return ParzenEstimator(domain)


def _published(domain: Domain, checkpoint: "Checkpoint | None") -> Searcher:
    from svge_core.search.searchers.published import PublishedLatentSearch

    if checkpoint is None:
        raise SvgeError(f"SVGe-style search needs a checkpoint of {domain.space.title}.")
    return PublishedLatentSearch(domain, checkpoint)


def _random(domain: Domain, checkpoint: "Checkpoint | None") -> Searcher:
    return RandomSearch(domain)


METHODS: dict[str, Method] = {
    "latent-bo": Method(
        "Latent Bayesian optimisation (ours)",
        "Decoded, re-encoded architectures and one-edit mutations, ranked by a Gaussian process on latents, structure "
        "features or both, whichever predicts left-out evaluations best.",
        _latent_bo,
        needs_checkpoint=True,
    ),
    "gp": Method(
        "Gaussian process on structure",
        "The same without the latent space: mutations and random cells, structure features alone.",
        _gp,
    ),
    "trees": Method(
        "Boosted trees on structure",
        "Boosted trees on structure features over mutations, Thompson sampling by bootstrap.",
        _trees,
    ),
    "local-search": Method(
        "Local search",
        "One-edit moves, first improvement, random restarts.",
        _local_search,
    ),
    "evolution": Method(
        "Regularised evolution",
        "The best of a random sample of the youngest evaluations is mutated; the oldest die.",
        _evolution,
    ),
    "reinforce": Method(
        "REINFORCE",
        "One categorical distribution per gene, moved by the policy gradient.",
        _reinforce,
    ),
    "graphpnas": Method(
        "GraphPNAS",
        "A graph generator, fitted anew to the best architectures so far by rank-weighted likelihood, draws the next.",
        _graphpnas,
    ),
    "graphpnas-reinforce": Method(
        "GraphPNAS, policy gradient",
        "The same generator, moved by the true policy gradient after every evaluation.",
        _graphpnas_reinforce,
    ),
    "lstm": Method(
        "LSTM generator",
        "A recurrent network over the genotype, fitted as GraphPNAS fits its generator.",
        _lstm,
    ),
    "tpe": Method(
        "TPE (Optuna)",
        "Optuna's tree-structured Parzen estimator over the genotype.",
        _tpe,
    ),
    "svge-bo": Method(
        "SVGe-style (adapted)",
        "The authors' expected improvement over latent coordinates in batches of 50, each decoded to its most frequent "
        "cell; 100 random cells first instead of 1,000.",
        _published,
        needs_checkpoint=True,
    ),
    "random": Method("Random search", "Distinct random architectures.", _random),
}


def make_searcher(name: str, domain: Domain, checkpoint: "Checkpoint | None" = None) -> Searcher:
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
