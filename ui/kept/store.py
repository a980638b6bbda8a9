"""Sessions kept on the server, one folder for each browser, until it has not come back for a month.

A browser is known by a secret that it sends as a cookie; the folder is named by the secret's digest, so whoever reads
the disk cannot pretend to be it. Two tabs of one browser share a folder: each change is laid over what the other has
written meanwhile, so neither loses what the other made.
"""

import hashlib
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from svge_core.errors import SvgeError
from svge_core.files import StrictRecord, check_version, read_record, write_record
from svge_core.jobs import locked
from svge_core.spaces import SPACES
from ui.kept.document import (
    MAX_BYTES,
    VERSION,
    Kept,
    OwnRecord,
    PutAside,
    SpaceRecord,
    Text,
    check_space,
    own_columns,
    own_record,
)
from ui.shared.choices import BASKET_CAP, SAVED_CAP, SavedSelection, UserColumns

FILE = "session.json"
#: what could not be read is kept beside, in case a person asks for it, until something else cannot be read
UNREADABLE = "session.unreadable.json"
_ASIDE = "unreadable-"
KEEP_DAYS = 30
#: browsers, and bytes of all of them; who was away longest goes first
MOST_BROWSERS, MOST_BYTES = 500, 2**30
ADVICE, OWN_ADVICE = "A new session has begun.", "Open your table again."


class StoredSession(StrictRecord, frozen=True, kw_only=True):
    """The file of a browser: ``own`` names the file of each space's own scores by their digest."""

    version: int
    space: Text
    spaces: dict[str, SpaceRecord]
    own: dict[str, Text] = {}


@dataclass(frozen=True)
class KeptSessions:
    """The sessions of all browsers.

    Args:
        folder: where they lie.
        now: seconds since 1970; for tests.
    """

    folder: Path
    now: Callable[[], float] = time.time

    def load(self, secret: str, tell: Callable[[str], None] = lambda line: None) -> Kept | None:
        """What is kept for a browser, and note that it came back; None if nothing is.

        Args:
            secret: of the browser.
            tell: takes one line for each search space and each table of own scores that cannot be read: it is put
                aside, and the rest is there.

        Raises:
            SvgeError: one line, if nothing of it can be read; it is put aside then, and a new session begins.
        """
        home = self._home(secret)
        if not (home / FILE).is_file():
            return None
        with locked(self.folder):
            try:
                stored = self._stored(home)
            except SvgeError:
                _put_aside(home)
                raise
            spaces, own = dict(stored.spaces), dict(stored.own)
            tables: dict[str, UserColumns] = {}
            damaged: list[str] = []
            for name in SPACES:
                try:
                    if name in spaces:
                        check_space(name, spaces[name])
                except SvgeError as error:
                    damaged.append(f"{error} What was chosen in that space begins anew.")
                    del spaces[name]
                try:
                    if name in own:
                        tables[name] = self._own(home, name, own[name])
                except SvgeError as error:
                    damaged.append(str(error))
                    del own[name]
            if damaged:
                _put_aside(home, but=own.values())
                write_record(home / FILE, StoredSession(version=VERSION, space=stored.space, spaces=spaces, own=own))
            (home / FILE).touch()
        for line in damaged:
            tell(line)
        known = {name: record for name, record in spaces.items() if name in SPACES}
        return Kept(stored.space if stored.space in SPACES else "", known, tables)

    def save(self, secret: str, mine: Kept, base: Kept) -> Kept:
        """Keep a session.

        Args:
            secret: of the browser.
            mine: the session as it is now.
            base: the session as it was when it was last loaded or saved; what differs has been changed here.

        Returns:
            ``mine`` with the baskets as they are kept: with what other tabs have put into them.

        Raises:
            OSError: if it cannot be written; what was kept before stays.
            SvgeError: if it is too large.
        """
        home = self._home(secret)
        with locked(self.folder):
            if not home.is_dir():
                self._make_room()
                home.mkdir(mode=0o700)
            try:
                stored = self._stored(home) if (home / FILE).is_file() else None
            except SvgeError:
                _put_aside(home)
                stored = None
            theirs = stored or StoredSession(version=VERSION, space="", spaces={})
            base = base if stored else Kept()  # nothing of it is there any more: everything is to be written
            spaces = {
                name: _merged(base.spaces.get(name), mine.spaces.get(name), theirs.spaces.get(name))
                for name in dict.fromkeys([*theirs.spaces, *mine.spaces])
            }
            own = dict(theirs.own)
            for name in {*mine.own, *base.own}:
                now = mine.own.get(name)
                if _own_digest(now) == _own_digest(base.own.get(name)):
                    continue
                own.pop(name, None)
                if now is not None:
                    own[name] = _own_digest(now)
                    target = home / _own_file(own[name])
                    if not target.exists():
                        write_record(target, own_record(now), max_bytes=MAX_BYTES)
                        self._make_room(home)
            write_record(home / FILE, StoredSession(version=VERSION, space=mine.space, spaces=spaces, own=own))
            for old in set(home.glob("own-*.json")) - {home / _own_file(digest) for digest in own.values()}:
                old.unlink(missing_ok=True)
        return Kept(mine.space, {name: spaces[name] for name in mine.spaces}, mine.own)

    def forget(self, secret: str) -> None:
        """Delete what is kept for a browser."""
        with locked(self.folder):
            shutil.rmtree(self._home(secret), ignore_errors=True)

    def _home(self, secret: str) -> Path:
        return self.folder / hashlib.sha256(secret.encode()).hexdigest()[:32]

    def _stored(self, home: Path) -> StoredSession:
        return read_record(
            home / FILE,
            StoredSession,
            ADVICE,
            name="The session that was kept for this browser",
            error=SvgeError,
            upgrade=lambda plain: check_version(plain, "version", (VERSION,)),
        )

    def _own(self, home: Path, space: str, digest: str) -> UserColumns:
        name = f"The table of own scores of {SPACES[space].title} that was kept for this browser"
        if not digest.isalnum():
            raise SvgeError(f"{name} has no digest. {OWN_ADVICE}")
        try:
            record = read_record(
                home / _own_file(digest), OwnRecord, OWN_ADVICE, name=name, error=SvgeError, max_bytes=MAX_BYTES
            )
        except OSError as error:
            raise SvgeError(f"{name} cannot be read: {error.strerror}. {OWN_ADVICE}") from None
        return own_columns(space, record)

    def _make_room(self, mine: Path | None = None) -> None:
        """Drop who has not come for a month, and who was away longest until one more browser fits; never ``mine``."""
        homes = sorted((_last_use(home), home) for home in self.folder.iterdir() if home.is_dir())
        sizes = {home: sum(file.stat().st_size for file in home.iterdir()) for _, home in homes}
        left, total = len(homes) - (mine is not None), sum(sizes.values())
        for used, home in homes:
            if home == mine:
                continue
            if self.now() - used < 86_400 * KEEP_DAYS and left < MOST_BROWSERS and total < MOST_BYTES:
                break
            shutil.rmtree(home, ignore_errors=True)
            left, total = left - 1, total - sizes[home]


