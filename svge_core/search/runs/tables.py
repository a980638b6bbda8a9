"""Opening a store of runs: the database of an Optuna study and, beside Optuna's tables, our own.

Optuna's tables hold the studies that other tools read. Ours hold what Optuna has no place for: which cells are claimed
and by whom, and whether a run shall go on. Unique constraints of the database, not locks, decide between workers.
"""

import contextlib
import os
import time
from collections.abc import Callable, Generator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.event import listens_for
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from svge_core.errors import DataError

#: seconds to wait for a database that others hold, and to keep trying one that is gone before a result is given up
BUSY_SECONDS, PATIENCE_SECONDS = 60.0, 300.0
#: drivers that are pinned, by the scheme people write
_DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
_T = TypeVar("_T")
#: a row of one of the tables below
Record = Mapping[Any, Any]

metadata = sa.MetaData()


class Line(sa.TypeDecorator[str]):
    """A reason for people, on one line. Users' functions say anything, and databases do not hold everything: lone
    surrogates cannot be encoded, PostgreSQL refuses NUL. What cannot be printed is written as its escape.
    """

    impl, cache_ok = sa.Text, True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """What is stored."""
        return None if value is None else printable(value)


def printable(text: str) -> str:
    """The same on one line, with escapes for what cannot be printed or stored."""
    if text.isprintable():  # as nearly all are
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in " ".join(text.split()))


