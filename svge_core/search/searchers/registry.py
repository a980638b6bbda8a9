"""The methods by name. ``register_method`` makes a new one known, ``make_searcher`` builds one.

A searcher is imported when it is made: to know the methods' names needs neither torch nor any of them.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from svge_core.errors import SvgeError
from svge_core.search.domain import Domain
from svge_core.search.searchers.base import RandomSearch, Searcher
from svge_core.spaces import AbstractSearchSpace

if TYPE_CHECKING:
    from svge_core.checkpoints import Checkpoint

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True)
class LineStyle:
    """How a method is drawn in every chart.

    Attributes:
        light, dark: colour on a light and on a dark page, ``#rrggbb``.
        dash, symbol: of its line and its marks, in Plotly's words.
        width: of its line in pixels.
    """

    light: str
    dark: str
    dash: str = "solid"
    symbol: str = "circle"
    width: float = 2.0


@dataclass(frozen=True)
class Method:
    """A search method as people choose it.

    Attributes:
        title: name on the screen.
        summary: one sentence: what it does.
        make: builds it for a domain and, where ``needs_checkpoint``, a model.
        style: how it is drawn; None for one of the palette's that no shipped method has.
        needs_checkpoint: whether it searches in a checkpoint's latent space.
        unfit: why it cannot search a space, in one sentence; empty where it can. None if it can search every space.
    """

    title: str
    summary: str
    make: "Callable[[Domain, Checkpoint | None], Searcher]"
    style: LineStyle | None = None
    needs_checkpoint: bool = False
    unfit: Callable[[AbstractSearchSpace], str] | None = None

    def why_not(self, space: AbstractSearchSpace) -> str:
        """Why it cannot search a space; empty where it can."""
        return "" if self.unfit is None else self.unfit(space)


def _bayesian(name: str, domain: Domain, checkpoint: "Checkpoint | None") -> Searcher:
    from svge_core.search.searchers.bayesian import BayesianSearch

    return BayesianSearch(name, domain, checkpoint)


def _latent(domain: Domain, checkpoint: "Checkpoint | None") -> Searcher:
    return _bayesian("latent-bo", domain, checkpoint)


def _gp(domain: Domain, checkpoint: "Checkpoint | None") -> Searcher:
    return _bayesian("gp", domain, None)


def _trees(domain: Domain, checkpoint: "Checkpoint | None") -> Searcher:
    from svge_core.search.searchers.trees import BoostedTrees

    return BoostedTrees(domain)


def _local(domain: Domain, checkpoint: "Checkpoint | None") -> Searcher:
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


def _needs_graphs(space: AbstractSearchSpace) -> str:
    if space.generator_view() is None:
        return f"GraphPNAS has no view of {space.title} as graphs."
    return ""


#: every method that is known in this process, in the order in which people read them
METHODS: dict[str, Method] = {
    "latent-bo": Method(
        "Latent Bayesian optimisation (ours)",
        "Decoded, re-encoded architectures and one-edit mutations, ranked by a Gaussian process on latents, structure "
        "features or both, whichever predicts left-out evaluations best.",
        _latent,
        LineStyle("#0b5cad", "#6cb6ff", "solid", "circle", width=3.0),
        needs_checkpoint=True,
    ),
    "gp": Method(
        "Gaussian process on structure",
        "The same without the latent space: mutations and random cells, structure features alone.",
        _gp,
        LineStyle("#1197c6", "#1f86ad", "dash", "diamond"),
    ),
    "trees": Method(
        "Boosted trees on structure",
        "Boosted trees on structure features over mutations, Thompson sampling by bootstrap.",
        _trees,
        LineStyle("#027d28", "#2fd35a", "dashdot", "square"),
    ),
    "local-search": Method(
        "Local search",
        "One-edit moves, first improvement, random restarts.",
        _local,
        LineStyle("#de715a", "#d65a34", "dash", "triangle-up"),
    ),
    "evolution": Method(
        "Regularised evolution",
        "The best of a random sample of the youngest evaluations is mutated; the oldest die.",
        _evolution,
        LineStyle("#c53de0", "#b455f5", "dashdot", "triangle-down"),
    ),
    "reinforce": Method(
        "REINFORCE",
        "One categorical distribution per gene, moved by the policy gradient.",
        _reinforce,
        LineStyle("#a42650", "#cf8479", "longdash", "cross"),
    ),
    "graphpnas": Method(
        "GraphPNAS",
        "A graph generator, fitted anew to the best architectures so far by rank-weighted likelihood, draws the next.",
        _graphpnas,
        LineStyle("#540056", "#c8db00", "longdash", "star"),
        unfit=_needs_graphs,
    ),
    "graphpnas-reinforce": Method(
        "GraphPNAS, policy gradient",
        "The same generator, moved by the true policy gradient after every evaluation.",
        _graphpnas_reinforce,
        LineStyle("#1b0179", "#a04466", "dashdot", "bowtie"),
        unfit=_needs_graphs,
    ),
    "lstm": Method(
        "LSTM generator",
        "A recurrent network over the genotype, fitted as GraphPNAS fits its generator.",
        _lstm,
        LineStyle("#0d0400", "#dcfaf4", "dash", "hourglass"),
    ),
    "tpe": Method(
        "TPE (Optuna)",
        "Optuna's tree-structured Parzen estimator over the genotype.",
        _tpe,
        LineStyle("#b07e12", "#f0ca7a", "longdashdot", "pentagon"),
    ),
    "svge-bo": Method(
        "SVGe-style (adapted)",
        "The authors' expected improvement over latent coordinates in batches of 50, each decoded to its most frequent "
        "cell; 100 random cells first instead of 1,000.",
        _published,
        LineStyle("#3c22e0", "#7d62d0", "dot", "hexagon"),
        needs_checkpoint=True,
    ),
    "random": Method(
        "Random search",
        "Distinct random architectures.",
        lambda domain, checkpoint: RandomSearch(domain),
        LineStyle("#6b7480", "#98a2b3", "dot", "x"),
    ),
}


def register_method(name: str, method: Method) -> Method:
    """Make a search method known to this process: to searches, the commands and the pages.

    Registering it again under its name replaces a method of the same title, as when its module is loaded anew.

    Args:
        name: as it is typed and stored: small letters, digits and dashes.
        method: what people choose.

    Returns:
        the method.

    Raises:
        SvgeError: if the name cannot be used, or another method has it.
    """
    if not isinstance(method, Method):
        raise SvgeError(f"A search method is a svge_core.search.Method; got {repr(method)[:80]}.")
    if not _NAME.fullmatch(name):
        raise SvgeError(
            f"A method's name is a small letter, then small letters, digits or dashes, at most 40; got {name[:80]!r}."
        )
    if name in METHODS and METHODS[name].title != method.title:
        raise SvgeError(f"There is a method {name!r} already, {METHODS[name].title}: choose another name.")
    METHODS[name] = method
    return method


def make_searcher(name: str, domain: Domain, checkpoint: "Checkpoint | None" = None) -> Searcher:
    """Build a searcher.

    Raises:
        SvgeError: if there is no such method, it needs a checkpoint of this space and none is given, or it cannot
            search the space.
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
    if reason := method.why_not(domain.space):
        raise SvgeError(f"{method.title} cannot search this space: {reason}")
    return method.make(domain, checkpoint)
