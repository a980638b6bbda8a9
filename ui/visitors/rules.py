"""The rules of a shared server as plain functions: no page, no store, no clock. Each answers "" or one line of refusal.

Whoever starts the app without ``SVGE_SHARED`` is no visitor and may do everything. A visitor is known by a digest of
the secret of their browser; a run belongs to the visitor who started it, or to nobody.
"""

import hashlib
import ipaddress
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from pathlib import PurePath

from svge_core.data import count_of
from svge_core.errors import SvgeError
from svge_core.search.objectives import split_csv, split_reference, split_word
from svge_core.search.runs import SearchConfig

TRAINING_OFF = (
    "Training is off on this shared server. To train a model, run the app or `svge train` on a machine of your own."
)
TIMING_OFF = (
    "Networks are not timed on this shared server. To time one, run the app or `svge measure` on a machine of your own."
)
LIMITS_HELP = "Whoever runs the server sets these limits: see Visitors in the documentation."
CODE_OFF = "Goals that run code or train networks are off on this shared server: choose a table or a predictor."
NOT_YOURS = "Only who started a search can pause, resume, cancel, name or delete it on this shared server."
#: of runs of other visitors and of those that are not there alike: nobody learns which names others have
GONE = "That search is not among yours in the store any more."
SOME_GONE = "Not all of these searches are among yours in the store any more."
UNKNOWN = "This browser is not known yet: reload the page, with cookies allowed, and try again."
ASK = "ask the person who runs this server"
FEWER = "choose fewer methods or seeds"
_DELETE = "delete some that you no longer need"
#: kinds of goals that look a value up; the others run code or train networks
LOOKED_UP = frozenset({"table", "predictor", "csv"})
_LARGEST = 10**9
#: nouns of the limits where one is allowed
_ONE = {"searches": "search", "evaluations": "evaluation", "tables": "table", "generators": "generator"}


class RefusedError(SvgeError):
    """What a visitor asked for is not theirs to ask; one line."""


@dataclass(frozen=True)
class Quota:
    """How much visitors may use; each number has the variable ``SVGE_SHARED_`` and its name in capitals.

    Attributes:
        runs, all_runs: searches of one visitor, and of all, that wait or run at once.
        kept, all_kept: searches of one visitor, and of all, that are in the store.
        budget: evaluations of one search.
        evaluations: of all searches that a visitor keeps.
        tables: uploaded tables that the searches of a visitor use.
        table_mb: MiB of one uploaded table.
        fits: generators that are fitted for a visitor on the Distribution page in an hour.
    """

    runs: int = 12
    all_runs: int = 48
    kept: int = 100
    all_kept: int = 2_000
    budget: int = 200
    evaluations: int = 6_000
    tables: int = 5
    table_mb: int = 5
    fits: int = 60

    @classmethod
    def from_variables(cls, variables: Mapping[str, str]) -> "Quota":
        """The numbers that environment variables give, and the usual ones for the rest.

        Raises:
            SvgeError: one line, if one of them is no whole number from 0 to a thousand million.
        """
        found: dict[str, int] = {}
        for item in fields(cls):
            name = f"SVGE_SHARED_{item.name.upper()}"
            if not (text := variables.get(name, "").strip()):
                continue
            if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= _LARGEST):
                raise SvgeError(
                    f"{name} is a whole number from 0 to {_LARGEST:,}; got {text[:40]!r}. Start the app anew."
                )
            found[item.name] = int(text)
        return cls(**found)


@dataclass(frozen=True)
class Usage:
    """What there is at one moment.

    Attributes:
        runs, kept, evaluations: of the visitor, as in :class:`Quota`.
        all_runs, all_kept: of all visitors.
        tables: what the searches of the visitor call the tables that they use.
    """

    runs: int = 0
    kept: int = 0
    evaluations: int = 0
    all_runs: int = 0
    all_kept: int = 0
    tables: frozenset[str] = field(default_factory=frozenset)


def owner_of_secret(secret: str) -> str:
    """Whose runs are those of the browser with this secret: 32 hex digits.

    Not the digest that names the folder of the browser's session, which cannot be had from it.
    """
    return hashlib.sha256(f"owner of searches {secret}".encode()).hexdigest()[:32]


