"""Networks beside other people's, and their files where nothing else is installed, from the stored benchmarks."""

from pathlib import Path

from bench.harness.results import read_results


def network_agreement(root: Path) -> str:
    """What random cells compute in two networks, and parameter counts."""
    if (stored := read_results("networks", root)) is None:
        return "Not measured yet: `python -m bench.networks --tables DIR`."
    rows = ["| what | space | against | equal | largest difference |", "|---|---|---|---:|---:|"]
    for row in stored["rows"]:
        difference = row.get("largest_difference")
        shown = "" if difference is None else "0" if difference == 0 else f"{difference:.1e}"
        equal = f"{row['equal']:,} of {row['cells']:,}"
        rows.append(f"| {row['what']} | {row['space']} | {row['against']} | {equal} | {shown} |")
    return "\n".join([*rows, "", _origin(stored)])


def network_files(root: Path) -> str:
    """Written networks run elsewhere."""
    if (stored := read_results("network_files", root)) is None:
        return (
            "Not measured yet: `python -m bench.network_files --torch-python A/bin/python --onnx-python B/bin/python`."
        )
    rows = ["| space | file | cells | largest difference | seconds of an export |", "|---|---|---:|---:|---:|"]
    for row in stored["rows"]:
        difference = "0" if row["largest_difference"] == 0 else f"{row['largest_difference']:.1e}"
        taken = row["median_seconds"]
        seconds = f"{taken:.0f}" if taken >= 10 else f"{taken:.2g}"
        rows.append(f"| {row['space']} | `{row['file']}` | {row['cells']} | {difference} | {seconds} |")
    return "\n".join([*rows, "", _origin(stored)])


def _origin(stored: dict[str, object]) -> str:
    machine = stored["machine"]
    assert isinstance(machine, dict)
    return f"`{stored['command']}`, {stored['date']}, {machine['cpu']}, torch {machine['torch']}"
