"""Numbers as people write them in a sentence."""


def count_of(number: int, noun: str) -> str:
    """A number with its noun: ``1 seed``, ``2,000 seeds``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
