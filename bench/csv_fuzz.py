"""Many generated tables of scores through the one reader: no traceback, and no value on a wrong cell.

A third of the files are as a spreadsheet would write them, with every kind of trouble in single fields; there, a slow
reader that is written down here a second time says which value each cell must have. The others are then damaged byte by
byte; there, every value that was read must stand on a line that names its cell.
"""

import argparse
import csv
import io
import math
import re
import sys
import time
import traceback
from dataclasses import dataclass, field

import numpy as np

from bench.harness.results import print_table, save_results
from svge_core.data.csv import UserScores, import_csv
from svge_core.errors import DataError
from svge_core.spaces import AbstractSearchSpace, get_space

SPACE = "nasbench201"
#: titles of a column of architectures, and which of a cell's names it holds
TITLES = {"index": 0, "Index": 0, "arch_str": 1, "arch": 1, "architecture": 1, "naslib": 2}
SCORES = ("acc", "val_err", "latency (ms)", "Präzision", "score", "F1")
UNKNOWN = ("", "NA", "nan", "N/A", "None")
BAD = ("x", "oops", "1e400", "inf", "--3", "1 2", "0x1F")
#: between the fields of a record, as the check holds it
SEPARATOR = "\x1f"
GOOD = ("1", "2.5", "-3e2", "91.25", "0", "1e-3", "7E2")


@dataclass
class Table:
    """A generated file.

    Attributes:
        content: its bytes.
        delimiter: between fields.
        wanted: by column, the values of every cell on good lines; None where the slow reader does not say.
        bad: numbers of the lines that must be named.
    """

    content: bytes
    delimiter: str
    wanted: dict[str, dict[int, list[float]]] | None
    bad: list[int] = field(default_factory=list)


def names_of(space: AbstractSearchSpace) -> list[tuple[str, str, str]]:
    """Per official index, what the cell is called in the three kinds of column."""
    found = []
    for index in range(space.size or 0):
        cell = space.from_index(index)
        tuple_text = next(alias.text for alias in space.aliases(cell) if alias.name == "naslib")
        found.append((str(index), space.format(cell), tuple_text))
    return found


def make_table(rng: np.random.Generator, names: list[tuple[str, str, str]]) -> Table:
    """A file as a spreadsheet would write it, and what must be read from it."""
    delimiter = str(rng.choice([",", ";", "\t"]))
    title = str(rng.choice(list(TITLES)))
    scores = [str(name) for name in rng.choice(SCORES, size=int(rng.integers(1, 4)), replace=False)]
    quoted = title == "naslib" or rng.random() < 0.3
    wanted: dict[str, dict[int, list[float]]] = {name: {} for name in scores}
    bad: list[int] = []
    lines = [[title, *scores]]
    first = 2
    sep = rng.random() < 0.1
    for line in range(first + sep, first + sep + int(rng.integers(1, 12))):
        index, known = int(rng.integers(len(names))), rng.random() < 0.9
        name = names[index][TITLES[title]] if known else str(len(names) + 7) if title.lower() == "index" else "|what~0|"
        fields = [
            str(rng.choice(GOOD if rng.random() < 0.8 else UNKNOWN if rng.random() < 0.6 else BAD)) for _ in scores
        ]
        extra = ["9"] * int(rng.random() < 0.05)
        lines.append([name, *fields, *extra])
        usable = known and not extra and not any(text in BAD for text in fields)
        numbers = {name: float(text) for name, text in zip(scores, fields, strict=True) if text in GOOD}
        if usable and numbers:
            for column, value in numbers.items():
                wanted[column].setdefault(index, []).append(value)
        else:
            bad.append(line)
    # a column of which fewer than half of the filled fields are numbers may be text, which is another rule
    right = [row for row in lines[1:] if len(row) == len(lines[0])]
    says = all(
        2 * sum(row[place] in GOOD for row in right) > sum(row[place] not in UNKNOWN for row in right)
        for place in range(1, len(scores) + 1)
    )
    memory = io.StringIO(newline="")
    style = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    writer = csv.writer(memory, delimiter=delimiter, quoting=style, lineterminator=str(rng.choice(["\n", "\r\n"])))
    writer.writerows(lines)
    text = (f"sep={delimiter}\n" if sep else "") + memory.getvalue()
    content = text.encode("utf-8-sig" if rng.random() < 0.2 else "utf-8")
    return Table(content, delimiter, wanted if says else None, bad)


def damaged(table: Table, rng: np.random.Generator) -> Table:
    """The file with some bytes changed, left out, put in or moved."""
    content = bytearray(table.content)
    for _ in range(int(rng.integers(1, 6))):
        at = int(rng.integers(len(content))) if content else 0
        kind = int(rng.integers(5))
        if kind == 0 and content:
            content[at] = int(rng.integers(256))
        elif kind == 1 and content:
            del content[at : at + int(rng.integers(1, 8))]
        elif kind == 2:
            content[at:at] = rng.choice([b",", b";", b'"', b"\n", b"\0", b"\xff", b"1", b"%", b"-"]).item()
        elif kind == 3:
            content[at:at] = content[: int(rng.integers(1, 40))]
        else:
            content = content[:at]
    return Table(bytes(content), table.delimiter, None)


