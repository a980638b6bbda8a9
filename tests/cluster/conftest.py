"""A real Ray cluster of several nodes on this machine, started once for all tests that need it."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.cluster_objectives import LOGS

#: bytes of a node's object store, the least that Ray takes: containers have little shared memory
STORE_BYTES = 80 * 2**20
#: of a node that was killed: after two seconds instead of twenty, in which Ray would still send it tasks
DEATH_IS_SEEN = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 500, "health_check_failure_threshold": 4}


@pytest.fixture(scope="package", autouse=True)
def everybodys_print() -> Iterator[None]:
    """Ray puts its own in the place of ``builtins.print``, for good."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_TQDM_PATCH_PRINT", "0")
        yield


@pytest.fixture(scope="package")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A head node, which evaluates nothing, that this process is connected to; tests add nodes and kill them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(LOGS, str(tmp_path_factory.mktemp("logs")))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_AUTH_MODE", "disabled")  # which would leave a token in the home folder
        patch.delenv("RAY_ADDRESS", raising=False)
        import ray
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 0, "object_store_memory": STORE_BYTES, "include_dashboard": False}
        head["_system_config"] = DEATH_IS_SEEN
        started = Cluster(initialize_head=True, head_node_args=head)
        ray.init(address=started.address, log_to_driver=False, logging_level=logging.ERROR)
        yield started
        ray.shutdown()
        started.shutdown()


@pytest.fixture(scope="package")
def lasting(cluster: Any) -> Any:
    """A node with two processors that nobody kills."""
    return cluster.add_node(num_cpus=2, object_store_memory=STORE_BYTES)