def is_mine(owner: str, visitor: str) -> bool:
    """Whether a run is this visitor's; what belongs to nobody is no visitor's."""
    return bool(visitor) and owner == visitor


def sees(owner: str, visitor: str) -> bool:
    """Whether a visitor sees a run: their own, and those of nobody, which are the server's. Other visitors' may hold
    uploaded tables."""
    return not owner or is_mine(owner, visitor)


def tables_of(config: SearchConfig) -> frozenset[str]:
    """What a search calls the files of values, labels and candidates it uses: paths, or references to the store."""
    words = (split_word(word) for word in config.objective)
    named = {split_csv(rest)[0] for kind, rest in words if kind == "csv"}
    return frozenset(named | {file for file in (config.start_csv, config.candidates) if file is not None})


def race_refusal(
    quota: Quota, usage: Usage, configs: Collection[SearchConfig], *, visitor: str, known_tables: Collection[str]
) -> str:
    """Why a visitor may not start these searches.

    Args:
        quota: of the server.
        usage: as it is now.
        configs: the searches, together.
        visitor: who asks.
        known_tables: names of tables that this visitor may use: uploaded by them, or of searches that they see.
    """
    if not visitor:
        return UNKNOWN
    if not looks_up(configs):
        return CODE_OFF
    used = frozenset[str]().union(*map(tables_of, configs))
    if not used <= set(known_tables):
        return "A table of this search is not yours: upload it on this page."
    largest = max(config.budget for config in configs)
    if largest > quota.budget:
        most = count_of(quota.budget, "evaluation")
        return f"A search has at most {most} on this shared server; this one asks for {largest:,}."
    count, evaluations = len(configs), sum(config.budget for config in configs)
    tables = len({content_of(name) for name in used | usage.tables})
    had = len({content_of(name) for name in usage.tables})
    delete = "delete a search that you no longer need, or ask for fewer"
    smaller = "choose a smaller budget, or fewer methods or seeds"
    return _first_refusal(
        *_running_limits(quota, usage, count, FEWER),
        _Limit("searches of yours in the store", usage.kept, count, quota.kept, _DELETE, FEWER),
        _Limit("searches of all visitors in the store", usage.all_kept, count, quota.all_kept, ASK, FEWER),
        _Limit("evaluations of your searches", usage.evaluations, evaluations, quota.evaluations, delete, smaller),
        _Limit(
            "uploaded tables in your searches",
            had,
            tables - had,
            quota.tables,
            "delete the searches that use one",
            "choose goals of fewer tables",
        ),
    )


def content_of(name: str) -> str:
    """A table by its content: the digest in a reference to the store, or in the folder of an upload."""
    reference = split_reference(name)
    return PurePath(name).parent.name if reference is None else reference[0]


@dataclass(frozen=True)
class _Limit:
    """What is asked for against one limit.

    Attributes:
        what: is limited.
        used, more, limit: how much there is, is asked for, and may be.
        remedy: what to do where it does not fit now.
        smaller: what to do where it fits never, however little is used.
    """

    what: str
    used: int
    more: int
    limit: int
    remedy: str
    smaller: str

    @property
    def too_large(self) -> str:
        """One line if ``more`` alone are more than the limit: to wait or to delete would not help."""
        if self.more <= self.limit:
            return ""
        advice = self.smaller if self.limit else ASK
        return f"This shared server allows {self._allowed}: {self.more:,} asked for. Please {advice}."

    @property
    def over(self) -> str:
        """One line if ``more`` do not fit now: what, how much is used, what to do."""
        if self.used + self.more <= self.limit:
            return ""
        return (
            f"This shared server allows {self._allowed}: {self.used:,} used, {self.more:,} more asked for. "
            f"Please {self.remedy}."
        )

    @property
    def _allowed(self) -> str:
        words = self.what.split()
        if self.limit == 1:
            place = next(place for place, word in enumerate(words) if word in _ONE)
            words[place] = _ONE[words[place]]
        return f"{self.limit:,} {' '.join(words)}"


def _first_refusal(*limits: _Limit) -> str:
    """What never fits comes first, as nobody shall wait for it."""
    return next(filter(None, (*(limit.too_large for limit in limits), *(limit.over for limit in limits))), "")


