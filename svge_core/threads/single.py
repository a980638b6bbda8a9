"""One thread for PyTorch's operators, for a while."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """PyTorch works with one thread meanwhile, and as before afterwards.

    Small batches are slower on several threads, and on a busy machine much slower: they wait for each other. And sums
    over several threads depend on their number.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
