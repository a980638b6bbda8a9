"""The rules of a shared server, without a page: each refusal says what, how much is used, and what to do."""

import hashlib
from dataclasses import fields, replace

import pytest

from svge_core.errors import SvgeError
from svge_core.search.runs.types import SearchConfig
from ui.visitors import rules
from ui.visitors.rules import Quota, Usage

ME, OTHER = "a" * 32, "b" * 32
QUOTA = Quota(runs=3, all_runs=5, kept=6, all_kept=9, budget=50, evaluations=200, tables=2, table_mb=1, fits=2)
NONE = Usage()


def race(*words: str, runs: int = 1, budget: int = 10, start: str | None = None) -> list[SearchConfig]:
    return [
        SearchConfig("nasbench201", words or ("table:params_m",), "random", budget, seed, start_csv=start)
        for seed in range(runs)
    ]


def refusal(configs: list[SearchConfig], usage: Usage = NONE, *, visitor: str = ME, known: tuple[str, ...] = ()) -> str:
    return rules.race_refusal(QUOTA, usage, configs, visitor=visitor, known_tables=known)


@pytest.mark.parametrize(
    ("usage", "fits", "more", "words"),
    [
        (Usage(runs=1), 2, 3, "3 searches of yours at once: 1 used, 3 more asked for. Please wait"),
        (Usage(all_runs=4), 1, 2, "5 searches of all visitors at once: 4 used, 2 more asked for. Please try again"),
        (Usage(kept=5), 1, 2, "6 searches of yours in the store: 5 used, 2 more asked for. Please delete"),
        (Usage(all_kept=7), 2, 3, "9 searches of all visitors in the store: 7 used, 3 more asked for. Please ask"),
        (Usage(evaluations=180), 2, 3, "200 evaluations of your searches: 180 used, 30 more asked for. Please delete"),
    ],
)
def test_the_last_that_fits_is_allowed_and_the_next_is_not(usage: Usage, fits: int, more: int, words: str) -> None:
    assert refusal(race(runs=fits), usage) == ""
    said = refusal(race(runs=more), usage)
    assert words in said and "\n" not in said


@pytest.mark.parametrize(
    ("limit", "runs", "words"),
    [
        ({"runs": 3}, 4, "3 searches of yours at once: 4 asked for. Please choose fewer methods or seeds."),
        ({"all_runs": 1}, 2, "1 search of all visitors at once: 2 asked for. Please choose fewer methods or seeds."),
        ({"kept": 2}, 3, "2 searches of yours in the store: 3 asked for. Please choose fewer methods or seeds."),
        ({"all_kept": 2}, 3, "2 searches of all visitors in the store: 3 asked for. Please choose fewer"),
        ({"evaluations": 20}, 3, "20 evaluations of your searches: 30 asked for. Please choose a smaller budget"),
        ({"runs": 0}, 1, "0 searches of yours at once: 1 asked for. Please ask the person who runs this server."),
    ],
)
@pytest.mark.parametrize("used", [0, 1])
def test_what_never_fits_is_not_to_be_waited_for(limit: dict[str, int], runs: int, words: str, used: int) -> None:
    usage = Usage(used, used, used, used, used)
    said = rules.race_refusal(replace(Quota(), **limit), usage, race(runs=runs), visitor=ME, known_tables=())
    assert said.startswith(f"This shared server allows {words}") and "wait" not in said


def test_what_never_fits_is_said_before_what_does_not_fit_now() -> None:
    quota = replace(Quota(), runs=3, evaluations=20)
    said = rules.race_refusal(quota, Usage(runs=3), race(runs=3), visitor=ME, known_tables=())
    assert "20 evaluations of your searches: 30 asked for" in said


def test_more_than_may_run_at_once_are_resumed_in_parts() -> None:
    assert "4 asked for. Please resume fewer at once." in rules.resume_refusal(QUOTA, NONE, race(runs=4))
    assert "2 used, 2 more asked for. Please wait" in rules.resume_refusal(QUOTA, Usage(runs=2), race(runs=2))


def test_a_search_has_a_largest_budget() -> None:
    assert refusal(race(budget=50)) == ""
    assert "at most 50 evaluations on this shared server; this one asks for 51" in refusal(race(budget=51))


@pytest.mark.parametrize("word", ["python:os:getcwd", "digits:valid", "digits:valid:3"])
def test_nothing_is_trained_and_no_code_runs(word: str) -> None:
    space = "randwire" if word.startswith("digits") else "nasbench201"
    configs = [SearchConfig(space, ("table:params_m", word), "random", 10)]
    assert refusal(configs) == rules.CODE_OFF
    assert rules.resume_refusal(QUOTA, NONE, configs) == rules.CODE_OFF


def test_only_tables_that_are_known_are_used() -> None:
    reference = f"sha256-{'0' * 64}/mine.csv"
    for configs in (race("csv:/etc/passwd:x"), race(start="/etc/passwd"), race(f"csv:{reference}:x")):
        assert "not yours" in refusal(configs)
    assert refusal(race(f"csv:{reference}:x"), known=(reference,)) == ""


def test_tables_are_counted_by_their_content() -> None:
    digests = [hashlib.sha256(bytes([n])).hexdigest() for n in range(3)]
    stored = [f"sha256-{digest}/t.csv" for digest in digests]
    upload = f"/runs/search/tables/visitors/{ME}/{digests[0]}/other name.csv"
    used = Usage(tables=frozenset(stored[:2]))
    assert refusal(race(f"csv:{upload}:x"), used, known=(upload,)) == ""  # the same content as one that is there
    said = refusal(race(f"csv:{stored[2]}:x"), used, known=tuple(stored))
    assert "2 uploaded tables in your searches: 2 used, 1 more asked for. Please delete" in said


