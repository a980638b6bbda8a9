"""How long all 423,624 NAS-Bench-101 cells take: the canonical codes, and the table with the official md5 keys."""

import resource
import sys
import time

from bench.harness.results import print_table, save_results
from svge_core.spaces.nasbench101 import all_codes, build


def main() -> int:
    """Measure, print, save."""
    rows = []
    works = {"canonical codes": lambda: len(all_codes()), "codes, md5 keys, sorted": lambda: len(build().codes)}
    for name, work in works.items():
        started, cpu = time.perf_counter(), time.process_time()
        count = work()
        rows.append(
            {
                "what": name,
                "cells": count,
                "cpu_seconds": round(time.process_time() - cpu, 2),
                "wall_seconds": round(time.perf_counter() - started, 2),
                "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            }
        )
    print_table(rows, ["what", "cells", "cpu_seconds", "wall_seconds", "peak_mib"])
    save_results("enumerate_nasbench101", rows, {"space": "nasbench101"}, "python -m bench.enumerate_nasbench101")
    return 0


if __name__ == "__main__":
    sys.exit(main())
