"""What the app costs its server: memory, processor seconds per view and per click, with 1, 5 and 20 people.

People are sessions that speak the websocket as browsers do, each with a click a second, on points and on empty space in
turn. Counted is the server's process alone, so that other work on the machine changes the seconds little; waiting times
are of the machine as it was. With ``--beside DIR`` another checkout is measured in turn with this one.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from bench.harness.results import ROOT, command, report, save_results
from bench.harness.visitors import Server, Visitor
from svge_core.atlas import load_atlas
from svge_core.checkpoints import load_checkpoint

COLUMNS = ["code", "space", "what", "people", "cpu_ms", "median_ms", "p90_ms", "kib", "resident_mib", "own_mib"]
#: what a server does after its first view without being asked
_SETTLING = 5.0


class Measurement:
    """Rows about one server."""

    def __init__(self, server: Server, code: str) -> None:
        """Begin; nothing is measured yet."""
        self.server, self.code = server, code
        self.rows: list[dict[str, Any]] = []

    def note(self, what: str, space: str = "", **values: Any) -> None:
        """A row, with the memory as it is now."""
        memory = {"resident_mib": round(self.server.resident()), "own_mib": round(self.server.mebibytes())}
        self.rows.append({"code": self.code, "space": space, "what": what, **values, **memory})

    def first_view(self, space: str) -> None:
        """Of a space that nobody opened on this server."""
        before, visitor = self.server.seconds(), Visitor(self.server.port)
        wall = visitor.view(f"space={space}")
        time.sleep(_SETTLING)
        used = self.server.seconds() - before
        self.note("first view", space, people=1, cpu_ms=round(1000 * used), median_ms=round(1000 * wall))
        visitor.leave()

    def visit(self, space: str, people: int, clicks: int, places: np.ndarray, pause: float) -> list[Visitor]:
        """So many people open the map and click; they stay."""
        before, visitors = self.server.seconds(), [Visitor(self.server.port) for _ in range(people)]
        with ThreadPoolExecutor(people) as pool:
            waits = list(pool.map(lambda visitor: visitor.view(f"space={space}"), visitors))
            self._timed("view", space, people, people, before, waits, visitors)
            time.sleep(1.0)
            before = self.server.seconds()
            seen = [visitor.received for visitor in visitors]
            streams = np.random.default_rng(people).permutation(len(places))

            def click(number: int) -> list[float]:
                chosen = streams[number * clicks : (number + 1) * clicks].tolist()
                return _clicks(visitors[number], chosen, places, pause)

            waits = [wait for part in pool.map(click, range(people)) for wait in part]
        self._timed("click", space, people, people * clicks, before, waits, visitors, sum(seen))
        return visitors

    def _timed(
        self,
        what: str,
        space: str,
        people: int,
        acts: int,
        before: float,
        waits: Sequence[float],
        visitors: Sequence[Visitor],
        seen: int = 0,
    ) -> None:
        received = sum(visitor.received for visitor in visitors) - seen
        self.note(
            what,
            space,
            people=people,
            cpu_ms=round(1000 * (self.server.seconds() - before) / acts, 1),
            median_ms=round(1000 * statistics.median(waits)),
            p90_ms=round(1000 * float(np.percentile(waits, 90))),
            kib=round(received / acts / 1024, 1),
        )


def _clicks(visitor: Visitor, rows: Sequence[int], places: np.ndarray, pause: float) -> list[float]:
    """Seconds of each answer; the next click comes a pause after the last one, or with its answer if that is later."""
    waits = []
    for number, row in enumerate(rows):
        x, y = map(float, places[row])
        waits.append(visitor.click(x, y, None if number % 2 else row))
        time.sleep(max(0.0, pause - waits[-1]))
    return waits


def measured(root: Path, code: str, spaces: Sequence[str], people: Sequence[int], clicks: int, pause: float) -> Any:
    """All rows of one checkout; a server of its own for each space, and one that opens them all."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for space in spaces:
            places = _places(space)
            server = Server(root, Path(folder))
            try:
                found = Measurement(server, code)
                found.note("before the first visitor", space, cpu_ms=round(1000 * server.seconds()))
                found.first_view(space)
                for count in people:
                    visitors = found.visit(space, count, clicks, places, pause)
                    for visitor in visitors:
                        visitor.leave()
                time.sleep(_SETTLING)
                found.note("after all have left", space)
                rows += found.rows
            finally:
                server.stop()
        server = Server(root, Path(folder))
        try:
            found = Measurement(server, code)
            for space in spaces:
                found.first_view(space)
            rows += [{**row, "what": "first view, one space after another"} for row in found.rows]
        finally:
            server.stop()
    return rows


def _places(space: str) -> np.ndarray:
    """Where the cells of a space's usual checkpoint lie on its first map."""
    folder = ROOT / "checkpoints" / space / "svge"
    checkpoint = load_checkpoint(folder)
    atlas = load_atlas(checkpoint, checkpoint.model.space)
    return next(iter(atlas.planes.values())).xy


def main(argv: list[str] | None = None) -> int:
    """Measure, print, store."""
    parser = argparse.ArgumentParser(prog="bench load", description=__doc__)
    parser.add_argument("--people", type=int, nargs="+", default=[1, 5, 20], metavar="N")
    parser.add_argument("--clicks", type=int, default=10, help="of each person (default: %(default)s)")
    parser.add_argument("--pause", type=float, default=1.0, help="seconds from click to click (default: %(default)s)")
    parser.add_argument("--spaces", nargs="+", default=["nasbench201", "nasbench101"], metavar="SPACE")
    parser.add_argument("--beside", type=Path, metavar="DIR", help="another checkout, such as one of before a change")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args(argv)
    rows: list[dict[str, Any]] = []
    codes = ([("before", arguments.beside.resolve())] if arguments.beside else []) + [("now", ROOT)]
    for code, root in codes:
        rows += measured(root, code, arguments.spaces, arguments.people, arguments.clicks, arguments.pause)
    settings = {
        "seconds from click to click": arguments.pause,
        "clicks of each person": arguments.clicks,
        "places": "half points, half empty space",
        "cpu_ms": "of the server's process, per view or click",
    }
    save_results("load", rows, settings, command("load", argv))
    report(arguments, rows, COLUMNS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
