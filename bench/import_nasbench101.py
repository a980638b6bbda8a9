"""Import of a full-length NAS-Bench-101 file: seconds and peak memory of ``data import``.

The file is made here, in the official byte format and of the official length: every cell of the space three times, as
a JSON list with the adjacency matrix, the operations and a base64 protobuf of three evaluations. Accuracies are random
multiples of 1/9984. The import runs as a process of its own, with an empty cache folder.
"""

import argparse
import base64
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.harness.results import command, report, save_results
from svge_core.data.importers import crc32c, mask_checksum
from svge_core.files import cache_dir
from svge_core.spaces.nasbench101 import OPERATIONS, NASBench101

COLUMNS = ["what", "records", "file_mib", "seconds", "cpu_seconds", "peak_mib", "cache_mib"]
_BATCH = 4096
_EVALUATION = struct.Struct("<BdBdBdBdBd")
#: ``data import`` checks every record, because the made file's sha256 is not the official one; an official file's is
SCRIPTS = {
    "data import, every checksum": "import sys; from svge_core.__main__ import main; "
    "sys.exit(main(['data', 'import', sys.argv[1], '--json']))",
    "the same where sha256 is known": "import sys, hashlib; from svge_core.data.importers.detection import SHA256; "
    "from svge_core.__main__ import main; digest = hashlib.file_digest(open(sys.argv[1], 'rb'), 'sha256').hexdigest(); "
    "SHA256['nasbench101'] = {digest: 'made'}; sys.exit(main(['data', 'import', sys.argv[1], '--json']))",
    "the imported table as scores": "import sys, time, json; from svge_core.spaces import get_space; "
    "from svge_core.data.importers.join import to_scores; from svge_core.data.importers.cache import load_imported; "
    "space = get_space('nasbench101'); space.table.hashes; begin = time.perf_counter(); "
    "scores = to_scores(load_imported('nasbench101')[0], space, space.size); "
    "print(json.dumps({'rows': len(scores.frame), 'seconds': time.perf_counter() - begin}))",
}


def evaluation(epoch: float, seconds: float, train: float, valid: float, test: float) -> bytes:
    """An ``EvaluationData`` message with its tag and length."""
    body = _EVALUATION.pack(0x09, epoch, 0x11, seconds, 0x19, train, 0x21, valid, 0x29, test)
    return b"\x0a" + bytes([len(body)]) + body


def payloads(cells: int, seed: int) -> Iterator[bytes]:
    """Three records per cell, the runs of a cell apart from each other, cells in random order."""
    space, draw = NASBench101(), random.Random(seed)
    chosen = np.random.default_rng(seed).permutation(space.table.codes.shape[0])[:cells]
    start = evaluation(0, 0.0, 0.1, 0.1, 0.1)
    for _ in range(3):
        for begin in range(0, len(chosen), _BATCH):
            indices = chosen[begin : begin + _BATCH]
            graphs = space.graphs(indices)
            hashes = space.table.hashes[indices].tobytes()
            for row in range(len(indices)):
                nodes = int(graphs.vertices[row])
                inner = [OPERATIONS[digit] for digit in graphs.operations[row, : nodes - 2]]
                matrix = (graphs.adjacency[row, :nodes, :nodes] + 48).astype(np.uint8).tobytes().decode()
                valid, test = (draw.randrange(8_000, 9_480) / 9984 for _ in range(2))
                last = evaluation(108, 1500.0 + draw.random(), 1.0, valid, test)
                metrics = start + evaluation(54, 750.0, 0.8, 0.7, 0.7) + last + b"\x10\xd2\x85\xd8\x04\x19" + bytes(8)
                digest = hashes[16 * row : 16 * row + 16].hex()
                operations = ",".join(["input", *inner, "output"])
                yield json.dumps([digest, 108, matrix, operations, base64.b64encode(metrics).decode()]).encode()


def write_file(path: Path, cells: int, seed: int) -> int:
    """Write the file; returns the number of records."""
    count = 0
    batch: list[bytes] = []
    with path.open("wb") as file:

        def flush() -> None:
            lengths = [struct.pack("<Q", len(payload)) for payload in batch]
            sums = mask_checksum(crc32c(*lengths, *batch)).astype("<u4")
            for at, (length, payload) in enumerate(zip(lengths, batch, strict=True)):
                file.write(length + sums[at].tobytes() + payload + sums[len(batch) + at].tobytes())
            batch.clear()

        for payload in payloads(cells, seed):
            batch.append(payload)
            count += 1
            if len(batch) == _BATCH:
                flush()
        flush()
    return count


def measured(script: str, path: Path, cache: Path) -> tuple[dict[str, Any], float, float, float]:
    """Output, wall seconds, CPU seconds and peak MiB of a Python process."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    begin = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, env=environment, text=True
    )
    assert child.stdout is not None
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - begin
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"The import failed with exit code {child.returncode}.")
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return json.loads(output), seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit


def main(argv: list[str] | None = None) -> int:
    """Make the file, import it, print."""
    parser = argparse.ArgumentParser(prog="bench import_nasbench101", description=__doc__)
    parser.add_argument("--cells", type=int, default=423_624, help="different cells (default: all, %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args(argv)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        path, cache = Path(folder) / "nasbench_only108.tfrecord", Path(folder) / "cache"
        begin = time.perf_counter()
        records = write_file(path, arguments.cells, arguments.seed)
        kept = cache / "svge-explorer"
        kept.mkdir(parents=True)
        for table in cache_dir().glob("nasbench101-*.npz"):  # the space's own table, made above if it was not there
            shutil.copy(table, kept)
        sys.stderr.write(f"made {records:,} records in {time.perf_counter() - begin:.0f} s\n")
        for what, script in SCRIPTS.items():
            output, seconds, cpu, peak = measured(script, path, cache)
            row = {"what": what, "records": records, "file_mib": path.stat().st_size / 2**20, "peak_mib": peak}
            if "bytes" in output:
                assert output["rows"] == arguments.cells
                row |= {"seconds": seconds, "cpu_seconds": cpu, "cache_mib": output["bytes"] / 2**20}
            else:
                row["seconds"] = output["seconds"]
            rows.append({key: round(value, 1) if isinstance(value, float) else value for key, value in row.items()})
    report(arguments, rows, COLUMNS)
    if arguments.cells == 423_624:
        settings = {"cells": arguments.cells, "runs_per_cell": 3, "epochs": 108, "seed": arguments.seed}
        save_results("import_nasbench101", rows, settings, command("import_nasbench101", argv))
    return 0


if __name__ == "__main__":
    sys.exit(main())