def test_who_is_not_known_starts_nothing() -> None:
    assert refusal(race(), visitor="") == rules.UNKNOWN == rules.fit_refusal(QUOTA, 0, visitor="")


def test_each_steers_what_is_theirs() -> None:
    owners = {"mine": ME, "theirs": OTHER, "nobodys": ""}
    assert rules.steer_refusal(owners, ["mine"], ME) == ""
    for names in (["nobodys"], ["mine", "nobodys"], ["nobodys", "theirs"], ["gone", "nobodys"]):
        assert rules.steer_refusal(owners, names, ME) == rules.NOT_YOURS
    assert rules.steer_refusal(owners, ["nobodys"], "") == rules.NOT_YOURS  # nobody's, and nobody asks


@pytest.mark.parametrize("unseen", ["theirs", "gone"])
@pytest.mark.parametrize("visitor", [ME, ""])
def test_a_run_of_another_visitor_reads_as_one_that_is_not_there(unseen: str, visitor: str) -> None:
    owners = {"mine": ME, "theirs": OTHER, "nobodys": ""}
    assert rules.steer_refusal(owners, [unseen], visitor) == rules.GONE
    assert rules.steer_refusal(owners, ["mine", unseen], visitor) == rules.SOME_GONE
    assert "any more" in rules.GONE and "Only who started" not in rules.GONE


def test_each_sees_what_is_theirs_and_the_servers_own() -> None:
    assert rules.sees(ME, ME) and rules.sees("", ME) and rules.sees("", "")
    assert not rules.sees(OTHER, ME) and not rules.sees(ME, "")


def test_uploads_and_fits_have_limits() -> None:
    assert rules.upload_refusal(QUOTA, 2**20) == ""
    assert "at most 1 MiB on this shared server; this one has 2.0 MiB" in rules.upload_refusal(QUOTA, 2**21)
    assert rules.fit_refusal(QUOTA, 1, visitor=ME) == ""
    assert "2 generators fitted for you in the last 60 minutes: 2 used" in rules.fit_refusal(QUOTA, 2, visitor=ME)


def test_the_owner_says_nothing_of_the_secret_or_of_the_folder_of_the_session() -> None:
    secret = "s" * 32
    owner = rules.owner_of_secret(secret)
    folder = hashlib.sha256(secret.encode()).hexdigest()
    assert len(owner) == 32 and owner not in folder and owner not in hashlib.sha256(folder.encode()).hexdigest()
    assert owner != rules.owner_of_secret("t" * 32)


@pytest.mark.parametrize("name", [item.name for item in fields(Quota)])
def test_every_limit_has_a_variable(name: str) -> None:
    variable = f"SVGE_SHARED_{name.upper()}"
    assert Quota.from_variables({variable: " 7 "}) == replace(Quota(), **{name: 7})
    assert Quota.from_variables({variable: ""}) == Quota()
    for wrong in ("-1", "many", "1e3", "1.5", "9" * 11, "٣"):
        with pytest.raises(SvgeError, match=f"{variable} is a whole number from 0"):
            Quota.from_variables({variable: wrong})


def test_what_is_used_is_said_before_a_limit_is_met() -> None:
    said = rules.in_words(QUOTA, Usage(1, 2, 30, tables=frozenset({f"sha256-{'0' * 64}/t.csv"})))
    for words in ("1 of 3 wait or run", "2 of 6 are kept", "30 of 200 evaluations", "1 of 2 uploaded", "at most 50"):
        assert words in said


HERE = {"Host": "localhost:8501"}


@pytest.mark.parametrize(
    ("address", "host"),
    [
        (None, "localhost:8501"),
        (None, "127.0.0.1:8501"),
        (None, "[::1]:8501"),
        ("127.0.0.1", "127.0.0.1"),
        ("127.8.9.1", "127.8.9.1:8501"),
        ("::1", "[::1]:8501"),
        ("::ffff:127.0.0.1", "127.0.0.1:8501"),  # a server that listens on :: sees IPv4 so
        ("::ffff:127.0.0.1", "svge.localhost:8501"),
    ],
)
def test_a_browser_on_this_machine_is_known(address: str | None, host: str) -> None:
    assert rules.from_this_machine(address, {"Host": host})


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        ("192.168.1.7", HERE),
        ("::ffff:192.168.1.7", HERE),
        ("fe80::1%eth0", HERE),
        ("testclient", HERE),
        ("", HERE),
        (None, {}),
        (None, {"Host": "svge.example.org"}),  # a server in front, or a page elsewhere whose name points here
        (None, {"Host": "localhost.example.org:8501"}),
        (None, {"Host": "127.0.0.1.example.org"}),
        # a server in front took the address from what a stranger sent
        (None, {**HERE, "X-Forwarded-For": "127.0.0.1"}),
        (None, {**HERE, "x-forwarded-for": "::1"}),
        ("127.0.0.1", {**HERE, "Forwarded": "for=127.0.0.1"}),
        ("127.0.0.1", {**HERE, "X-Real-IP": "127.0.0.1"}),
        ("127.0.0.1", {**HERE, "Via": "1.1 proxy"}),
        ("127.0.0.1", {**HERE, "X-Forwarded-For": ""}),
    ],
)
def test_a_browser_elsewhere_cannot_pass_for_one_on_this_machine(address: str | None, headers: dict[str, str]) -> None:
    assert not rules.from_this_machine(address, headers)
