"""Users' tables travel in the store by content: workers need no file, and open none that a store names."""

import json
import threading
import zlib
from pathlib import Path
from typing import Any

import optuna
import pytest
import sqlalchemy as sa

from svge_core.checkpoints.checkpoint import META, WEIGHTS
from svge_core.errors import DataError, SvgeError
from svge_core.search.objectives.user_table import read_table, shown_word
from svge_core.search.runs import user_tables
from svge_core.search.runs.export import run_csv, run_json
from svge_core.search.runs.manage import control, create_run, delete_run, give_table
from svge_core.search.runs.optuna_study import optuna_storage
from svge_core.search.runs.preparing import prepare
from svge_core.search.runs.reading import list_runs, read_run
from svge_core.search.runs.tables import open_store, runs
from svge_core.search.runs.types import SearchConfig
from svge_core.search.runs.user_tables import NamedTables, keep_tables
from tests.support.opened import opened
from tests.support.paths import ROOT
from tests.support.runs import SPACE, config, consistent, execute
from tests.support.waiting import PATIENCE

#: by official index: an accuracy and a time
KNOWN = {100 + i: (50.0 + (7 * i) % 13, 1.0 + i / 8) for i in range(12)}
TEXT = "\n".join(["index,acc,latency", *(f"{index},{acc},{time}" for index, (acc, time) in KNOWN.items())])
SECRET = "secret_header,other\n7,8\n"


def a_file(folder: Path, name: str = "mine.csv", text: str = TEXT) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text)
    return path


def tables(storage: str) -> list[tuple[str, int]]:
    """Name and size of every stored table."""
    with open_store(storage) as engine, engine.connect() as connection:
        found = connection.execute(sa.select(user_tables.user_tables)).mappings()
        return sorted((row["name"], row["size"]) for row in found)


def forged(storage: str, name: str, **changed: object) -> None:
    """Other settings in a stored run, as other hands and earlier versions write them."""
    with open_store(storage) as engine, engine.begin() as connection:
        this = runs.c.name == name
        text = connection.execute(sa.select(runs.c.config).where(this)).scalar_one()
        update = sa.update(runs).where(this)
        connection.execute(update.values(config=json.dumps({**json.loads(text), **changed})))


def csv_config(path: Path, **changed: Any) -> SearchConfig:
    return config(**{"objective": (f"csv:{path}:acc",), "budget": 12, "method": "evolution", **changed})


# ---- what travels -----------------------------------------------------------------------------------------------


def test_a_run_is_worked_on_where_its_files_are_not(any_store: str, tmp_path: Path) -> None:
    path = a_file(tmp_path / "a")
    start = a_file(tmp_path / "a", "start.csv", "index,acc,latency\n100,50,1\n")
    words = (f"csv:{path}:acc", f"csv:{path}:latency:min", "table:params_m")
    text = "index,acc,latency,params_m\n100,50,1,0.5\n"
    start.write_text(text)
    given = config(objective=words, budget=8, method="evolution", start_csv=str(start), seed=3)
    direct = create_run(f"sqlite:///{tmp_path / 'direct.db'}", given)
    execute(f"sqlite:///{tmp_path / 'direct.db'}", direct)
    name = create_run(any_store, given)
    for file in (path, start):
        file.unlink()
    assert execute(any_store, name) == "finished"
    consistent(any_store, name)
    view, other = read_run(any_store, name), read_run(f"sqlite:///{tmp_path / 'direct.db'}", direct)
    assert [(e.number, e.cell, e.values) for e in view.evaluations] == [
        (e.number, e.cell, e.values) for e in other.evaluations
    ]
    assert (view.goals, view.domain_title, view.start_count) == (other.goals, other.domain_title, 1)
    values = {SPACE.canonical(SPACE.from_index(index)): both for index, both in KNOWN.items()}
    assert view.evaluated == 8 and all(e.values and e.values[:2] == values[e.cell] for e in view.done)
    digest = read_table(str(a_file(tmp_path / "a"))).digest
    assert view.config.objective[:2] == (
        f"csv:sha256-{digest}/mine.csv:acc",
        f"csv:sha256-{digest}/mine.csv:latency:min",
    )
    assert [shown_word(w) for w in view.config.objective] == ["csv:mine.csv:acc", "csv:mine.csv:latency:min", words[2]]
    assert str(tmp_path / "a") not in run_json(view) + run_csv([view])
    assert tables(any_store) == [("mine.csv", len(TEXT)), ("start.csv", len(text))]
    study = optuna.load_study(study_name=name, storage=optuna_storage(any_store))
    assert json.loads(study.user_attrs["svge_config"]) == view.config.to_dict()


