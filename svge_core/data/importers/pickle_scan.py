"""A pickle walked through without obeying it, so that obeying it takes work and memory in proportion to its size.

Three things a small file could do are found here. Sizes and memo positions beyond the file would allocate gigabytes.
Tuples are hashed anew whenever they are a key: nested without end they overflow the stack of the process, and made of
chosen numbers they share one hash, so that a dictionary of n of them takes n * n comparisons. So the walk keeps, for
every item on the pickle's stack, what kind of key it would be. And references to one list, repeated level by level,
stand for more items than fit any memory: :func:`check_size` counts them after loading.
"""

import mmap
import re
import struct
from collections.abc import Iterator

from svge_core.errors import DataError

#: most tuples of a file that could be keys with a hash of its choice: of numbers of more than 32 bits, or nested
MAX_CHOSEN = 256
#: most parts of a tuple that could be a key, those of the tuples in it counted each time
MAX_PARTS = 200
#: deepest nesting, and the fewest items that are always read
MAX_DEPTH, MIN_ITEMS = 64, 2_000_000

# Kinds of items. From 1 to MAX_PARTS: a key whose hash the file chooses, with so many parts; a number is one.
_PLAIN, _UNSET, _NO_KEY = 0, 254, 255  # harmless as (part of) a key; no item; lists and whatever cannot be a key
_GIVES_NUMBER, _GIVES_TEXT, _GIVES_OTHER = 249, 248, 247  # what is called, by what comes of it
_NAMES_NUMBER, _NAMES_TEXT = 252, 251  # texts that may name the first two
_NAMES = {b"scalar": _NAMES_NUMBER, b"encode": _NAMES_TEXT, b"bytes": _NAMES_TEXT}
_LONGEST_NAME = 6
_GIVES = {_NAMES_NUMBER: _GIVES_NUMBER, _NAMES_TEXT: _GIVES_TEXT}
_RESULTS = {_GIVES_NUMBER: 1, _GIVES_TEXT: _PLAIN, _GIVES_OTHER: 1}
_OURS = re.compile(rb"c(?:numpy[\w.]*|collections|_codecs|builtins|__builtin__)\n")

#: numbers, and references to what was kept; they stand in long runs
_ONE = rb"G.{8}|[Kh].|M..|[Jj].{4}|[N\x88\x89]"
_RUN = re.compile(rb"(?:" + _ONE + rb")++", re.DOTALL)
_ONE_OF_RUN = re.compile(_ONE, re.DOTALL)
_RUN_BEGINS = frozenset(b"GKMJNhj\x88\x89")
_GLOBAL = re.compile(rb"c[\w.]{1,80}\n([\w.]{1,80})\n")
#: opcodes with a length, and the form of that length; the text opcodes of protocols 0 and 1 are not read
_TEXTS: dict[int, tuple[struct.Struct, int]] = {
    op: (struct.Struct(form), struct.calcsize(form))
    for form, ops in (("<B", b"\x8cCU\x8a"), ("<I", b"XBT\x8b"), ("<Q", b"\x8d\x8e\x96"))
    for op in ops
}
_LONG = frozenset(b"\x8a\x8b")
_MAX_LONG = 7  # a number of more bytes can have the hash of another
_WIDTHS = {op: width for ops, width in ((b"q\x80", 1), (b"r", 4), (b"\x95", 8)) for op in ops}
_TUPLES = {0x85: 1, 0x86: 2, 0x87: 3}

#: a kind, or where a run of numbers and references stands in the file
_Item = int | tuple[int, int]


