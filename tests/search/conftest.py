"""A PostgreSQL server for the tests of shared stores."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgres import Server, disconnect_all, running_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One server for all tests of this process."""
    with running_server() as server:
        yield server


@pytest.fixture(autouse=True)
def connections_end_with_their_test() -> Iterator[None]:
    """A server takes sixty."""
    yield
    disconnect_all()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new store in each database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 's.db'}"
    return request.getfixturevalue("postgres").new_database()
