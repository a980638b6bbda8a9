"""Locks between processes: files that the operating system frees when whoever holds them dies."""

import errno
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from svge_core.errors import SvgeError

#: what file systems say that know no locks, such as some network ones
_UNKNOWN = frozenset([errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK])


class LockHeldError(SvgeError):
    """Another process, or another thread of this one, holds the lock."""


@contextmanager
def exclusive(file: Path, *, wait: bool = True) -> Generator[None, None, None]:
    """Hold a lock as long as the block runs; not to be entered twice.

    Args:
        file: the lock; made where it is not there, and left there, as others may wait for it.
        wait: until it is free.

    Raises:
        LockHeldError: if another holds it, and ``wait`` is false.
        SvgeError: if its file system has no locks.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(file)
    try:
        lock.acquire(timeout=-1 if wait else 0, poll_interval=0.01)
    except Timeout:
        raise LockHeldError(f"Another process holds {file}.") from None
    except (NotImplementedError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in _UNKNOWN:
            raise
        raise SvgeError(
            f"The file system of {file.parent} has no locks, so two processes could write there at once: choose a "
            "folder on another one."
        ) from None
    try:
        yield
    finally:
        lock.release()