def test_equal_contents_are_stored_once_and_go_with_their_last_run(any_store: str, tmp_path: Path) -> None:
    one, same = a_file(tmp_path / "a"), a_file(tmp_path / "b", "same.csv")
    other = a_file(tmp_path / "b", "other.csv", TEXT + "\n")
    names = [create_run(any_store, csv_config(path, seed=seed)) for seed, path in enumerate((one, same, other))]
    assert tables(any_store) == [("mine.csv", len(TEXT)), ("other.csv", len(TEXT) + 1)]
    assert "/same.csv:" in read_run(any_store, names[1]).config.objective[0]  # as its own file was called
    # what a stored run names can be named again, with no file there
    repeated = read_run(any_store, names[1]).config
    names.append(create_run(any_store, csv_config(one, objective=repeated.objective, seed=9)))
    for path in (one, same):
        path.unlink()
    for name in names[:2]:
        delete_run(any_store, name)
    assert tables(any_store) == [("mine.csv", len(TEXT)), ("other.csv", len(TEXT) + 1)]
    assert execute(any_store, names[3]) == "finished"
    delete_run(any_store, names[2])
    assert tables(any_store) == [("mine.csv", len(TEXT))]
    delete_run(any_store, names[3])
    assert tables(any_store) == []
    with pytest.raises(DataError, match="The store has no table 'same.csv' with the digest"):
        create_run(any_store, csv_config(one, objective=repeated.objective))


def test_a_table_that_is_just_being_named_is_not_dropped(any_store: str, tmp_path: Path) -> None:
    path = a_file(tmp_path / "a")
    name = create_run(any_store, csv_config(path))
    deleting = threading.Thread(target=delete_run, args=(any_store, name))
    with open_store(any_store) as engine, engine.begin() as connection:
        row = dict(connection.execute(sa.select(runs)).mappings().one())
        connection.execute(sa.insert(runs).values({**row, "id": row["id"] + 1, "name": "new"}))
        keep_tables(connection, [read_table(str(path))])
        deleting.start()
        deleting.join(0.5)  # it waits for us
        assert deleting.is_alive()
    deleting.join(PATIENCE)
    assert [run.name for run in list_runs(any_store)] == ["new"]
    assert tables(any_store) == [("mine.csv", len(TEXT))]


def test_a_file_that_cannot_be_used_leaves_no_run_and_no_table(any_store: str, tmp_path: Path) -> None:
    path = a_file(tmp_path / "a")
    with pytest.raises(DataError, match="has no column 'speed'"):
        create_run(any_store, csv_config(path, objective=(f"csv:{path}:speed",)))
    with pytest.raises(DataError, match="There is no file"):
        create_run(any_store, csv_config(path, start_csv=str(tmp_path / "none.csv")))
    assert (list_runs(any_store), tables(any_store)) == ([], [])


# ---- what a store of others holds -------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["/etc/passwd", "here", "in other words"])
def test_a_path_that_a_store_names_is_never_opened(any_store: str, tmp_path: Path, where: str) -> None:
    secret = a_file(tmp_path / "private", "notes.csv", SECRET)
    path = {"here": str(secret), "in other words": f"{tmp_path}/private/../private/notes.csv"}.get(where, where)
    name = create_run(any_store, csv_config(a_file(tmp_path / "a")))
    forged(any_store, name, objective=[f"csv:{path}:x"], start_csv=path)
    with opened() as paths:
        with pytest.raises(DataError, match="a file that a store names is not opened") as caught:
            execute(any_store, name)
        view = read_run(any_store, name)
        assert list_runs(any_store) and run_json(view) and run_csv([view])
    assert not [one for one in paths if Path(one).name in ("passwd", "notes.csv")]
    assert view.state == "failed" and view.problem == str(caught.value) and "\n" not in view.problem
    assert f"search --resume {name} --table FILE" in view.problem
    for word in ("secret_header", "other", "root", str(tmp_path), "/etc"):
        assert word not in view.problem


def test_what_is_opened_is_heard(tmp_path: Path) -> None:
    with opened() as paths:
        read_table(str(a_file(tmp_path / "a")))
    assert str(tmp_path / "a" / "mine.csv") in paths


