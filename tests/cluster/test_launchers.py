"""The files that start a search on Slurm and on Kubernetes: they parse, and their commands and versions are ours."""

import re
import shutil
import subprocess

import pytest
import yaml

from svge_core.__main__ import build_parser
from tests.support.paths import ROOT

FOLDER = ROOT / "docs/guide/cluster"
SLURM, JOB, IMAGE = ((FOLDER / name).read_text("utf-8") for name in ("slurm.sh", "rayjob.yaml", "Dockerfile"))


def test_bash_reads_the_slurm_script() -> None:
    bash = shutil.which("bash")
    assert bash is not None
    subprocess.run([bash, "-n", FOLDER / "slurm.sh"], check=True)


def test_the_job_has_what_kuberay_asks_for() -> None:
    job = yaml.safe_load(JOB)
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    cluster = job["spec"]["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    images = {container["image"] for group in groups for container in group["template"]["spec"]["containers"]}
    assert len(images) == 1  # head and workers have the same Ray and the same library
    assert all("rayStartParams" in group for group in groups)
    for group in cluster["workerGroupSpecs"]:
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"] and group["groupName"]


def test_versions_are_those_that_were_tried() -> None:
    pinned = re.search(r"^ray\[client\]==(\S+)", (ROOT / "requirements-dev.txt").read_text("utf-8"), re.MULTILINE)
    assert pinned is not None
    assert yaml.safe_load(JOB)["spec"]["rayClusterSpec"]["rayVersion"] == pinned[1]
    assert f"FROM rayproject/ray:{pinned[1]}-py311" in IMAGE


@pytest.mark.parametrize("text", [SLURM, JOB], ids=["slurm.sh", "rayjob.yaml"])
def test_their_commands_are_commands(text: str) -> None:
    """Every option that stands in them is one of ``svge search``."""
    search = build_parser("search")._subparsers
    assert search is not None
    choices = search._group_actions[0].choices
    assert isinstance(choices, dict)
    known = set(choices["search"]._option_string_actions)
    told = re.sub(r"#.*|srun[^\\]*\\\n|ray [^\\]*\\\n|--num-[^\\]*\\\n|kubectl.*|ray get-.*", "", text)
    used = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", told))
    assert {"--objective", "--resume", "--list", "--on", "--gpus-per-evaluation"} <= used <= known
