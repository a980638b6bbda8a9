"""From a configuration to what works on it: model, objective, domain, searcher. Each mistake is one clear line."""

from dataclasses import dataclass
from pathlib import Path

from svge_core.checkpoints import Checkpoint, load_checkpoint
from svge_core.search.domain import Domain
from svge_core.search.objectives import AllowPython, Objective, make_objective, search_domain, split_word
from svge_core.search.runs.types import SearchConfig
from svge_core.search.searchers import Searcher, make_searcher
from svge_core.spaces import AbstractSearchSpace, get_space


@dataclass(frozen=True)
class RunContext:
    """What a run works with.

    Attributes:
        digest: of the checkpoint's weights, empty without one.
    """

    space: AbstractSearchSpace
    objective: Objective
    domain: Domain
    searcher: Searcher
    digest: str


def prepare(config: SearchConfig, *, allow_python: AllowPython) -> RunContext:
    """Load and build everything that a run needs.

    Raises:
        SvgeError: if something is missing or does not fit.
    """
    space = get_space(config.space)
    checkpoint = open_checkpoint(config)
    objective = make_objective(config.objective, space, checkpoint, allow_python=allow_python)
    own_table = any(split_word(word)[0] == "csv" for word in config.objective)  # says itself which cells it knows
    domain = search_domain(
        objective, space, restricted=config.restricted or own_table, distinct=config.leaves_out_equivalents
    )
    searcher = make_searcher(config.method, domain, checkpoint)
    return RunContext(space, objective, domain, searcher, "" if checkpoint is None else checkpoint.digest)


def open_checkpoint(config: SearchConfig) -> Checkpoint | None:
    """The model that a run needs, if it needs one.

    Raises:
        SvgeError: if it is not there, damaged, or of another space.
    """
    if not config.uses_checkpoint:
        return None
    folder = Path(config.checkpoint or default_checkpoint(config.space))
    return load_checkpoint(folder, space=config.space)


def default_checkpoint(space: str) -> str:
    """Folder of the shipped model of a space, in a checkout.

    The command line gives it to new runs. Runs stored before theirs was asked for have none of their own and mean it.
    """
    return f"checkpoints/{space}/svge"