@pytest.mark.parametrize("what", ["other content", "cut off", "no zlib", "a bomb", "gone"])
def test_a_table_that_is_not_what_its_digest_says_is_one_line(
    any_store: str, tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = create_run(any_store, csv_config(a_file(tmp_path / "a")))
    content = {"other content": zlib.compress(TEXT.encode() + b"\n"), "cut off": zlib.compress(TEXT.encode())[:-20]}
    content |= {"no zlib": TEXT.encode(), "a bomb": zlib.compress(TEXT.encode())}
    if what == "a bomb":
        monkeypatch.setattr(user_tables, "MAX_LABEL_BYTES", 100)
    with open_store(any_store) as engine, engine.begin() as connection:
        table = user_tables.user_tables
        connection.execute(sa.delete(table) if what == "gone" else sa.update(table).values(content=content[what]))
    with pytest.raises(DataError, match="has no table 'mine.csv'" if what == "gone" else "'mine.csv' .* is damaged"):
        execute(any_store, name)
    assert "\n" not in read_run(any_store, name).problem and "acc" not in read_run(any_store, name).problem


def test_a_text_where_the_content_belongs_is_one_line(storage: str, tmp_path: Path) -> None:
    name = create_run(storage, csv_config(a_file(tmp_path / "a")))
    with open_store(storage) as engine, engine.begin() as connection:
        connection.execute(sa.text("update svge_tables set content = 'some text'"))
    with pytest.raises(DataError, match="is damaged"):
        execute(storage, name)


def test_a_checkpoint_that_a_store_names_is_not_looked_into_unless_it_is_the_runs(
    any_store: str, tmp_path: Path
) -> None:
    folder = tmp_path / "private"
    a_file(folder, META, '{"secret_header": 1}')
    name = create_run(any_store, config(objective=("table:params_m",)))
    forged(any_store, name, method="latent-bo", checkpoint=str(folder))
    for weights, digest, message in (
        (False, "", "No checkpoint in"),
        (True, "", "No checkpoint in"),
        (False, "0" * 16, "No checkpoint in"),
        (True, "0" * 16, "is not the one that this run began with"),
        (True, "b", "is not the one that this run began with"),
    ):
        if weights:
            a_file(folder, WEIGHTS, "secret_header")
        with open_store(any_store) as engine, engine.begin() as connection:
            connection.execute(sa.update(runs).values(checkpoint=digest, ended=None))
        with opened() as paths, pytest.raises(SvgeError, match=message):
            execute(any_store, name)
        (folder / WEIGHTS).unlink(missing_ok=True)
        assert META not in {Path(one).name for one in paths}
        assert (WEIGHTS in {Path(one).name for one in paths}) == (weights and bool(digest))
        assert "secret_header" not in read_run(any_store, name).problem


def test_the_checkpoint_of_a_run_is_known_by_its_digest() -> None:
    given = config(
        objective=("predictor:cifar10_valid",), checkpoint=str(ROOT / "checkpoints" / "nasbench201" / "svge")
    )
    tables = NamedTables("sqlite:///none.db")
    digest = prepare(given, allow_python=False, tables=tables).digest
    assert prepare(given, allow_python=False, tables=tables, digest=digest).digest == digest
    with pytest.raises(SvgeError, match="is not the one that this run began with"):
        prepare(given, allow_python=False, tables=tables, digest="0" * 16)


# ---- stores of earlier versions ---------------------------------------------------------------------------------


@pytest.fixture
def old(any_store: str, tmp_path: Path) -> tuple[str, str, Path]:
    """A store of an earlier version, with a run that has evaluated four cells; its file is somewhere else now."""
    path = a_file(tmp_path / "a")
    name = create_run(any_store, csv_config(path))

    def pause_after_four(evaluation: Any) -> None:
        if evaluation.number == 3:
            control(any_store, name, "pause")

    assert execute(any_store, name, pause_after_four) == "paused"
    forged(any_store, name, objective=["csv:/their/machine/mine.csv:acc"])
    with open_store(any_store) as engine, engine.begin() as connection:
        connection.execute(sa.text("drop table svge_tables"))
    user_tables.user_tables.create(engine)  # as opening an old store does
    return any_store, name, path


def test_a_run_of_an_earlier_version_is_read_and_goes_on_once_it_is_given_its_file(
    old: tuple[str, str, Path], tmp_path: Path
) -> None:
    storage, name, path = old
    before = read_run(storage, name)
    assert (before.state, before.evaluated) == ("paused", 4)
    assert list_runs(storage)[0].best == max(e.values[0] for e in before.done if e.values)
    control(storage, name, "run")
    with pytest.raises(DataError, match=f"names the file 'mine.csv'.*--resume {name} --table FILE"):
        execute(storage, name)
    others = {
        "another column": TEXT.replace("acc", "top1"),
        "other values": TEXT.replace(",5", ",4"),
        "a better cell": f"{TEXT}\n500,99,1",
    }
    for what, text in others.items():
        with pytest.raises(DataError, match="no column 'acc'" if what == "another column" else "is not the file that"):
            give_table(storage, name, str(a_file(tmp_path / "b", "wrong.csv", text)))
    assert tables(storage) == []
    assert give_table(storage, name, str(path))
    assert not give_table(storage, name, str(path))
    path.unlink()
    control(storage, name, "run")
    assert execute(storage, name) == "finished"
    consistent(storage, name)
    view = read_run(storage, name)
    assert view.evaluations[:4] == before.evaluations
    assert tables(storage) == [("mine.csv", len(TEXT))]
    study = optuna.load_study(study_name=name, storage=optuna_storage(storage))
    assert json.loads(study.user_attrs["svge_config"]) == view.config.to_dict()


def test_of_several_files_each_is_known_by_its_name(storage: str, tmp_path: Path) -> None:
    one, two = a_file(tmp_path / "a", "one.csv"), a_file(tmp_path / "a", "two.csv")
    words = (f"csv:{one}:acc", f"csv:{two}:latency:min")
    name = create_run(storage, csv_config(one, objective=words))
    forged(storage, name, objective=words)
    with pytest.raises(DataError, match=r"names several files \(one.csv, two.csv\)"):
        give_table(storage, name, str(a_file(tmp_path / "b", "three.csv")))
    for path in (two, one):
        assert give_table(storage, name, str(path))
    assert [shown_word(word) for word in read_run(storage, name).config.objective] == [
        "csv:one.csv:acc",
        "csv:two.csv:latency:min",
    ]
    assert execute(storage, name) == "finished"
