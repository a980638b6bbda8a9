from .card import drawn_words as drawn_words, write_card as write_card
from .function_readout import explained as explained
from .latent_smoothness import smoothness as smoothness
from .metrics import (
    Share as Share,
    expected_reconstruction as expected_reconstruction,
    forward_log_probability as forward_log_probability,
    generation as generation,
    prior_latents as prior_latents,
    reconstruction as reconstruction,
)
from .network_statistics import UNTRAINED_TABLE as UNTRAINED_TABLE, untrained_columns as untrained_columns
from .report import (
    Sample as Sample,
    default_sample as default_sample,
    denominator as denominator,
    described as described,
    edge_f1_rows as edge_f1_rows,
    entropy_rows as entropy_rows,
    generation_rows as generation_rows,
    is_repeated as is_repeated,
    label as label,
    long_title as long_title,
    other_rows as other_rows,
    reconstruction_rows as reconstruction_rows,
    result as result,
    sample_of as sample_of,
    sample_title as sample_title,
    title as title,
    words as words,
)
from .run import evaluate as evaluate
from .shares import decimals as decimals, fifths_size as fifths_size, in_fifths as in_fifths, percent as percent
from .structure_patterns import (
    CLUSTERING as CLUSTERING,
    EDGES as EDGES,
    PATH_LENGTH as PATH_LENGTH,
    Patterns as Patterns,
    patterns as patterns,
)
