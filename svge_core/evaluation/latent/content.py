"""What ``quality.json`` holds, part by part."""

from typing import Any, Literal

from svge_core.data import ScoreMeaning, meaning_from_dict
from svge_core.evaluation.latent.settings import QualityConfig
from svge_core.evaluation.metrics import Share
from svge_core.files import Count, StrictRecord

FORMAT_VERSION = 1


class Cells(StrictRecord, frozen=True):
    """The cells looked at: charted ones, a sample of them, and which these are in words."""

    charted: Count
    sample: Count
    words: str


class Correlations(StrictRecord, frozen=True):
    """Spearman correlation of edit and code distance by codes; None where all distances are equal."""

    latent: float | None
    one_hot: float | None
    untrained: float | None
    permuted: float | None


class WalkPairs(StrictRecord, frozen=True):
    """Pairs of cells on random walks."""

    pairs: Count
    spearman: Correlations


class RandomPairs(StrictRecord, frozen=True):
    """Random pairs of cells."""

    pairs: Count
    spearman: Correlations
    mean_edits: float


class Band(StrictRecord, frozen=True):
    """Code distances of the pairs at one edit distance, in units of the median of random pairs."""

    edits: Count
    pairs: Count
    median: float
    q10: float
    q25: float
    q75: float
    q90: float


class Curves(StrictRecord, frozen=True):
    """Bands by edit distance, of each kind of codes."""

    latent: tuple[Band, ...]
    one_hot: tuple[Band, ...]
    untrained: tuple[Band, ...]


class NearestEdits(StrictRecord, frozen=True):
    """How many edits the nearest other latent is away."""

    cells: Count
    mean_edits: float
    one_edit: Share


class Edits(StrictRecord, frozen=True):
    """Edit distance against latent distance.

    Attributes:
        exact: whether edits are the fewest; else nodes were paired in canonical order, and they may be more.
    """

    walk: WalkPairs
    random: RandomPairs
    curves: Curves
    nearest: NearestEdits
    exact: bool = True


class Fit(StrictRecord, frozen=True):
    """How well neighbours in one set of features predict a score; None where it cannot be said."""

    kendall_tau: float | None
    r2: float | None
    r2_best: float | None
    cells: Count


class ScoreNeighbours(StrictRecord, frozen=True):
    """Prediction of one score by nearest neighbours, beside its controls.

    Attributes:
        key: of the score.
        meaning: of the score, as plain values.
        labelled: cells with a label.
        best_cells: of the best 70 %.
        single_permutation_sd: deviation of tau that chance alone gives.
        largest_permuted: largest tau in size among the permutations; None where none could be ranked.
    """

    key: str
    meaning: dict[str, Any]
    labelled: Count
    best_cells: Count
    single_permutation_sd: float
    largest_permuted: float | None
    latent: Fit
    one_hot: Fit
    structure: Fit
    untrained: Fit
    permuted: Fit

    def __post_init__(self) -> None:
        meaning_from_dict(self.meaning)

    @property
    def score(self) -> ScoreMeaning:
        """What the score is."""
        return meaning_from_dict(self.meaning)

    def fit(self, features: str) -> Fit:
        """The numbers of a set of features by its name."""
        return getattr(self, features)


class Quantiles(StrictRecord, frozen=True):
    """Of distances; None where there is none."""

    q10: float | None
    median: float | None
    q90: float | None


class CycleBack(StrictRecord, frozen=True):
    """From a prior draw to its cell and back.

    Attributes:
        same, valid: draws that give their own cell again, and a member of the space.
        distinct: cells.
        returned, strangers: distance of a draw from its own cell's latent, and from another draw's.
        nearest: median distance of known cells to their nearest.
    """

    same: Share
    valid: Share
    distinct: Count
    returned: Quantiles
    strangers: Quantiles
    nearest: float


class Sureness(StrictRecord, frozen=True):
    """Random decodings of latents.

    Attributes:
        mean, median: share of the most frequent cell.
        unsure: latents at which no cell has half of the decodings.
        log_probability, probability: mean over latents of the likeliest decoding's, in nats and plain.
        histogram: latents by share, in tenths.
    """

    mean: float
    median: float
    unsure: Share
    log_probability: float
    probability: float
    histogram: tuple[Count, ...]


class DecodeCertainty(StrictRecord, frozen=True):
    """How sure the decoder is at known cells' latents (means) and at prior draws."""

    decodings: Count
    means: Sureness
    prior: Sureness


class EquivalentCells(StrictRecord, frozen=True):
    """Pairs of different cells that the space counts as one; distance None where there is none."""

    cells: Count
    pairs: Count
    different: Count
    distance: float | None


class Copies(StrictRecord, frozen=True):
    """One architecture written down in several node orders.

    Attributes:
        equal: copies with the code of their original.
        uncanonical: the control: the same copies encoded as they stand, without the canonical order.
    """

    equal: Share
    uncanonical: Share


class Collisions(StrictRecord, frozen=True):
    """Whether different cells have different codes; distances are medians."""

    close: Share
    bound: float
    nearest: float
    random: float
    equivalents: EquivalentCells
    copies: Copies


class MapQuality(StrictRecord, frozen=True):
    """How well a map keeps neighbours; ``_se`` are standard errors, ``permuted`` the trustworthiness of chance."""

    name: str
    trustworthiness: float
    continuity: float
    trustworthiness_se: float
    continuity_se: float
    neighbours: Count
    rows: Count
    cells: Count
    permuted: float


class Width(StrictRecord, frozen=True):
    """Dimensions in use; each as in :class:`svge_core.evaluation.latent.dimension.Dimension`."""

    width: Count
    active: Count
    cumulative: tuple[float, ...]
    needed: tuple[Count, ...]
    effective: float
    cells: Count


class Dimensions(StrictRecord, frozen=True):
    """Of the latent, and of one-hot codes as a control."""

    latent: Width
    one_hot: Width


class QualityContent(StrictRecord, frozen=True):
    """The whole file.

    Attributes:
        checkpoint: digest of the weights that were measured.
        space: name of the search space.
        command: that measures again.
        config: how much was looked at.
        neighbours: one part per score.
        maps: one part per map; empty without an atlas.
        seconds: it took.
    """

    format_version: Literal[1]
    checkpoint: str
    space: str
    command: str
    config: QualityConfig
    cells: Cells
    edits: Edits
    neighbours: tuple[ScoreNeighbours, ...]
    cycle: CycleBack
    certainty: DecodeCertainty
    collisions: Collisions
    maps: tuple[MapQuality, ...]
    dimension: Dimensions
    seconds: float