def fault(space: AbstractSearchSpace, table: Table, names: list[tuple[str, str, str]]) -> tuple[str, str]:
    """How the reader took a file, and what was wrong with that; empty where nothing was."""
    try:
        found = import_csv(space, table.content)
    except DataError as error:
        if "\n" in str(error):
            return "refused", "a message of several lines"
        many = table.wanted is not None and all(len(cells) >= 2 for cells in table.wanted.values()) and not table.bad
        return "refused", f"refused though every line is good: {error}" if many else ""
    except Exception:
        return "traceback", traceback.format_exc()
    values = {
        meaning.title: {
            int(index): float(value)
            for index, value in zip(found.frame.index, found.frame[key], strict=True)
            if not math.isnan(value)
        }
        for key, meaning in found.meanings.items()
    }
    if table.wanted is None:
        return "read", _astray(found, values, table, names)
    for column, cells in values.items():
        expected = {index: float(np.mean(numbers)) for index, numbers in table.wanted[column].items()}
        if not (cells.keys() == expected.keys() and np.allclose(list(cells.values()), [expected[i] for i in cells])):
            return "read", f"column {column!r}: {cells} instead of {expected}"
    rejected = [row.line for row in found.rejected]
    if len(values) == len(table.wanted) and rejected != table.bad:
        return "read", f"lines {rejected} are named instead of {table.bad}"
    return "read", ""


def _astray(
    found: UserScores, values: dict[str, dict[int, float]], table: Table, names: list[tuple[str, str, str]]
) -> str:
    """A value that stands on no line that names its cell."""
    text = table.content.decode("utf-8-sig", errors="replace").replace("\0", "")
    # a quoted field may go on over lines; read with each delimiter, as damage may have put in another one
    records = [
        SEPARATOR.join(map(_plain, fields))
        for delimiter in ",;\t"
        for fields in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    ]
    for column, cells in values.items():
        for index, value in cells.items():
            own = [line for line in records if any(_holds(line, name) for name in names[index])]
            numbers = [number for line in own for number in _numbers(line)]
            if not numbers or not min(numbers) - 1e-9 <= value <= max(numbers) + 1e-9:
                return (
                    f"column {column!r}: {value} for cell {index}, whose lines are {own[:3]} ({len(found.frame)} cells)"
                )
    return ""


def _plain(field: str) -> str:
    """A field without what means nothing in it: blanks, quotes, the comma before a bracket."""
    return re.sub(r'[\s"]', "", field).replace(",)", ")")


def _holds(record: str, name: str) -> bool:
    """Whether a record has this name, by itself or between other things than digits."""
    zeros = "0*" if name.isdigit() else ""  # an index may be padded
    return re.search(rf"(?<!\d){zeros}{re.escape(_plain(name))}(?!\d)", record) is not None


def _numbers(record: str) -> list[float]:
    """Everything in a record that could be a number, with a decimal point or comma."""
    found = []
    for part in re.split(f"[,;{SEPARATOR}]", record) + record.split(SEPARATOR):
        for text in (part.strip("%"), part.strip("%").replace(",", ".")):
            try:
                found.append(float(text))
            except ValueError:
                continue
    return [number for number in found if math.isfinite(number)]


def main() -> int:
    """Generate, read, compare, save; the exit status is 1 where a fault was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    space, started = get_space(SPACE), time.process_time()
    names = names_of(space)
    counts = {(kind, how): 0 for kind in ("whole", "damaged") for how in ("read", "refused", "traceback")}
    faults: list[str] = []
    for number in range(arguments.files):
        rng = np.random.default_rng([arguments.seed, number])
        table, kind = make_table(rng, names), "whole"
        if number % 3:
            table, kind = damaged(table, rng), "damaged"
        how, wrong = fault(space, table, names)
        counts[kind, how] += 1
        if wrong:
            faults.append(wrong)
            sys.stdout.write(f"file {number}: {wrong}\n{table.content!r}\n")
    rows = [{"files": kind, "outcome": how, "count": count} for (kind, how), count in counts.items()]
    rows.append({"files": "all", "outcome": "faults", "count": len(faults)})
    print_table(rows, ["files", "outcome", "count"])
    settings = {"space": SPACE, "files": arguments.files, "seed": arguments.seed}
    command = f"python -m bench.csv_fuzz --files {arguments.files} --seed {arguments.seed}"
    settings["cpu_seconds"] = round(time.process_time() - started)
    save_results("csv_fuzz", rows, settings, command)
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