def _put_aside(home: Path, but: Collection[str] = ()) -> None:
    """Keep the files of a session that cannot be read under other names, in place of the last such.

    Args:
        home: the folder of the session.
        but: digests of tables that can be read: they stay.
    """
    for old in home.glob(f"{_ASIDE}*"):
        old.unlink(missing_ok=True)
    for table in set(home.glob("own-*.json")) - {home / _own_file(digest) for digest in but}:
        table.replace(home / f"{_ASIDE}{table.name}")
    (home / FILE).replace(home / UNREADABLE)


def _last_use(home: Path) -> float:
    file = home / FILE
    return file.stat().st_mtime if file.is_file() else 0.0


def _own_file(digest: str) -> str:
    return f"own-{digest}.json"


def _own_digest(columns: UserColumns | None) -> str:
    """32 hex digits of the table and its name; empty for none."""
    if columns is None:
        return ""
    return hashlib.sha256(f"{columns.scores.digest} {columns.name}".encode()).hexdigest()[:32]


def _merged(base: SpaceRecord | None, mine: SpaceRecord | None, theirs: SpaceRecord | None) -> SpaceRecord:
    """Field by field what was changed here, else what stands there; of baskets and saved selections, what each tab took
    out and put in."""
    base, mine = base or SpaceRecord(), mine or SpaceRecord()
    if theirs is None:
        return mine
    changed = {
        name: value
        for name, value in _fields(mine).items()
        if name not in ("basket", "saved") and value != getattr(base, name)
    }
    if changed.keys() & {"cell", "place"}:  # one focus in two fields
        changed |= {"cell": mine.cell, "place": mine.place}
    basket = _merged_basket(base.basket, mine.basket, theirs.basket)
    saved = _merged_saved(base.saved, mine.saved, theirs.saved)
    return msgspec.structs.replace(theirs, **changed, basket=basket, saved=saved)


def _fields(record: SpaceRecord) -> Mapping[str, Any]:
    return {name: getattr(record, name) for name in record.__struct_fields__}


def _merged_basket(
    base: tuple[PutAside, ...], mine: tuple[PutAside, ...], theirs: tuple[PutAside, ...]
) -> tuple[PutAside, ...]:
    if theirs == base:
        return mine
    if mine == base:
        return theirs
    gone = _notations(base) - _notations(mine)
    taken = _notations(base) - _notations(theirs)
    stay = [entry for entry in mine if entry.notation not in taken]
    new = [entry for entry in theirs if entry.notation not in gone | _notations(mine)]
    return tuple((stay + new)[:BASKET_CAP])


def _merged_saved(
    base: tuple[SavedSelection, ...], mine: tuple[SavedSelection, ...], theirs: tuple[SavedSelection, ...]
) -> tuple[SavedSelection, ...]:
    """By name what was saved, changed or deleted here, else what stands there."""
    before, here = {each.name: each for each in base}, {each.name: each for each in mine}
    changed = {name for name in before.keys() | here.keys() if before.get(name) != here.get(name)}
    stay = [each for each in theirs if each.name not in changed]
    return tuple((stay + [each for each in mine if each.name in changed])[-SAVED_CAP:])


def _notations(entries: Iterable[PutAside]) -> set[str]:
    return {entry.notation for entry in entries}
