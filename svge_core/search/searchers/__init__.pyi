from .base import Proposal as Proposal, Searcher as Searcher, rng_for as rng_for
from .generative import (
    DRAWN as DRAWN,
    LOGGED as LOGGED,
    PUBLISHED as PUBLISHED,
    RANDOM_START as RANDOM_START,
    GraphPNAS as GraphPNAS,
    GraphPNASOptions as GraphPNASOptions,
    GraphPNASReinforce as GraphPNASReinforce,
    RandomStart as RandomStart,
    RecurrentSearch as RecurrentSearch,
    recurrent_like as recurrent_like,
)
from .published import PublishedOptions as PublishedOptions
from .registry import (
    METHODS as METHODS,
    LineStyle as LineStyle,
    Method as Method,
    make_searcher as make_searcher,
    register_method as register_method,
)
