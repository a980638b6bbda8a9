"""Acts ask the rules at the moment they are done: who may not is refused, and nothing changes."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from svge_core.errors import SvgeError
from svge_core.jobs.records import Plan
from svge_core.jobs.search import SearchJobs
from svge_core.jobs.training import TrainingJob, TrainingJobs, TrainingRequest
from svge_core.models.config import ModelConfig
from svge_core.search.runs.loop import execute
from svge_core.search.runs.manage import create_run, delete_run
from svge_core.search.runs.races import RaceNotes, race_notes
from svge_core.search.runs.reading import list_runs, owners_of
from svge_core.search.runs.tables import open_store, owners
from svge_core.search.runs.types import SearchConfig
from svge_core.training.trainer import TrainConfig
from tests.support.paths import ROOT
from ui.search.form import MAX_CSV_MB, most_megabytes, stored
from ui.visitors import acts, asking, rules

ME, OTHER = "a" * 32, "b" * 32


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SearchJobs:
    """A store with a run of mine, one of another visitor's and one of nobody's; I am a visitor."""
    monkeypatch.setenv("SVGE_SHARED", "1")
    monkeypatch.setenv("SVGE_RUNS", str(tmp_path))
    monkeypatch.setattr(asking, "visitor", lambda: ME)
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    for name, owner in (("mine", ME), ("theirs", OTHER), ("nobodys", "")):
        execute(url, create_run(url, config(name), owner=owner))
    return SearchJobs(tmp_path / "search", url, watch=False)


def config(name: str, *words: str, budget: int = 3) -> SearchConfig:
    return SearchConfig("nasbench201", words or ("table:params_m",), "random", budget, race=name, name=name)


def names(jobs: SearchJobs) -> list[str]:
    return sorted(run.name for run in list_runs(jobs.storage))


STEER: list[Callable[[SearchJobs, list[str]], None]] = [acts.pause, acts.cancel, acts.resume, acts.delete]


@pytest.mark.parametrize("act", STEER, ids=lambda act: act.__name__)
@pytest.mark.parametrize(
    ("wanted", "line"),
    [
        (["nobodys"], rules.NOT_YOURS),
        (["mine", "nobodys"], rules.NOT_YOURS),
        (["theirs"], rules.GONE),
        (["gone"], rules.GONE),
        (["mine", "theirs"], rules.SOME_GONE),
        (["mine", "gone"], rules.SOME_GONE),
    ],
)
def test_others_runs_are_not_steered(jobs: SearchJobs, act, wanted: list[str], line: str) -> None:
    before = list_runs(jobs.storage)
    with pytest.raises(SvgeError) as caught:
        act(jobs, wanted)
    assert str(caught.value) == line
    assert list_runs(jobs.storage) == before and not jobs.jobs()


def test_mine_are(jobs: SearchJobs) -> None:
    acts.pause(jobs, ["mine"])
    acts.delete(jobs, ["mine"])
    assert names(jobs) == ["nobodys", "theirs"]
    with pytest.raises(SvgeError, match="not among yours in the store any more"):  # in a second window
        acts.delete(jobs, ["mine"])


def test_races_of_others_are_not_named(jobs: SearchJobs) -> None:
    acts.note_race(jobs, "mine", RaceNotes("a name"))
    for race, line in (("theirs", rules.GONE), ("gone", rules.GONE), ("", rules.GONE), ("nobodys", rules.NOT_YOURS)):
        with pytest.raises(SvgeError) as caught:
            acts.note_race(jobs, race, RaceNotes("a name"))
        assert str(caught.value) == line
    assert race_notes(jobs.storage) == {"mine": RaceNotes("a name")}


def test_who_starts_the_app_for_themselves_keeps_all_rights(jobs: SearchJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SVGE_SHARED", "0")
    acts.start_race(jobs, [config("large", budget=100_000)])
    acts.delete(jobs, ["theirs", "nobodys", "mine"])
    assert names(jobs) == [] and jobs.plans()[0].owner == ""


def test_a_race_within_the_quota_is_mine_and_one_over_it_is_refused(
    jobs: SearchJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SVGE_SHARED_RUNS", "2")
    acts.start_race(jobs, [config("first"), config("second")])
    assert [plan.owner for plan in jobs.plans()] == [ME]
    with pytest.raises(SvgeError, match="2 searches of yours at once: 2 used, 1 more"):
        acts.start_race(jobs, [config("third")])
    jobs.step()
    with pytest.raises(SvgeError, match="2 searches of yours at once: 2 used, 1 more"):  # one is in the store by now
        acts.start_race(jobs, [config("third")])
    assert owners_of(jobs.storage, ["first", "mine", "nobodys", "gone"]) == {"first": ME, "mine": ME, "nobodys": ""}
    with pytest.raises(SvgeError, match="2 searches of yours at once"):
        acts.resume(jobs, ["mine"])


@pytest.mark.parametrize("word", ["python:os:getcwd", "csv:/etc/passwd:x"])
def test_no_code_and_no_file_of_the_server(jobs: SearchJobs, word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SVGE_ALLOW_PYTHON", "1")
    with pytest.raises(SvgeError, match="off on this shared server|not yours"):
        acts.start_race(jobs, [config("x", word)])
    with pytest.raises(SvgeError, match="SVGE_ALLOW_PYTHON"):
        acts.resume(jobs, ["mine"], ["python:os:getcwd"])
    assert not jobs.plans()


def test_uploads_are_each_visitors_own(jobs: SearchJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SVGE_SHARED_TABLE_MB", "1")
    path = stored(b"index,score\n3,1\n", "mine.csv")
    acts.start_race(jobs, [config("x", f"csv:{path}:score")])
    monkeypatch.setattr(asking, "visitor", lambda: OTHER)
    with pytest.raises(SvgeError, match="not yours"):
        acts.start_race(jobs, [config("y", f"csv:{path}:score")])
    with pytest.raises(SvgeError, match="at most 1 MiB"):
        stored(b"0" * (2**20 + 1), "large.csv")
    assert [file for file in path.parents[2].rglob("*") if file.is_file()] == [path]


@pytest.mark.parametrize(("limit", "said"), [("1", 1), ("7", 7), ("50", 20), ("0", 1)])
def test_the_upload_says_the_limit_that_holds(
    jobs: SearchJobs, limit: str, said: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SVGE_SHARED_TABLE_MB", limit)
    assert most_megabytes() == said
    monkeypatch.setenv("SVGE_SHARED", "0")
    assert most_megabytes() == MAX_CSV_MB == 20


def test_plans_of_others_are_not_dismissed(jobs: SearchJobs) -> None:
    jobs._write_plan(Plan("race", (config("x"),), 1, problem="no", owner=OTHER))
    for race in ("race", "gone"):
        with pytest.raises(SvgeError) as caught:
            acts.drop_plan(jobs, race)
        assert str(caught.value) == rules.GONE
    assert len(jobs.plans()) == 1


def test_nothing_is_trained(jobs: SearchJobs, tmp_path: Path) -> None:
    trainings = TrainingJobs(tmp_path / "training", tmp_path / "checkpoints")
    job = TrainingJob("small", "nasbench201", ("false",), 1, 0, "")
    trainings._write(job)
    request = TrainingRequest("nasbench201", "stolen", ModelConfig(), TrainConfig())
    for attempt in (
        lambda: acts.train(trainings, request),
        lambda: acts.resume_training(trainings, job),
        lambda: acts.cancel_training(trainings, job),
        lambda: acts.forget_training(trainings, job),
    ):
        with pytest.raises(SvgeError, match="Training is off on this shared server"):
            attempt()
    assert trainings.all() == [job] and not (tmp_path / "checkpoints").exists()


def test_generators_are_fitted_so_many_an_hour(jobs: SearchJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(acts.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(acts, "_fitted", {})
    monkeypatch.setenv("SVGE_SHARED_FITS", "2")

    def fit() -> None:
        with acts.fitting():
            assert acts._fitting.locked()

    fit()
    fit()
    with pytest.raises(SvgeError, match="2 generators fitted for you in the last 60 minutes"):
        fit()
    monkeypatch.setattr(asking, "visitor", lambda: OTHER)
    fit()
    monkeypatch.setattr(asking, "visitor", lambda: ME)
    clock[0] = acts._HOUR
    fit()
    assert not acts._fitting.locked()


def test_an_owner_goes_with_the_run_and_not_to_a_later_one(jobs: SearchJobs) -> None:
    with open_store(jobs.storage) as engine, engine.begin() as connection:
        rows = list(connection.execute(owners.select()).mappings())
        newest = max(row["run_id"] for row in rows)
    delete_run(jobs.storage, "nobodys")
    delete_run(jobs.storage, "theirs")
    with open_store(jobs.storage) as engine, engine.begin() as connection:
        assert [row["owner"] for row in connection.execute(owners.select()).mappings()] == [ME]
        # an earlier version deletes a run, and leaves its owner behind
        connection.execute(owners.insert().values(run_id=newest, created=1.0, owner=OTHER))
    create_run(jobs.storage, config("next"))
    assert owners_of(jobs.storage, ["next"]) == {"next": ""}


def test_the_owner_is_in_no_export(jobs: SearchJobs) -> None:
    from svge_core.search.runs.export import run_csv, run_json
    from svge_core.search.runs.optuna_study import optuna_storage
    from svge_core.search.runs.reading import read_run

    view = read_run(jobs.storage, "mine")
    assert ME not in run_json(view) + run_csv([view])
    study = optuna_storage(jobs.storage).get_study_id_from_name("mine")
    assert ME not in str(optuna_storage(jobs.storage).get_study_user_attrs(study))


#: what changes the store, processes or the disk
ACTS = {"start_race", "drop_plan", "delete_run", "create_run", "control"}
#: of the store; the page has a function of this name that changes the session only
NAMING = "svge_core.search.runs"
ON_JOBS = {"start", "resume", "pause", "cancel", "forget"}


def by_the_way(path: Path) -> list[str]:
    """Calls, or callbacks, of what only acts may do."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute):
            whose = ast.unparse(node.value)
            if whose != "acts" and (node.attr in ACTS or (node.attr in ON_JOBS and "jobs" in whose)):
                found.append(f"{path.name}:{node.lineno} {whose}.{node.attr}")
        elif isinstance(node, ast.ImportFrom):
            names = ACTS | ({"note_race"} if node.module == NAMING else set())
            found += [f"{path.name} imports {alias.name}" for alias in node.names if alias.name in names]
    return found


def test_pages_act_through_acts_alone(tmp_path: Path) -> None:
    files = [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "ui").rglob("*.py")]
    wrong = [line for path in files if path.name != "acts.py" for line in by_the_way(path)]
    assert wrong == []
    planted = tmp_path / "page.py"
    planted.write_text("from svge_core.search.runs import delete_run\ndef f(jobs):\n    jobs.cancel(['x'])\n")
    assert by_the_way(planted) == ["page.py imports delete_run", "page.py:3 jobs.cancel"]


def test_a_limit_that_is_no_number_is_one_line(jobs: SearchJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SVGE_SHARED_RUNS", "lots")
    with pytest.raises(SvgeError, match="SVGE_SHARED_RUNS is a whole number"):
        acts.start_race(jobs, [config("x")])
    assert rules.Quota().runs == 12
