"""Damaged JSON for fuzz tests of readers: one value of a document is replaced, removed, doubled or joined."""

import copy
import json
from collections.abc import Iterator
from typing import Any


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where every value lies; of a long list only the first and the last one."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, part in value.items():
            yield from places(part, (*path, key))
    elif isinstance(value, list):
        for number in {0, len(value) - 1} & set(range(len(value))):
            yield from places(value[number], (*path, number))


DAMAGE = ("null", "true", '"text"', "-1", "0", "1.5", "[]", "{}", "[[1]]", '{"a": 1}', "NaN", "Infinity", "1e999")
DAMAGE += ('"\\ud800"', "9" * 30, "9" * 400, "9" * 6_000, "-" + "9" * 6_000, "[" * 2_000 + "]" * 2_000)
DAMAGE += ('{"a":' * 2_000 + "1" + "}" * 2_000, "missing", "extra", "twice")
MARK = "@damaged@"


def damaged(text: str, place: tuple[Any, ...], how: str) -> str:
    """The text with one value replaced by other JSON, removed, doubled, or with an unknown field beside it."""
    plain = copy.deepcopy(json.loads(text))
    part = plain
    for step in place[:-1]:
        part = part[step]
    last = place[-1]
    if how == "missing":
        del part[last]
        return json.dumps(plain)
    if how in ("extra", "twice") and isinstance(part, dict):
        part[MARK] = part[last] if how == "twice" else 1
        written = json.dumps(plain)
        return written.replace(json.dumps(MARK), json.dumps(last)) if how == "twice" else written
    part[last] = MARK
    return json.dumps(plain).replace(json.dumps(MARK), "null" if how in ("extra", "twice") else how)
