"""How a path can run, and of how many stops: read by the command line too, so nothing heavy is imported here."""

from typing import Literal

PathKind = Literal["linear", "spherical", "graph"]
FEWEST_STOPS, MOST_STOPS = 3, 101