class _Walk:
    """The kinds of a pickle's items: its stack, the stacks below its marks, its memo."""

    def __init__(self, data: "bytes | mmap.mmap") -> None:
        self.data = data
        self.stack: list[_Item] = []
        self.below: list[list[_Item]] = []
        self.memo = bytearray()
        self.numbered = False  # whether memo positions are written, as protocols 2 and 3 do
        self.chosen = 0

    def kinds(self, items: list[_Item]) -> list[int]:
        """One kind for every item."""
        return [kind for item in items for kind in ((item,) if isinstance(item, int) else self._spread(item))]

    def _spread(self, run: tuple[int, int]) -> Iterator[int]:
        """Fractions have hashes of 61 bits, whole numbers of these opcodes of 32; nothing that is kept is replaced."""
        for found in _ONE_OF_RUN.finditer(self.data, *run):
            op = self.data[found.start()]
            if op in b"hj":
                yield self.get(int.from_bytes(found[0][1:], "little"))
            else:
                yield 1 if op == 0x47 else _PLAIN

    def pop(self, count: int) -> list[int]:
        """The last items' kinds."""
        last = self.stack[-count:]
        del self.stack[-count:]
        found = self.kinds(last)
        if len(found) < count:
            raise IndexError
        self.stack += found[:-count]
        return found[-count:]

    def to_mark(self) -> list[_Item]:
        """The items above the last mark."""
        items, self.stack = self.stack, self.below.pop()
        return items

    def tuple_of(self, kinds: list[int]) -> int:
        """The kind of a tuple.

        Raises:
            DataError: if it is nested too deep, or one of too many whose hash the file chooses.
        """
        if _NO_KEY in kinds:
            return _NO_KEY
        parts = [kind if kind <= MAX_PARTS else _PLAIN for kind in kinds]
        weight = 1 + sum(part or 1 for part in parts)
        self.chosen += any(parts)
        if weight > MAX_PARTS or self.chosen > MAX_CHOSEN:
            raise DataError("it has more tuples in tuples, long ones or ones of fractions than plain results need")
        return weight

    def put(self, index: int) -> None:
        """Keep the last item's kind."""
        memo, kind = self.memo, self.stack[-1]
        if not isinstance(kind, int):
            (kind,) = self.pop(1)
            self.stack.append(kind)
        if index == len(memo):
            memo.append(kind)
            return
        if index > max(255, len(memo)):
            raise DataError(f"it names item {index:,}")
        if index > len(memo):
            memo += bytes([_UNSET]) * (index + 1 - len(memo))
        if memo[index] != _UNSET:
            raise DataError(f"it names item {index:,} twice")
        memo[index] = kind

    def get(self, index: int) -> int:
        """The kind of what was kept."""
        kind = self.memo[index]
        if kind == _UNSET:
            raise IndexError
        return kind

    def step(self, op: int, position: int) -> int:
        """One opcode that is no number; returns the position after it."""
        data, stack = self.data, self.stack
        if op in _TEXTS:
            form, width = _TEXTS[op]
            begin = position + 1 + width
            length = form.unpack(data[position + 1 : begin])[0]
            if begin + length > len(data):
                raise DataError(f"an item at byte {position:,} is not whole")
            if op in _LONG:
                if length > _MAX_LONG:
                    raise DataError(f"byte {position:,} begins a number of {length:,} bytes")
                stack.append(1)
            else:
                stack.append(_NAMES.get(data[begin : begin + length], _PLAIN) if length <= _LONGEST_NAME else _PLAIN)
            return begin + length
        if op in _WIDTHS:
            width = _WIDTHS[op]
            argument = int.from_bytes(data[position + 1 : position + 1 + width], "little")
            if op in b"qr":
                self.numbered = True
                self.put(argument)
            return position + 1 + width
        if op == 0x94:  # MEMOIZE
            if self.numbered:
                raise IndexError
            self.put(len(self.memo))
        elif op == 0x28:  # MARK
            self.below.append(stack)
            self.stack = []
        elif op in b"ue\x90":  # SETITEMS, APPENDS, ADDITEMS
            self.to_mark()
        elif op in b"}]\x8f":
            stack.append(_NO_KEY)
        elif op == 0x29:  # EMPTY_TUPLE
            stack.append(1)
        elif op in _TUPLES:
            kinds = self.pop(_TUPLES[op])
            self.stack.append(self.tuple_of(kinds))
        elif op == 0x74:  # TUPLE
            kinds = self.kinds(self.to_mark())
            self.stack.append(self.tuple_of(kinds))
        elif op in b"as":  # APPEND, SETITEM
            self.pop(1 if op == 0x61 else 2)
        elif op in b"ld":  # LIST, DICT
            self.to_mark()
            self.stack.append(_NO_KEY)
        elif op in b"R\x81":  # REDUCE, NEWOBJ
            called, _ = self.pop(2)
            self.stack.append(_RESULTS.get(called, _NO_KEY))
        elif op == 0x62:  # BUILD
            self.pop(1)
        elif op == 0x93:  # STACK_GLOBAL
            _, name = self.pop(2)
            self.stack.append(_GIVES.get(name, _PLAIN))
        else:
            raise DataError(f"byte {position:,} ({op:#04x}) {self._strange(position)}")
        return position + 1

    def named(self, position: int) -> int:
        """GLOBAL, a class or function by its two names."""
        found = _GLOBAL.match(self.data, position)
        if found is None:
            raise DataError(f"byte {position:,} (0x63) {self._strange(position)}")
        ours = _OURS.match(self.data, position)
        self.stack.append(_GIVES.get(_NAMES.get(found[1], 0), _PLAIN) if ours else _GIVES_OTHER)
        return found.end()

    def _strange(self, position: int) -> str:
        whole = len(self.data) - position > 8
        return "is not part of plain data" if whole else "begins an item that is not whole"


