"""From a configuration to what works on it: model, objective, domain, searcher. Each mistake is one clear line."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

from svge_core.checkpoints import WEIGHTS, Checkpoint, load_checkpoint
from svge_core.devices import pick_device
from svge_core.errors import CheckpointError
from svge_core.search.domain import Domain
from svge_core.search.objectives import (
    AllowPython,
    CallPython,
    Candidates,
    Objective,
    TableSource,
    UserTable,
    make_objective,
    read_candidates,
    search_domain,
    split_csv,
    split_word,
)
from svge_core.search.runs.types import SearchConfig
from svge_core.search.searchers import Searcher, make_searcher
from svge_core.spaces import AbstractSearchSpace, get_space


@dataclass(frozen=True)
class RunContext:
    """What a run works with.

    Attributes:
        digest: of the checkpoint's weights, empty without one.
        candidates: the list that the run is about; None for none.
    """

    space: AbstractSearchSpace
    objective: Objective
    domain: Domain
    searcher: Searcher
    digest: str
    candidates: Candidates | None = None


def prepare(
    config: SearchConfig,
    *,
    allow_python: AllowPython,
    tables: TableSource,
    digest: str | None = None,
    device: str = "cpu",
    call_python: CallPython = "own process",
) -> RunContext:
    """Load and build everything that a run needs.

    Args:
        config: of the run.
        allow_python: which ``python:`` words may be imported.
        tables: gives the tables that its words name.
        digest: as in :func:`open_checkpoint`.
        device: that the model computes on, and networks are trained on: auto, cpu, cuda or mps.
        call_python: where a user's function is called.

    Raises:
        SvgeError: if something is missing or does not fit.
    """
    space = get_space(config.space)
    checkpoint = open_checkpoint(config, digest, device)
    objective = make_objective(
        config.objective,
        space,
        checkpoint,
        allow_python=allow_python,
        tables=tables,
        call_python=call_python,
        device=device,
    )
    own_table = any(split_word(word)[0] == "csv" for word in config.objective)  # says itself which cells it knows
    candidates = None if config.candidates is None else read_candidates(tables(config.candidates), space, objective)
    domain = search_domain(
        objective,
        space,
        restricted=config.restricted or own_table,
        distinct=config.leaves_out_equivalents,
        candidates=candidates,
        rules=config.rules(),
    )
    searcher = make_searcher(config.method, domain, checkpoint)
    return RunContext(space, objective, domain, searcher, "" if checkpoint is None else checkpoint.digest, candidates)


@dataclass(frozen=True)
class ObjectiveRecipe:
    """All that another machine needs to make the objective of a run; it can be sent there.

    Attributes:
        config: of the run.
        digest: as in :func:`open_checkpoint`.
        tables: that the words of the run name, by these names.
    """

    config: SearchConfig
    digest: str
    tables: Mapping[str, UserTable]

    @classmethod
    def of(cls, config: SearchConfig, digest: str, tables: TableSource) -> "ObjectiveRecipe":
        """Of a run whose ``python:`` words somebody has agreed to."""
        words = map(split_word, config.objective)
        named = {name: tables(name) for kind, rest in words if kind == "csv" for name in [split_csv(rest)[0]]}
        return cls(config, digest, named)

    def objective(self) -> Objective:
        """The objective, which calls a user's function in this process.

        Raises:
            SvgeError: if something is missing here: a checkpoint, an imported table, a module.
        """
        config, checkpoint = self.config, None
        if any(split_word(word)[0] == "predictor" for word in config.objective):
            checkpoint = open_checkpoint(config, self.digest)
        return make_objective(
            config.objective,
            get_space(config.space),
            checkpoint,
            allow_python=True,
            tables=self.tables.__getitem__,
            call_python="this process",
        )


def open_checkpoint(config: SearchConfig, digest: str | None = None, device: str = "cpu") -> Checkpoint | None:
    """The model that a run needs, if it needs one.

    Args:
        config: of the run.
        digest: that the weights of a stored run's model had when the run began; None where a person here names it.
        device: that the model computes on: auto, cpu, cuda or mps.

    Raises:
        SvgeError: if it is not there, damaged, or of another space.
    """
    if not config.uses_checkpoint:
        return None
    folder = Path(config.checkpoint or default_checkpoint(config.space))
    if digest is not None:
        _compare(folder, digest)
    return load_checkpoint(folder, space=config.space, device=pick_device(device))


def _compare(folder: Path, digest: str) -> None:
    """Nothing in a folder that a store names is read before its weights are known to be those that the run began with:
    it could be any folder of this machine, and messages on its content would be written into the store.

    Raises:
        CheckpointError: if they are others, or not there.
    """
    path = folder / WEIGHTS
    if not digest or not path.is_file():
        raise CheckpointError(f"No checkpoint in {folder} on this machine: the run began with one there.")
    try:
        with path.open("rb") as file:
            found = file_digest(file, "sha256").hexdigest()[:16]  # as much as a checkpoint's own digest has
    except OSError as error:
        raise CheckpointError(f"The checkpoint {folder} cannot be read: {error.strerror}.") from None
    if found != digest:
        raise CheckpointError(
            f"The checkpoint {folder} on this machine is not the one that this run began with ({digest[:12]}): a "
            "search that goes on with another model would not be one search."
        )


def default_checkpoint(space: str) -> str:
    """Folder of the shipped model of a space, in a checkout.

    Runs stored before theirs was asked for have none of their own and mean it.
    """
    return f"checkpoints/{space}/svge"
