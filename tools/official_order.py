"""The shipped order of the NAS-Bench-101 cells, made again from all their md5 keys: ``python -m tools.official_order``.

    python -m tools.official_order            writes svge_core/spaces/nasbench101/official_order.bin, prints its digest
    python -m tools.official_order --check    only says whether the file is that which the keys give

The digest stands in ``svge_core/spaces/nasbench101/official_order.py`` too; where a test fails after this, one of the
two is wrong.
"""

import argparse
import sys

import numpy as np

from svge_core.files import write_atomically
from svge_core.spaces.nasbench101 import (
    ORDER_DIGEST,
    ORDER_FILE,
    all_codes,
    build,
    order_digest,
    packed_order,
)


def made() -> bytes:
    """The content of the file, from the md5 keys of all cells; neither the shipped file nor a cache is looked at."""
    return packed_order(np.searchsorted(all_codes(), build().codes))


def main(words: list[str] | None = None) -> int:
    """Write or compare; 1 where they differ."""
    parser = argparse.ArgumentParser(prog="official_order", description="The official order of NAS-Bench-101's cells.")
    parser.add_argument("--check", action="store_true", help="write nothing; say whether the file is right")
    arguments = parser.parse_args(words)
    content = made()
    digest = order_digest(content)
    if not arguments.check:
        write_atomically(ORDER_FILE, content)
    right = ORDER_FILE.is_file() and ORDER_FILE.read_bytes() == content and digest == ORDER_DIGEST
    words_for = "is right" if right else f"differs; the digest in the code is {ORDER_DIGEST}"
    sys.stdout.write(f"{ORDER_FILE.name}: {len(content):,} bytes, digest {digest}: {words_for}\n")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
