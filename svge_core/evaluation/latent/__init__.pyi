from .content import (
    Curves as Curves,
    DecodeCertainty as DecodeCertainty,
    Dimensions as Dimensions,
    Edits as Edits,
    MapQuality as MapQuality,
    QualityContent as QualityContent,
    ScoreNeighbours as ScoreNeighbours,
)
from .edits import edit_distances as edit_distances, edits_are_exact as edits_are_exact, slots as slots
from .file import load as load, save as save
from .run import measure as measure
from .settings import STEPS as STEPS, QualityConfig as QualityConfig
from .wording import (
    SAME_TAU as SAME_TAU,
    Reading as Reading,
    neighbours as neighbours,
    readings as readings,
    signed as signed,
)
