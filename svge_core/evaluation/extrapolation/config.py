"""The settings of an extrapolation; read by the command line too, so nothing heavy is imported here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ExtrapolationConfig:
    """How much is drawn, fitted and kept; all of it is written into the file."""

    labels: int = 1_000
    """Labels of small cells that a draw fits on (as many as SVGe's predictor was given)."""
    held_out: int = 2_000
    """Most held-out cells of each side in a draw."""
    draws: int = 10
    """Draws, with seeds 0, 1, ..."""
    level: float = 0.9
    """Of the interval."""
    fit_labels: int = 4_236
    """Most labels, of all sizes, that the ranking of larger cells is fitted on."""
    searched: int = 4_000
    """Random cells of the known space among which the best predicted ones are looked for."""
    best: int = 20
    """Best predicted cells of the known space that the larger ones are made from."""
    per_latent: int = 20
    """Decodings of each of them (NAS-Bench-101)."""
    mutants: int = 2
    """Mutants of each grown cell (ENAS)."""
    drawn: int = 300
    """Random cells of the larger space, for comparison."""
    shown: int = 20
    """Ranked cells that are kept."""
    max_edges: int = 9
    """Most edges of a cell of eight vertices (NAS-Bench-101)."""
