"""The order of the tests: nothing is lost, dear fixtures are made in one process, and what waits is spread."""

from tests.support.scheduling import TOGETHER, WAITING, group_of, order


def test_every_test_is_in_a_group_that_is_begun_once() -> None:
    files = [f"tests/{folder}/test_{n}.py" for folder in ("cli", "browser", "x", "y") for n in range(9)]
    ids = [f"{file}::test_{k}" for number, file in enumerate(files) for k in range(number % 9 + 1)]
    groups = order(ids)
    assert sorted(groups) == sorted({group_of(nodeid) for nodeid in ids})
    assert groups[0] == "tests/cli/" in TOGETHER
    places = [place for place, group in enumerate(groups) if group.startswith(WAITING)]
    assert all(after - before > 1 for before, after in zip(places, places[1:], strict=False))
    assert order(ids[:1]) == ["tests/cli/"] and order(["tests/browser/test_1.py::test"]) == ["tests/browser/test_1.py"]
