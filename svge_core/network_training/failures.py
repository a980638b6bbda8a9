"""How a training ends that does not finish: stopped by somebody, or failed with one line of advice."""

import errno
from collections.abc import Generator
from contextlib import contextmanager

import torch

from svge_core.errors import SvgeError

#: how PyTorch says on the CPU and on Apple's chips, in a RuntimeError of no type of its own, that memory is gone
_NO_MEMORY = ("allocate memory", "out of memory", "not enough memory")


class TrainingFailedError(SvgeError):
    """A network cannot be trained as asked: the loss is not finite, or memory or disk is full; one line with advice."""


class TrainingCancelledError(SvgeError):
    """Whoever watches a training has stopped it; the state is saved, so the same call goes on from there."""


@contextmanager
def memory_named(where: str) -> Generator[None, None, None]:
    """Running out of memory in this block is one line.

    Args:
        where: what was done, such as "in epoch 3 with batches of 64 images".

    Raises:
        TrainingFailedError: if memory runs out.
    """
    advice = "take smaller batches, fewer channels or fewer cells per stage"
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError):
        raise TrainingFailedError(f"Out of memory {where}: {advice}.") from None
    except RuntimeError as error:
        if not any(words in str(error) for words in _NO_MEMORY):
            raise
        raise TrainingFailedError(f"Out of memory {where}: {advice}.") from None


@contextmanager
def disk_named(what: str, kept: str) -> Generator[None, None, None]:
    """A file that cannot be written in this block is one line.

    Args:
        what: is written.
        kept: what is left of the run, a sentence.

    Raises:
        TrainingFailedError: if it cannot be written.
    """
    try:
        yield
    except OSError as error:
        full = "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else error.strerror or str(error)
        raise TrainingFailedError(
            f"{what} cannot be written: {full}. {kept} Make room, then run the same again."
        ) from None