def _running_limits(quota: Quota, usage: Usage, count: int, fewer: str) -> tuple[_Limit, _Limit]:
    wait = "wait until some are over, or cancel or dismiss some"
    return (
        _Limit("searches of yours at once", usage.runs, count, quota.runs, wait, fewer),
        _Limit("searches of all visitors at once", usage.all_runs, count, quota.all_runs, "try again later", fewer),
    )


def resume_refusal(quota: Quota, usage: Usage, configs: Collection[SearchConfig]) -> str:
    """Why a visitor may not let searches of their own go on, of which none is going on now."""
    if not looks_up(configs):
        return CODE_OFF
    return _first_refusal(*_running_limits(quota, usage, len(configs), "resume fewer at once"))


def looks_up(configs: Collection[SearchConfig]) -> bool:
    """Whether every goal of these searches is looked up: nothing is trained and no code of anybody's runs."""
    return {split_word(word)[0] for config in configs for word in config.objective} <= LOOKED_UP


def steer_refusal(owners: Mapping[str, str], names: Collection[str], visitor: str) -> str:
    """Why a visitor may not pause, resume, cancel, name or delete these searches.

    Args:
        owners: whose each is that is there.
        names: of the searches.
        visitor: who asks. What is not there and what they do not see read the same.
    """
    others = [name for name in names if not is_mine(owners.get(name, ""), visitor)]
    if not others:
        return ""
    if any(name in owners and sees(owners[name], visitor) for name in others):
        return NOT_YOURS
    return GONE if len(names) == 1 else SOME_GONE


def upload_refusal(quota: Quota, size: int) -> str:
    """Why a table of so many bytes is not kept for a visitor."""
    if size <= quota.table_mb * 2**20:
        return ""
    return (
        f"A table has at most {quota.table_mb} MiB on this shared server; this one has {size / 2**20:.1f} MiB. Leave "
        "out the columns and lines that the search does not need."
    )


def fit_refusal(quota: Quota, fitted: int, *, visitor: str) -> str:
    """Why no further generator is fitted for a visitor.

    Args:
        quota: of the server.
        fitted: how many were, within the last hour.
        visitor: who asks.
    """
    if not visitor:
        return UNKNOWN
    what = "generators fitted for you in the last 60 minutes"
    return _first_refusal(_Limit(what, fitted, 1, quota.fits, "come back later", ASK))


def in_words(quota: Quota, usage: Usage) -> str:
    """What a visitor has used of what, before a limit is met."""
    tables = len(set(map(content_of, usage.tables)))
    return (
        f"This server is shared. Of your searches {usage.runs:,} of {quota.runs:,} wait or run, and {usage.kept:,} of "
        f"{quota.kept:,} are kept, with {usage.evaluations:,} of {quota.evaluations:,} evaluations and {tables:,} of "
        f"{quota.tables:,} uploaded tables. A search has at most {count_of(quota.budget, 'evaluation')}. Nobody sees "
        "your searches but you and who runs the server; nobody but you can delete them here."
    )


#: headers that something between a browser and the app puts in; a browser on this machine sends none of them
RELAYED = frozenset({"forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip"}) | {
    f"x-forwarded-{what}" for what in ("for", "host", "proto", "port", "server")
}


def from_this_machine(address: str | None, headers: Mapping[str, str]) -> bool:
    """Whether a browser on this machine speaks to the app, with nothing in between that says so.

    Args:
        address: of the other end of the connection; None where Streamlit says that it is this machine.
        headers: of the request, by name. One that a relay puts in counts against it, whatever its value is: a server in
            front hands on what strangers send, and the address is then taken from it. So does a host that is no
            name of this machine, as a page elsewhere may have its own name point here.
    """
    names = {name.lower(): value for name, value in headers.items()}
    if names.keys() & RELAYED or not _is_loopback_name(names.get("host", "")):
        return False
    return address is None or _is_loopback(address)


def _is_loopback_name(host: str) -> bool:
    """Of a ``Host`` header, with or without a port."""
    name = host.strip().lower()
    name = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
    return name == "localhost" or name.endswith(".localhost") or _is_loopback(name)


def _is_loopback(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    # a server that listens on both kinds of addresses sees 127.0.0.1 as ::ffff:127.0.0.1
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_loopback