runs = sa.Table(
    "svge_runs",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(120), nullable=False, unique=True),
    sa.Column("study_id", sa.Integer, nullable=False),
    sa.Column("space", sa.String(64), nullable=False),
    sa.Column("config", sa.Text, nullable=False),
    sa.Column("goals", sa.Text, nullable=False),
    sa.Column("optimum", sa.Text),
    sa.Column("domain", sa.Text, nullable=False),
    sa.Column("checkpoint", sa.String(80), nullable=False),
    sa.Column("control", sa.String(8), nullable=False),
    sa.Column("ended", sa.String(8)),
    sa.Column("problem", Line, nullable=False),
    sa.Column("streak", sa.Integer, nullable=False),
    sa.Column("created", sa.Double, nullable=False),
)
workers = sa.Table(
    "svge_workers",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("run_id", sa.Integer, nullable=False, index=True),
    sa.Column("host", sa.String(255), nullable=False),
    sa.Column("place", sa.String(16), nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("born", sa.String(40), nullable=False),
    sa.Column("beat", sa.Double, nullable=False),
    sa.Column("status", sa.String(8), nullable=False),
)
claims = sa.Table(
    "svge_claims",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("run_id", sa.Integer, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    # one of the budget's places; none for existing labels and for failed evaluations, which give theirs back
    sa.Column("slot", sa.Integer),
    sa.Column("identity", sa.String(32), nullable=False),
    sa.Column("notation", sa.Text, nullable=False),
    sa.Column("genotype", sa.Text, nullable=False),
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("source", sa.String(200), nullable=False),
    sa.Column("mean", sa.Double),
    sa.Column("std", sa.Double),
    sa.Column("value", sa.Double),
    sa.Column("numbers", sa.Text),
    sa.Column("problem", Line, nullable=False),
    sa.Column("worker", sa.String(32)),
    # set once the cell has its trial in the Optuna study: the trial's number, in stores of before its id
    sa.Column("trial_id", sa.Integer),
    sa.Column("started", sa.Double),
    sa.Column("finished", sa.Double),
    sa.UniqueConstraint("run_id", "identity", name="svge_one_worker_per_cell"),
    sa.UniqueConstraint("run_id", "number", name="svge_one_cell_per_number"),
    sa.UniqueConstraint("run_id", "slot", name="svge_budget"),
)
#: evaluations during which a process died: not in the claims, because stores of before have no column for it
deaths = sa.Table(
    "svge_deaths",
    metadata,
    # made by whoever writes it: a row that is sent twice is one death
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("run_id", sa.Integer, nullable=False),
    sa.Column("claim_id", sa.Integer, nullable=False, index=True),
    sa.Column("worker", sa.String(32), nullable=False),
    sa.Column("reason", Line, nullable=False),
    sa.Column("died", sa.Double, nullable=False),
)
#: what people call a race and noted on it, see :mod:`svge_core.search.runs.races`
races = sa.Table(
    "svge_races",
    metadata,
    sa.Column("race", sa.String(120), primary_key=True),
    sa.Column("title", Line, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
)
#: whose a run is, where visitors share a server: not in the runs, because stores of before have no column for it
owners = sa.Table(
    "svge_owners",
    metadata,
    sa.Column("run_id", sa.Integer, primary_key=True),
    # of the run: a number may be given again to a later run, by a version that does not know this table
    sa.Column("created", sa.Double, nullable=False),
    sa.Column("owner", sa.String(64), nullable=False),
)
#: tables of users' by their content, each once however many runs name it: see :mod:`svge_core.search.runs.user_tables`
user_tables = sa.Table(
    "svge_tables",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    # of the file that came first; each run's settings have the name of its own
    sa.Column("name", Line, nullable=False),
    # compressed by zlib; the length has MySQL take a column that is wide enough
    sa.Column("content", sa.LargeBinary(2**30), nullable=False),
    # of the content in bytes, uncompressed
    sa.Column("size", sa.Integer, nullable=False),
)


def storage_url(text: str) -> URL:
    """The database that a URL names; ``postgresql://`` takes the pinned driver, a plain path is a SQLite file.

    Raises:
        DataError: if it is none. Passwords are never repeated.
    """
    if "://" not in text:
        text = f"sqlite:///{text}"
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise DataError(
            "The storage is a URL such as sqlite:///runs/searches.db or postgresql://user:password@host/database."
        ) from None
    if url.get_backend_name() == "sqlite" and (not url.database or url.database == ":memory:"):
        raise DataError("Runs are kept in a file: give the storage as sqlite:///FILE.")
    if "\0" in unquote(text):
        raise DataError("The storage is a URL without NUL characters: no file or server has one in its name.")
    if url.drivername in _DRIVERS:
        url = url.set(drivername=_DRIVERS[url.drivername])
    return url


def full_address(text: str) -> str:
    """The URL with its password, and of a file its absolute path: the working folder may change while it is open.

    Raises:
        DataError: as :func:`storage_url`.
    """
    url = storage_url(text)
    if url.get_backend_name() == "sqlite" and "uri" not in url.query:  # a URI of SQLite's own is left alone
        url = url.set(database=str(Path(str(url.database)).absolute()))
    return url.render_as_string(hide_password=False)


def hide_password(url: URL) -> str:
    """The URL without its password."""
    return url.render_as_string(hide_password=True)


@contextlib.contextmanager
def open_store(text: str) -> Generator[Engine, None, None]:
    """The engine of a store, its tables made where they are missing; one per process and URL.

    Raises:
        DataError: if the database cannot be reached or used, then or in the block.
    """
    url = storage_url(text)
    with readable_errors(url):
        yield _engine(full_address(text), os.getpid())


@cache
def _engine(text: str, pid: int) -> Engine:  # pid: connections must not be shared across a fork
    url = make_url(text)
    if url.get_backend_name() == "sqlite":
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS})
        durable(engine)
        legible(engine)
        with engine.connect() as connection:  # readers never wait for writers; kept in the file
            connection.execute(sa.text("PRAGMA journal_mode=WAL"))
    else:
        engine = sa.create_engine(url, pool_pre_ping=True)
        engine.connect().close()  # a server that is not there is told from tables that are not
    make_tables(lambda: metadata.create_all(engine))
    return engine


def durable(engine: Engine) -> None:
    """Have SQLite write every commit to the disk itself, so that a power cut loses nothing either."""

    @listens_for(engine, "connect")
    def _(connection: Any, _record: object) -> None:  # the driver's own type
        connection.execute("PRAGMA synchronous=FULL")


def legible(engine: Engine) -> None:
    """Have SQLite give a text whose bytes are damaged with marks in it: one such row must not hide all others."""

    @listens_for(engine, "connect")
    def _(connection: Any, _record: object) -> None:  # the driver's own type
        connection.text_factory = _decoded


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def make_tables(create: Callable[[], _T]) -> _T:
    """Create tables that another process may be creating at the same moment."""
    for attempt in range(6):
        try:
            return create()
        except SQLAlchemyError:
            if attempt == 5:
                raise
            time.sleep(0.05 * 2**attempt)
    raise AssertionError("unreachable")


@contextlib.contextmanager
def readable_errors(url: URL) -> Generator[None, None, None]:
    """What goes wrong in the database as one line."""
    try:
        yield
    except (NoSuchModuleError, ImportError):
        raise DataError(
            f"There is no driver for {url.drivername.split('+')[0]!r} here: use sqlite:///FILE or postgresql://..., or "
            "install the driver of your database."
        ) from None
    except DBAPIError as error:
        raise DataError(f"The store {hide_password(url)} cannot be used: {first_line(error.orig)}") from error
    except SQLAlchemyError as error:
        raise DataError(f"The store {hide_password(url)} cannot be used: {first_line(error)}") from error


def first_line(error: BaseException | None) -> str:
    """What an error says, on one line."""
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__


def clock(engine: Engine) -> sa.TextClause:
    """SQL for the store's own time in seconds since 1970: workers' clocks may differ."""
    return sa.text(
        {
            "sqlite": "(julianday('now') - 2440587.5) * 86400.0",
            "postgresql": "cast(extract(epoch from clock_timestamp()) as double precision)",
        }.get(engine.dialect.name, "unix_timestamp(now(6))")
    )
