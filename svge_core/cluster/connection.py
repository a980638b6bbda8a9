"""The connection to a Ray cluster: which one a word names, what is sent along, what goes wrong as one line.

Ray is an optional dependency and slow to import, so it is imported where it is first used.
"""

import logging
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from svge_core.errors import SvgeError

#: evaluations and blocks of a sweep are small; a container often has little shared memory
LOCAL_STORE_BYTES = 200 * 2**20
#: what Ray takes from a shell, and its launchers set, to say which cluster is meant
ADDRESS_VARIABLE = "RAY_ADDRESS"


def load_ray() -> Any:
    """The module ``ray``.

    Raises:
        SvgeError: one line, if it is not installed.
    """
    # asked for by Ray before it says anything; whoever wants to report their use of Ray sets it
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise SvgeError(
            'Work on a cluster needs Ray, which is not installed here: pip install "svge-explorer[cluster]".'
        ) from None
    return ray


def ray_address(word: str) -> str | None:
    """The address, as Ray takes it, of the cluster that a word names.

    Args:
        word: ``ray`` for the cluster that ``RAY_ADDRESS`` names, or a local one that is started and ended with the
            connection; ``ray://HOST:PORT`` for a cluster elsewhere, through Ray Client; ``ray:ADDRESS`` for one that
            this machine belongs to, such as ``ray:auto`` or ``ray:10.0.0.1:6379``.

    Returns:
        the address; None for a local cluster that is to be started.

    Raises:
        SvgeError: if it is no such word.
    """
    if word == "ray":
        return os.environ.get(ADDRESS_VARIABLE) or None
    if word.startswith("ray://") and word.removeprefix("ray://")[:1] not in ("", "/"):
        return word
    kind, _, address = word.partition(":")
    if kind == "ray" and address and not address.startswith("//"):
        return None if address == "local" else address
    raise SvgeError(
        f"A cluster is named ray (a local one), ray://HOST:10001 or ray:ADDRESS such as ray:auto; got {word[:80]!r}.",
        settings=("on",),
    )


@contextmanager
def connected(word: str, ship: Path | None = None) -> Generator[Any, None, None]:
    """Be connected to a cluster as long as the block runs; gives the module ``ray``.

    A process that is connected already stays so, and nothing is sent along.

    Args:
        word: which cluster, see :func:`ray_address`.
        ship: a folder of code that is copied to every machine, where it is the working folder; None if the code is
            there under the same path, or installed.

    Raises:
        SvgeError: one line, if Ray is not installed, there is no such cluster, or the folder cannot be sent.
    """
    address = ray_address(word)
    ray = load_ray()
    if ray.is_initialized():
        yield ray
        return
    if ship is not None and not ship.is_dir():
        raise SvgeError(f"There is no folder {str(ship)[:200]!r} to send to the cluster.", settings=("ship",))
    given: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    if ship is not None:
        given["runtime_env"] = {"working_dir": str(ship.resolve())}
    if address is None:
        given |= {"address": "local", "include_dashboard": False, "object_store_memory": LOCAL_STORE_BYTES}
    else:
        given["address"] = address
    try:
        ray.init(**given)
    except Exception as error:  # Ray raises what it likes: ConnectionError, ValueError, RuntimeError, its own
        shown = "a local cluster" if address is None else f"the cluster {address[:120]}"
        raise SvgeError(f"No connection to {shown}: {first_words(error)}", settings=("on",)) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def machines(ray: Any) -> list[dict[str, float]]:
    """What each machine of the cluster that is there now has: processors (``CPU``), graphics cards (``GPU``) and more.

    Args:
        ray: the module, connected.
    """
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


@contextmanager
def readable_failures(ray: Any, afterwards: str) -> Generator[None, None, None]:
    """What goes wrong with a cluster itself as one line.

    Args:
        ray: the module.
        afterwards: a sentence on how the work goes on when the cluster is there again.

    Raises:
        SvgeError: with that line.
    """
    try:
        yield
    except ImportError as error:
        raise _lacking(error) from error
    except (ray.exceptions.RayError, ConnectionError, RuntimeError) as error:
        if isinstance(cause := getattr(error, "cause", None), ImportError):
            raise _lacking(cause) from error
        raise SvgeError(f"The cluster cannot be used any more: {first_words(error)} {afterwards}") from error


def _lacking(error: ImportError) -> SvgeError:
    return SvgeError(
        f"The machines of the cluster lack what is needed ({first_words(error)}): install svge-explorer there, in the "
        "version that is installed here."
    )


def first_words(error: BaseException, limit: int = 200) -> str:
    """The first line of what an error says that says something, not much of it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:limit]
