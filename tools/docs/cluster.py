"""Tables of work on a cluster, from ``bench/results/cluster.json``."""

from pathlib import Path
from typing import Any

from bench.harness.results import read_results

NOTHING = "Not measured yet: `python -m bench.cluster`."
_METHODS = {"random": "random search", "latent-bo": "latent BO"}


def _stored(root: Path, what: str) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
    """The file, and its rows of one kind."""
    stored = read_results("cluster", root)
    rows = [row for row in stored["rows"] if row["what"] == what] if stored else []
    return (stored, rows) if stored and rows else None


def _measured(stored: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    """Where the numbers below come from."""
    machine = stored["machine"]
    loads = [row["load"] for row in rows if "load" in row]
    least, most = (f"{load:.0f}" for load in (min(loads), max(loads))) if loads else ("", "")
    busy = f"; load average {least if least == most else f'{least} to {most}'} while it ran" if loads else ""
    return f"`{stored['command']}`, {stored['date']}; {machine['cpu']}, {machine['cores']} cores{busy}."


def workers(root: Path) -> str:
    """Evaluations a second, and overhead, by workers and seconds of an evaluation."""
    if (found := _stored(root, "workers")) is None:
        return NOTHING
    stored, rows = found
    counts = sorted({row["workers"] for row in rows})
    lines = [
        _measured(stored, rows),
        "",
        "| one evaluation sleeps | "
        + " | ".join(f"{count} workers" if count > 1 else "1 worker" for count in counts)
        + " |",
        "|---|" + "---|" * len(counts),
    ]
    for sleep in sorted({row["sleep"] for row in rows}):
        by_count = {row["workers"]: row for row in rows if row["sleep"] == sleep}
        cells = [
            f"{by_count[count]['per_second']:.3g}/s, {1000 * by_count[count]['overhead']:,.0f} ms" for count in counts
        ]
        lines.append(f"| {sleep:g} s | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def driver(root: Path) -> str:
    """What the driver alone can do, and how long evaluations must be for it to keep 1,000 workers busy."""
    if (found := _stored(root, "driver")) is None:
        return NOTHING
    stored, rows = found
    lines = [
        _measured(stored, rows),
        "",
        "| method | proposals at a time | evaluations a second | processor time each | 1,000 workers are kept busy by "
        "evaluations of at least |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {_METHODS[row['method']]} | {row['batch']} | {row['per_second']:.3g} "
            f"| {1000 * row['cpu_per_evaluation']:.0f} ms | {1000 / row['per_second']:,.0f} s |"
        )
    return "\n".join(lines)


def lost_node(root: Path) -> str:
    """What the death of a node did to a search."""
    if (found := _stored(root, "node")) is None:
        return NOTHING
    stored, rows = found
    row = rows[0]
    return (
        f"{_measured(stored, rows)} Three nodes of four workers, evaluations of {row['sleep']:g} s, one node killed "
        f"after {row['killed_after']} of them: **{row['evaluations']} of {row['budget']}** evaluations, "
        f"{row['distinct']} distinct, {row['lost']} lost, {row['finished_repeated']} evaluated to the end twice; "
        f"{row['begun_again']} cut off and begun again."
    )


def swept(root: Path) -> str:
    """Cells a second, and the hours that all of them take."""
    if (found := _stored(root, "sweep")) is None:
        return NOTHING
    stored, rows = found
    lines = [
        _measured(stored, rows),
        "",
        "| where | cells a second | in a second of a processor | all {:,} cells, if it stays so |".format(
            rows[0]["space"]
        ),
        "|---|---|---|---|",
    ]
    for row in rows:
        own = f"{row['per_cpu_second']:,.0f}" if row["per_cpu_second"] else ""
        lines.append(
            f"| {row['place'].replace('Ray, 1', 'Ray, 1 worker').replace('Ray, 2', 'Ray, 2 workers')} "
            f"| {row['per_second']:,.0f} | {own} | {row['space'] / row['per_second'] / 3600:,.1f} h |"
        )
    return "\n".join(lines)
