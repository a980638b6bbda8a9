"""The methods by name. A new one is one file with one class and one line here; ``make_searcher`` builds it."""

from collections.abc import Callable
from dataclasses import dataclass

from svge_core.checkpoints import Checkpoint
from svge_core.errors import SvgeError
from svge_core.search.domain import Domain
from svge_core.search.searchers.base import Proposal, RandomSearch, Searcher, rng_for

__all__ = ["METHODS", "Method", "Proposal", "RandomSearch", "Searcher", "make_searcher", "rng_for"]


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


METHODS: dict[str, Method] = {
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
