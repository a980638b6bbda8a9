"""The models by name, each with the settings it starts from."""

from dataclasses import dataclass

from svge_core.errors import CheckpointError
from svge_core.models.baselines import DGMG, DVAE, GCN
from svge_core.models.config import DEFAULTS, ModelConfig
from svge_core.models.rows import RowVAE
from svge_core.models.svge import SVGe
from svge_core.models.vae import GraphVAE
from svge_core.spaces import AbstractSearchSpace


@dataclass(frozen=True)
class ModelKind:
    """A model and its default settings."""

    model: type[GraphVAE]
    defaults: ModelConfig


MODELS: dict[str, ModelKind] = {
    model.kind: ModelKind(model, DEFAULTS[model.kind]) for model in (SVGe, DVAE, GCN, DGMG, RowVAE)
}


def build_model(kind: str, space: AbstractSearchSpace, config: ModelConfig) -> GraphVAE:
    """An untrained model; its weights are drawn from torch's global generator.

    Raises:
        CheckpointError: if there is no model of that name, or it is not for such cells or settings.
    """
    if kind not in MODELS:
        raise CheckpointError(f"field 'model' must be one of {', '.join(MODELS)}; got {kind!r:.60}.")
    if config.function and not MODELS[kind].model.has_function:
        able = " and ".join(repr(name) for name, entry in MODELS.items() if entry.model.has_function)
        raise CheckpointError(
            f"config field 'function' must be 0 for model {kind!r}: only {able} have such dimensions; "
            f"got {config.function}."
        )
    return MODELS[kind].model(space, config)
