"""A search that ranks a list of one's own: only its cells, from the store, with every line that is not used named."""

import json
from pathlib import Path

import pytest

from svge_core.errors import DataError
from svge_core.search.objectives import best_proposable, make_objective, read_candidates, search_domain
from svge_core.search.objectives.user_table import UserTable
from svge_core.search.runs import create_run, list_runs, read_run
from tests.support.cli import RunCommand
from tests.support.runs import SPACE, config, consistent, execute

#: costs nothing to evaluate
COST = ("table:params_m",)
CELLS = [SPACE.from_index(index) for index in (0, 7, 4_000, 15_624)]


def a_list(folder: Path, ending: str) -> Path:
    """Four cells, each in a form of its own; the first stands there twice."""
    path = folder / f"mine.{ending}"
    texts = [SPACE.format(CELLS[0]), "7", "#4000", SPACE.format(CELLS[3]), "#0"]
    if ending == "json":
        path.write_text(json.dumps(texts))
    else:
        path.write_text("\n".join([*(["arch,note"] if ending == "csv" else []), *texts]))
        if ending == "csv":
            path.write_text("arch,note\n" + "".join(f"{SPACE.format(cell)},x\n" for cell in (*CELLS, CELLS[0])))
    return path


@pytest.mark.parametrize("ending", ["txt", "csv", "json"])
def test_a_list_is_ranked_wherever_its_file_is_not(any_store: str, tmp_path: Path, ending: str) -> None:
    path, said = a_list(tmp_path, ending), list[str]()
    given = config(objective=COST, candidates=str(path), budget=9, method="local-search")
    name = create_run(any_store, given, told=said.append)
    path.unlink()
    assert execute(any_store, name) == "finished"
    view = read_run(any_store, name)
    assert {e.cell for e in view.done} == set(CELLS) and view.evaluated == 4
    assert view.best is not None and view.best.values == (min(SPACE.cost(cell).params_m for cell in CELLS),)
    assert view.domain_title == f"{SPACE.title}, restricted to the 4 cells of mine.{ending}"
    assert view.problem == "No cell is left to propose after 4 evaluations."
    first, last = {"txt": ("line 1", "line 5"), "csv": ("line 2", "line 6"), "json": ("entry 1", "entry 5")}[ending]
    assert said == [
        f"mine.{ending}, {first}, {last} are one cell: it counts once.",
        "The budget of 9 is larger than the 4 candidates: each is tried once.",
    ]
    assert str(tmp_path) not in str(view.config.candidates)


def test_every_line_that_is_not_used_is_named() -> None:
    table = UserTable("mine.txt", b"0\n\nnothing\n99999\n7\n")
    known = make_objective(("table:params_m",), SPACE)
    read = read_candidates(table, SPACE, known)
    assert read.cells == tuple(map(SPACE.canonical, CELLS[:2]))
    assert [remark.partition(":")[0] for remark in read.remarks] == [
        "mine.txt, line 3 is not used",
        "mine.txt, line 4 is not used",
    ]
    with pytest.raises(DataError, match=r"No line of bad.txt can be used: bad.txt, line 1 is not used"):
        read_candidates(UserTable("bad.txt", b"nothing"), SPACE, known)


def test_candidates_without_a_value_are_named_and_left_out() -> None:
    content = b"index,acc\n0,50\n1,60\n7,40\n"
    objective = make_objective(("csv:t.csv:acc",), SPACE, tables=lambda _: UserTable("t.csv", content))
    read = read_candidates(UserTable("mine.txt", b"7\n4000\n0"), SPACE, objective)
    assert read.cells == (CELLS[1], CELLS[0])
    assert read.remarks == ("mine.txt, line 2 is not used: it has no value of acc.",)
    domain = search_domain(objective, SPACE, restricted=False, candidates=read)
    # index 1 has 60, and is no candidate
    assert (best_proposable(objective, domain), objective.optimum) == ((50.0,), (60.0,))


def test_candidates_that_compute_the_same_are_one_where_every_value_is_made_anew(storage: str, tmp_path: Path) -> None:
    cell = next(cell for cell in map(SPACE.from_index, range(100)) if len(SPACE.equivalents(cell)) > 1)
    path, said = tmp_path / "same.txt", list[str]()
    path.write_text("\n".join(map(SPACE.format, SPACE.equivalents(cell)[:2])) + "\n#15624")
    name = create_run(storage, config(objective=COST, candidates=str(path), budget=2, distinct=True), told=said.append)
    assert said == ["Of 3 candidates 2 may be proposed: see what is searched."]
    assert execute(storage, name) == "finished"
    consistent(storage, name)
    assert read_run(storage, name).domain_title.endswith("2 cells of same.txt, equivalent cells once")


def test_from_the_command_line(run: RunCommand, fails: RunCommand, storage: str, tmp_path: Path) -> None:
    path = a_list(tmp_path, "txt")
    words = ("search", "--objective", *COST, "--budget", 4, "--storage", storage)
    (found,) = run(*words, "--candidates", path)
    assert found["domain"].startswith(f"{SPACE.title}, restricted to the 4 cells of mine.txt")
    assert found["remarks"] == ["mine.txt, line 1, line 5 are one cell: it counts once."]
    assert "There is no file" in fails(*words, "--candidates", tmp_path / "none.txt")
    path.write_text("nothing")
    assert "mine.txt, line 1 is not used" in fails(*words, "--candidates", path)
    assert "leave --candidates away" in fails(
        "search", "--resume", found["name"], "--candidates", path, "--storage", storage
    )
    assert len(list_runs(storage)) == 1
