"""A sentence of a verdict: what it claims, from which numbers, and what measures them where they are missing."""

from dataclasses import dataclass
from typing import Literal

from svge_core.evaluation.latent import signed

Command = Literal["", "evaluate", "quality", "fit"]


@dataclass(frozen=True)
class Sentence:
    """One sentence of a verdict.

    Attributes:
        claim: the verdict.
        evidence: the numbers that it follows from; empty where there are none.
        command: that measures what is missing; empty where nothing is, or nothing can measure it.
    """

    claim: str
    evidence: str = ""
    command: Command = ""

    def __str__(self) -> str:
        return f"{self.claim}: {self.evidence}." if self.evidence else f"{self.claim}."


def tau_words(tau: float | None) -> str:
    """Kendall's tau to three decimals; "none" where all predictions or all labels are equal."""
    return "none" if tau is None else signed(tau)
