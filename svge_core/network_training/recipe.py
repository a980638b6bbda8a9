"""How a network is trained: one typed recipe, and those of the benchmarks' authors."""

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

from svge_core.checks import one_of, real_number, seed as checked_seed, whole_number, yes_or_no
from svge_core.errors import SvgeError
from svge_core.files import to_record

Optimiser = Literal["sgd", "adam", "adamw", "rmsprop"]
Schedule = Literal["cosine", "constant"]
Precision = Literal["float32", "bfloat16", "float16"]
CHOICES: dict[str, Any] = {"optimiser": Optimiser, "schedule": Schedule, "precision": Precision}
MAX_EPOCHS, MAX_SEEDS = 100_000, 100
#: side of the images that a folder's files are brought to
IMAGE_SIZE = 32
#: a run that is killed loses at most so many seconds by default
SAVE_SECONDS = 10.0


@dataclass(frozen=True)
class TrainRecipe:
    """Everything that decides how a network is trained, but for the images. Defaults are those of ``digits``.

    Raises:
        SvgeError: one line about the first value that cannot be used.
    """

    optimiser: Optimiser = "adam"
    """Rule of the weights' steps."""
    learning_rate: float = 0.01
    """At the start."""
    schedule: Schedule = "cosine"
    """Of the learning rate: a cosine to zero over all steps, or none."""
    momentum: float = 0.9
    """Of sgd and rmsprop."""
    nesterov: bool = False
    """Nesterov's momentum, of sgd."""
    epsilon: float = 1e-8
    """Added to the root of adam, adamw and rmsprop."""
    weight_decay: float = 0.0
    """L2 penalty; decoupled from the gradient with adamw."""
    epochs: int = 8
    """Passes over the training images."""
    batch_size: int = 64
    """Images per step; those of an epoch that fill no batch are left out of it."""
    label_smoothing: float = 0.0
    """Share of the target that is spread over all classes."""
    flip: bool = False
    """Mirror every second training image, at random."""
    crop_padding: int = 0
    """Pixels of zeros around training images before a crop of their size at random."""
    patience: int = 0
    """Stop after so many epochs without a better validation accuracy and keep the best epoch's weights; 0 trains all
    epochs and keeps the last's."""
    precision: Precision = "float32"
    """Of the products while training; bfloat16 and float16 are mixed precision on CUDA."""
    norm_momentum: float = 0.1
    """Share of a batch in batch norm's running statistics, by which networks are judged; 0 for the network's own."""
    channels: int = 8
    """Channels of the network's first stage; 0 for the space's own."""
    cells_per_stage: int = 1
    """Cells of each stage, where the network has stages of cells; 0 for the space's own."""
    seed: int = 0
    """Of the first run: initial weights, order of the images, augmentation."""
    seeds: int = 1
    """Runs, each with a seed one higher; the score is their mean."""

    def __post_init__(self) -> None:
        for name, kind in CHOICES.items():
            one_of(name, getattr(self, name), get_args(kind))
        whole_number("epochs", self.epochs, 1, MAX_EPOCHS + 1)
        whole_number("batch_size", self.batch_size, 2, 2**20)  # batch norm needs two images
        whole_number("seeds", self.seeds, 1, MAX_SEEDS + 1)
        for name in ("crop_padding", "patience", "channels", "cells_per_stage"):
            whole_number(name, getattr(self, name), 0, 2**16)
        checked_seed(self.seed)
        checked_seed(self.seed + self.seeds)
        for name in ("nesterov", "flip"):
            yes_or_no(name, getattr(self, name))
        for name in ("learning_rate", "epsilon"):
            if not 0 < real_number(name, getattr(self, name)) < math.inf:
                raise SvgeError(f"{name} must be positive and finite; got {getattr(self, name)}.")
        for name in ("momentum", "label_smoothing", "norm_momentum"):
            if not 0 <= real_number(name, getattr(self, name)) < 1:
                raise SvgeError(f"{name} is a share, 0 <= {name} < 1; got {getattr(self, name)}.")
        if not 0 <= real_number("weight_decay", self.weight_decay) < math.inf:
            raise SvgeError(f"weight_decay must be finite and at least 0; got {self.weight_decay}.")
        if self.nesterov and (self.optimiser != "sgd" or not self.momentum):
            raise SvgeError("nesterov needs optimiser sgd with a momentum above 0.")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "TrainRecipe":
        """Read saved values; unknown keys and values of another type fail by name.

        Raises:
            SvgeError: naming the field.
        """
        return to_record(dict(values), cls)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    def describe(self) -> str:
        """Optimiser, schedule, augmentation and sizes in one line."""
        momentum = f", momentum {self.momentum:g}" if self.optimiser in ("sgd", "rmsprop") and self.momentum else ""
        rule = "Nesterov" if self.nesterov else self.optimiser
        words = [f"{rule} {self.learning_rate:g}{momentum}", f"{self.schedule} schedule", f"batches {self.batch_size}"]
        words += [f"weight decay {self.weight_decay:g}"] if self.weight_decay else []
        words += [f"epsilon {self.epsilon:g}"] if self.epsilon != TrainRecipe.epsilon else []
        words += [f"label smoothing {self.label_smoothing:g}"] if self.label_smoothing else []
        words += [f"norm momentum {self.norm_momentum:g}"] if self.norm_momentum else []
        words += ["flips"] if self.flip else []
        words += [f"crops with padding {self.crop_padding}"] if self.crop_padding else []
        words += [f"stopped after {self.patience} epochs without progress"] if self.patience else []
        words += [self.precision] if self.precision != "float32" else []
        return ", ".join([*words, f"first seed {self.seed}"])


