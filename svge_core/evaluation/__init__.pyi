from .card import drawn_words as drawn_words, repeated as repeated, write_card as write_card
from .latent_smoothness import smoothness as smoothness
from .metrics import (
    Share as Share,
    expected_reconstruction as expected_reconstruction,
    generation as generation,
    prior_latents as prior_latents,
    reconstruction as reconstruction,
)
from .run import evaluate as evaluate
from .shares import percent as percent
from .structure_patterns import (
    CLUSTERING as CLUSTERING,
    EDGES as EDGES,
    PATH_LENGTH as PATH_LENGTH,
    Patterns as Patterns,
    patterns as patterns,
)
