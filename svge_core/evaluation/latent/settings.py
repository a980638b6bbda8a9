"""How much of a latent is looked at."""

from dataclasses import asdict, dataclass

from svge_core.errors import SvgeError

#: what is measured one after the other, in words for people who wait
STEPS = ("latents", "edit distances", "nearest neighbours", "cycles", "decode certainty", "collisions", "maps")


@dataclass(frozen=True)
class QualityConfig:
    """How much is looked at; all of it is written into the file."""

    sample: int = 20_000
    """Most cells for random pairs, nearest cells and equivalents; a seeded sample of a larger chart."""
    walks: int = 4
    """Random walks."""
    steps: int = 1_000
    """Cells of each walk."""
    lag: int = 16
    """Most moves between the two cells of a pair on a walk."""
    max_edits: int = 8
    """Largest edit distance shown."""
    pairs: int = 100_000
    """Random pairs."""
    neighbours: int = 10
    """Of the leave-one-out prediction."""
    labelled: int = 20_000
    """Most labelled cells that are predicted."""
    permutations: int = 10
    """Permutations of the labels."""
    draws: int = 2_000
    """Prior draws for cycle consistency."""
    places: int = 500
    """Posterior means, and as many prior draws, whose decodings are counted."""
    decodings: int = 64
    """Of each of them."""
    close: float = 0.01
    """Two codes collide within this share of the median nearest distance."""
    copies: int = 1_000
    """Cells that are encoded in another node order too."""
    map_neighbours: int = 15
    """Of trustworthiness and continuity."""
    map_whole: int = 20_000
    """Largest map of which all neighbourhoods are looked at."""
    map_rows: int = 1_000
    """Cells whose neighbourhoods are looked at on a larger one."""
    seed: int = 0
    """Of every draw, and of the untrained model."""

    def __post_init__(self) -> None:
        least = {"seed": 0, "close": 0.0, "sample": 100, "steps": 2, "draws": 2, "decodings": 2, "pairs": 100}
        for name, value in asdict(self).items():
            if not value >= least.get(name, 1):
                raise SvgeError(f"{name!r} must be at least {least.get(name, 1)}; got {value}.")
