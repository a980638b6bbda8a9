"""Tables of speed and durability, from ``bench/results/`` (throughput, durability, click, load, tasks, ask_time)."""

from pathlib import Path
from typing import Any

from bench.harness.results import read_results
from svge_core.search.searchers import METHODS
from svge_core.spaces import SPACES

WHAT = {"train": "training", "encode": "encoding", "decode": "decoding"}
CODE = {"authors": "authors' code"}
FIRST_VISIT = "first visit: "


def _measured(stored: dict[str, Any], more: str = "") -> str:
    """Where the numbers below come from."""
    machine = stored["machine"]
    return f"`{stored['command']}`, {stored['date']}; {machine['cpu']}, {machine['cores']} cores{more}."


def throughput(root: Path) -> str:
    """Cells per CPU second beside the authors' code."""
    if (stored := read_results("throughput", root)) is None:
        return "Not measured yet: `python -m bench.throughput`."
    lines = [
        _measured(stored, f", {stored['settings']['threads']} thread, {stored['settings']['rounds']} rounds"),
        "",
        "| what | code | batch | cells per CPU second | times the authors' | at their batch |",
        "|---|---|---|---|---|---|",
    ]
    for row in stored["rows"]:
        ratio = f"{row['ratio']:g}" if row.get("ratio") else ""
        code = CODE.get(row["implementation"], row["implementation"])
        reference = (row.get("reference") or "").removeprefix("batch ")
        lines.append(
            f"| {WHAT[row['what']]} | {code} | {row['batch']:,} | {row['graphs_per_cpu_second']:,.0f} | {ratio} "
            f"| {reference} |"
        )
    return "\n".join(lines)


def durability(root: Path) -> str:
    """What kills did to a run."""
    if (stored := read_results("durability", root)) is None:
        return "Not measured yet: `python -m bench.durability`."
    lines = [
        _measured(stored, f"; seed of the moments {stored['settings']['seed']}"),
        "",
        "| store, search and trouble | kills or crashes | evaluations of the budget | distinct | lost "
        "| stored and repeated | runs with the same proposals as without trouble |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in stored["rows"]:
        lines.append(
            f"| {row['what']} | {row['kills']} | {row['evaluations']} of {row['budget']} | {row['distinct']} "
            f"| {row['lost']} "
            f"| {row['finished_repeated']} | {row.get('same_as_unkilled') or 'not asked'} |"
        )
    return "\n".join(lines)


def clicks(root: Path) -> str:
    """Milliseconds from a click to the new panel."""
    lines = ["| points | what | clicks | median, ms |", "|---|---|---|---|"]
    commands = []
    for name in ("click", "click-nasbench101"):
        if (stored := read_results(name, root)) is None:
            continue
        commands.append(_measured(stored, f"; {stored['settings']['window']}"))
        for row in stored["rows"]:
            if row.get("median_ms"):
                points = f"{stored['settings']['points']:,}"
                lines.append(f"| {points} | {row['what']} | {row['clicks']} | {row['median_ms']:,.0f} |")
    return "\n".join([*commands, "", *lines]) if commands else "Not measured yet: `python -m bench.click`."


def load(root: Path) -> str:
    """What people cost the server."""
    if (stored := read_results("load", root)) is None:
        return "Not measured yet: `python -m bench.load`."
    pause = stored["settings"]["seconds from click to click"]
    lines = [
        _measured(stored, f"; a click every {pause:g} s of each person, half of them on points"),
        "",
        "| code | space | what | people | CPU of the server, ms | median wait, ms | sent, KiB | resident then, MiB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in stored["rows"]:
        measured = (row.get(key) for key in ("cpu_ms", "median_ms", "kib"))
        cells = (row["what"], row.get("people", 0), *measured, row["resident_mib"])
        shown = ("" if cell is None else f"{cell:,}" if isinstance(cell, int) else f"{cell}" for cell in cells)
        lines.append(f"| {row['code']} | {SPACES[row['space']].title} | {' | '.join(shown)} |")
    return "\n".join(lines)


def map_brush(root: Path) -> str:
    """What the map with its layers costs, and how long a movement of the brush takes."""
    if (stored := read_results("map_brush", root)) is None:
        return "Not measured yet: `python -m bench.map_brush`."
    lines = [
        _measured(stored, f"; {stored['settings']['points']:,} points, {stored['settings']['window']}"),
        "",
        "| what | times | median, ms | browser CPU, s | payload, MB |",
        "|---|---|---|---|---|",
    ]
    for row in stored["rows"]:
        median = f"{row['median_ms']:,.0f}" if row.get("median_ms") else ""
        weight = f"{row['bytes'] / 1e6:.2f}" if row.get("bytes") else ""
        cpu = row["browser_cpu_ms"] / 1000
        lines.append(f"| {row['what']} | {row['times']} | {median} | {cpu:.2g} | {weight} |")
    return "\n".join(lines)


def tasks(root: Path) -> str:
    """What six tasks take, and what a first visit sees when."""
    if (stored := read_results("tasks", root)) is None:
        return "Not measured yet: `python -m bench.tasks`."
    settings, rows = stored["settings"], stored["rows"]
    before = f"; before: commit {settings['before']}" if "before" in settings else ""
    lines = [
        _measured(stored, f"; {settings['window']}{before}; load average of the machine {settings['load average']}"),
        "",
        "| task | code | clicks, drags, scrolls | keys, texts | seconds | way |",
        "|---|---|---|---|---|---|",
    ]
    names = dict.fromkeys(row["task"] for row in rows if "answer" in row)
    for row in (row for name in names for row in rows if row["task"] == name):
        if row["done"] == "yes":
            shown = f"{row['clicks']} | {row['keys']} | {row['seconds']:.1f} | {row['way']}"
        else:
            shown = f"{row['done']} | | | {row['answer']}"
        lines.append(f"| {row['task']} | {row['code']} | {shown} |")
    lines += ["", "| a first visit: in view | after, s | clicks until then |", "|---|---|---|"]
    for row in rows:
        if row["task"].startswith(FIRST_VISIT):
            lines.append(f"| {row['task'].removeprefix(FIRST_VISIT)} | {row['seconds']:.1f} | {row['clicks']} |")
    return "\n".join(lines)


def asks(root: Path) -> str:
    """Seconds per proposal."""
    if (stored := read_results("ask_time", root)) is None:
        return "Not measured yet: `python -m bench.ask_time`."
    settings = stored["settings"]
    lines = [
        _measured(stored, f"; {settings['observations']} observations, {settings['q']} cells an ask"),
        "",
        "| method | first ask, s | median, s | median, CPU s | largest, s | asks |",
        "|---|---|---|---|---|---|",
    ]
    for row in stored["rows"]:
        seconds = [row[name] for name in ("first_seconds", "median_seconds", "median_cpu_seconds", "largest_seconds")]
        shown = " | ".join(f"{value:.2g}" for value in seconds)
        lines.append(f"| {METHODS[row['method']].title} | {shown} | {row['asks']} |")
    return "\n".join(lines)