def scan(data: "bytes | mmap.mmap", begin: int = 0, *, torch: bool = False) -> int:
    """Walk through a pickle; returns the position after it.

    Args:
        data: holds the pickle.
        begin: where it begins.
        torch: allow the persistent ids of PyTorch's storages; what they and PyTorch's functions give may be a key.

    Raises:
        DataError: without the name of the file, if an opcode is none of plain data, the pickle is cut off, or loading
            it would take more work than its size explains.
    """
    walk, position, size = _Walk(data), begin, len(data)
    try:
        while position < size:
            op = data[position]
            if op in _RUN_BEGINS:
                found = _RUN.match(data, position)
                if found is None:
                    raise DataError(f"byte {position:,} ({op:#04x}) begins an item that is not whole")
                walk.stack.append(found.span())
                position = found.end()
            elif op == 0x8C and data[position + 1] > _LONGEST_NAME and position + 2 + data[position + 1] < size:
                walk.stack.append(_PLAIN)  # most of a file: a short text
                position += 2 + data[position + 1]
                if data[position] == 0x94 and not walk.numbered:
                    walk.memo.append(_PLAIN)
                    position += 1
            elif op == 0x63:
                position = walk.named(position)
            elif op == 0x2E:  # STOP
                walk.pop(1)
                return position + 1
            elif torch and op == 0x51:  # BINPERSID
                walk.pop(1)
                walk.stack.append(1)
                position += 1
            else:
                position = walk.step(op, position)
    except (IndexError, struct.error):
        raise DataError(f"byte {position:,} refers to an item that is not there") from None
    raise DataError("its last byte does not end a pickle")


_INNER = (dict, list, tuple, set)


def check_size(value: object, size: int) -> None:
    """Count the items of what was loaded, those that are referred to again counted again.

    Raises:
        DataError: if there are more than a file of that size explains, or they are nested too deep.
    """
    most, count = max(MIN_ITEMS, 2 * size), 0
    levels: list[Iterator[object]] = [iter((value,))]
    while levels:
        for item in levels[-1]:
            if not isinstance(item, _INNER):
                continue
            inner: list[object] = [*(item.values() if isinstance(item, dict) else item)] if item else []
            count += len(inner)
            if count > most:
                raise DataError(f"references to the same items make it more than {most:,} items")
            if len(levels) > MAX_DEPTH:
                raise DataError(f"it is nested more than {MAX_DEPTH} levels deep")
            levels.append(iter(inner))
            break
        else:
            levels.pop()
