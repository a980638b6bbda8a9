"""A real PostgreSQL server for tests: from Debian's package ``postgresql``, in a temporary folder, on a Unix socket."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

_numbers = count()
#: the servers of this process
_running: "set[Server]" = set()


def program(name: str) -> str | None:
    """Where one of PostgreSQL's programs is; Debian keeps them out of PATH."""
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return str(places[0]) if places else shutil.which(name)


def as_whom() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: whom to run it as, as arguments of :mod:`subprocess`."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    pytest.skip("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody")


class Server:
    """A running server.

    Attributes:
        folder: its data and socket.
    """

    def __init__(self, folder: Path, pg_ctl: str, whom: dict[str, Any]) -> None:
        self.folder, self.pg_ctl, self.whom = folder, pg_ctl, whom

    def call(self, *words: str) -> None:
        """Run ``pg_ctl``; its output is shown where it fails."""
        command = [self.pg_ctl, "-D", str(self.folder / "data"), "-w", "-t", "120", *words]
        # a server that keeps our pipe open would never let us read to its end: output goes to a file
        with (self.folder / "pg_ctl.log").open("wb") as log:
            done = subprocess.run(command, cwd=self.folder, stdout=log, stderr=log, check=False, **self.whom)
        if done.returncode:
            texts = [path.read_text("utf-8", errors="replace") for path in self.folder.glob("*.log")]
            raise AssertionError("\n".join(texts)[-3000:])

    def start(self) -> None:
        """Start it; it does not wait for the disk, as nobody cuts the power of a test."""
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off -c max_connections=60"
        self.call("-l", str(self.folder / "server.log"), "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it; ``immediate`` is a crash."""
        self.call("-m", mode, "stop")

    def administered(self) -> "psycopg.Connection[Any]":
        """A connection to no test's database."""
        return psycopg.connect(host=str(self.folder), user="tester", dbname="postgres", autocommit=True)

    def new_database(self) -> str:
        """The URL of a new, empty database."""
        name = f"test_{next(_numbers)}"
        with self.administered() as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        return f"postgresql://tester@/{name}?host={self.folder}"


def disconnect_all() -> None:
    """End all connections to the databases of tests: a process keeps a few for every store it has opened, and each
    test has a store of its own. Whoever goes on with a store connects again."""
    for server in _running:
        with contextlib.suppress(psycopg.OperationalError), server.administered() as connection:
            connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname like 'test\\_%'")


@contextmanager
def running_server() -> Iterator[Server]:
    """A new server that lives as long as the block; skips a test where there can be none."""
    initdb, pg_ctl = program("initdb"), program("pg_ctl")
    if initdb is None or pg_ctl is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    whom = as_whom()
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path has at most 107 characters
    try:
        if whom:
            os.chown(folder, whom["user"], whom["group"])
        command = [initdb, "-D", str(folder / "data"), "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, **whom)
        server = Server(folder, pg_ctl, whom)
        server.start()
        _running.add(server)
        try:
            yield server
        finally:
            _running.discard(server)
            server.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
