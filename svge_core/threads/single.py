"""One thread for PyTorch's operators, for a while."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, local

_lock = Lock()
#: works that go on with one thread now, and what others have
_now, _usual = 0, 0
_here = local()


@contextmanager
def one_thread() -> Iterator[None]:
    """PyTorch works with one thread meanwhile, and as before afterwards.

    Small batches are slower on several threads, and on a busy machine much slower: they wait for each other. In a
    thread of a server, which is not the first of its process, ten times slower. And sums over several threads depend
    on their number. Where several threads of the process ask for it at once, all have the usual number afterwards.
    """
    global _now, _usual  # PyTorch's number is one of the process, too: a new thread begins with the number set last
    import torch

    with _lock:
        count = torch.get_num_threads()  # asked for in each thread: one that was never asked takes the number set last
        _usual = _usual if _now else count
        _now += 1
        inside = getattr(_here, "inside", False)
        _here.inside = True
        torch.set_num_threads(1)
    try:
        yield
    finally:
        with _lock:
            _now -= 1
            _here.inside = inside
            torch.set_num_threads(1 if inside else _usual)
