"""Published and measured rows side by side, from ``assets/results/papers.json``: what the Results page shows."""

from pathlib import Path
from typing import Any

from bench.harness.results import read_results
from svge_core.evaluation import percent


def published(root: Path) -> str:
    """One table per comparison and data set: systems down, measures across, each row with its origin."""
    if (stored := read_results("papers", root)) is None:
        return "Not collected yet: `python -m bench.papers`."
    reading = stored["settings"]["reading"]
    lines = [f"`{stored['command']}`, {stored['date']}. {reading[:1].upper()}{reading[1:]}."]
    for comparison, data in dict.fromkeys((row["comparison"], row["data"]) for row in stored["rows"]):
        rows = [row for row in stored["rows"] if (row["comparison"], row["data"]) == (comparison, data)]
        lines += ["", f"## {comparison[:1].upper()}{comparison[1:]}: {data}", "", *_table(rows)]
    return "\n".join(lines)


def _table(rows: list[dict[str, Any]]) -> list[str]:
    measures = list(dict.fromkeys(row["measure"] for row in rows))
    systems: dict[tuple[str, str, int | None], dict[str, dict[str, Any]]] = {}
    for row in rows:
        systems.setdefault((row["system"], row["origin"], row.get("seeds")), {})[row["measure"]] = row
    lines = [f"| system | origin | seeds | {' | '.join(measures)} |", "|---|---|---|" + "---|" * len(measures)]
    for (system, origin, seeds), found in systems.items():
        values = " | ".join(_value(found.get(measure)) for measure in measures)
        lines.append(f"| {system} | {origin} | {seeds or ''} | {values} |")
    return lines


def _value(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    value, spread = row["value"], row.get("value_sd")
    if isinstance(value, str):
        return value
    if row["measure"].endswith(", share"):
        text = f"{100 * value:+.2f} points" if " minus " in row["system"] else percent(value)
        return text if spread is None else f"{text} ± {100 * spread:.2f}"
    digits = 2 if "%" in row["measure"] else 3
    return f"{value:.{digits}f}" + ("" if spread is None else f" ± {spread:.{digits}f}")