@dataclass(frozen=True)
class PresetRecipe:
    """A recipe with a name.

    Attributes:
        name: people give it.
        recipe: the settings.
        title: for people.
        source: who published it, and what differs here.
    """

    name: str
    recipe: TrainRecipe
    title: str
    source: str


#: what both benchmarks have: their networks' own sizes and norms, batches, flips and crops
_BENCHMARK = TrainRecipe(batch_size=256, flip=True, crop_padding=4, norm_momentum=0.0, channels=0, cells_per_stage=0)
_PRESETS = (
    PresetRecipe(
        "digits",
        TrainRecipe(),
        "Small and quick",
        "This project: seconds per run on scikit-learn's digits with one core.",
    ),
    PresetRecipe(
        "nasbench201",
        replace(_BENCHMARK, optimiser="sgd", learning_rate=0.1, nesterov=True, weight_decay=5e-4, epochs=200),
        "NAS-Bench-201, 200 epochs",
        "Dong and Yang, ICLR 2020, training of all cells: Nesterov SGD, momentum 0.9, cosine from 0.1 to 0, weight "
        "decay 5e-4, batches of 256, random flips and crops of 32x32 with padding 4.",
    ),
    PresetRecipe(
        "nasbench101",
        replace(_BENCHMARK, optimiser="rmsprop", learning_rate=0.2, epsilon=1.0, weight_decay=1e-4, epochs=108),
        "NAS-Bench-101, 108 epochs",
        "Ying et al., ICML 2019, appendix, and their code: RMSProp with decay 0.9, momentum 0.9 and epsilon 1, cosine "
        "from 0.2 to 0, L2 weight 1e-4, batches of 256. PyTorch adds epsilon outside of the root, TensorFlow inside.",
    ),
)
PRESETS: dict[str, PresetRecipe] = {preset.name: preset for preset in _PRESETS}


def read_recipe(text: str) -> TrainRecipe:
    """A recipe by words: the name of a preset, settings, or both, such as ``nasbench201,epochs=12``.

    Args:
        text: parts between commas; ``name=value`` settings change the preset, by default ``digits``.

    Raises:
        SvgeError: naming the part that cannot be read.
    """
    name, *settings = text.split(",")
    if "=" in name:
        name, settings = "digits", [name, *settings]
    if name not in PRESETS:
        raise SvgeError(
            f"Unknown recipe {name[:60]!r}: expected {', '.join(PRESETS)}, or settings such as epochs=4,channels=4."
        )
    known = {field.name: getattr(TrainRecipe, field.name) for field in fields(TrainRecipe)}
    values: dict[str, Any] = {}
    for part in settings:
        key, _, value = part.partition("=")
        if key not in known:
            raise SvgeError(f"A recipe has no setting {key[:60]!r}: expected one of {', '.join(known)}.")
        values[key] = _value(key, value, known[key])
    return replace(PRESETS[name].recipe, **values)


def _value(key: str, text: str, default: object) -> object:
    if isinstance(default, bool):
        if text not in ("true", "false"):
            raise SvgeError(f"{key} is true or false; got {text[:60]!r}.")
        return text == "true"
    if key in CHOICES:
        return one_of(key, text, get_args(CHOICES[key]))
    kind = int if isinstance(default, int) else float
    try:
        return kind(text)
    except ValueError:
        raise SvgeError(f"{key} is a {'whole ' * (kind is int)}number; got {text[:60]!r}.") from None
