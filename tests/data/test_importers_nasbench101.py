"""NAS-Bench-101 files: values against what was written, repeats, all epochs, and one clear line for damage."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from svge_core.data.importers import nasbench101_tfrecord as nasbench101_files
from svge_core.data.importers.arch2vec import entries, read_arch2vec
from svge_core.data.importers.nasbench101_tfrecord import Runs, graph_of, read_tfrecord
from svge_core.data.importers.naslib import read_naslib101
from svge_core.data.importers.table import ImportedTable
from svge_core.errors import DataError
from tests.support import imports as made
from tests.support.imports import nasbench101_naslib_pickle
from tests.support.meanings import read_back_from_old


@pytest.fixture
def written(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(content: bytes, name: str = "nasbench_only108.tfrecord") -> Path:
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return write


Write = Callable[..., Path]


def row(table: ImportedTable, number: int | str) -> dict[str, float]:
    key = number if isinstance(number, str) else made.key_of(number)
    row: Any = table.frame.set_index("hash").loc[key]
    return row.to_dict()


def test_values_are_those_that_were_written(written: Write) -> None:
    runs = made.nasbench101_runs()
    steps: list[tuple[int, int]] = []
    table = read_tfrecord(written(made.tfrecord(runs)), lambda *step: steps.append(step))
    assert read_back_from_old(table.meanings)
    assert (table.space, table.name, table.key, len(table.frame)) == ("nasbench101", "nasbench101-only108", "hash", 3)
    assert list(table.frame["hash"]) == sorted(made.key_of(number) for number in range(3))
    assert steps[-1][0] == steps[-1][1] > 0
    for number in range(3):
        mine = [run for run in runs if run[0] == made.key_of(number)]
        found = row(table, number)
        for column, name in ((4, "valid"), (5, "test")):
            values = [100 * float(run[column]) for run in mine]
            assert [found[f"nb101_e108_{name}_r{r}"] for r in (1, 2, 3)] == pytest.approx(values, rel=1e-12)
            assert found[f"nb101_e108_{name}"] == pytest.approx(np.mean(values), rel=1e-12)
            assert found[f"nb101_e108_{name}_std"] == pytest.approx(np.std(values, ddof=1))
            assert found[f"nb101_e108_{name}_repeats"] == 3
            whole = np.array(values) * 9984 / 100
            np.testing.assert_allclose(whole, np.round(whole), atol=1e-3)
        assert found["nb101_e108_train"] == 100
        assert found["nb101_e108_train_s"] == 1400.5
        assert found["nb101_params_recorded_m"] == pytest.approx(1.234567)
        nodes = int(len(mine[0][2]) ** 0.5)
        full = np.array(list(mine[0][2]), dtype=int).reshape(nodes, nodes)
        assert found["matrix"] == "".join(map(str, full[np.triu_indices(nodes, 1)]))
        assert found["operations"] == mine[0][3]


def test_every_column_says_what_it_is(written: Write) -> None:
    table = read_tfrecord(written(made.tfrecord(made.nasbench101_runs())))
    line = table.meanings["nb101_e108_valid"].describe()
    for part in ("Validation accuracy (%)", "CIFAR-10", "10,000 training images held out", "108 epochs", "3 repeats"):
        assert part in line
    assert "test: 10,000 images" in table.meanings["nb101_e108_test"].split
    assert set(table.goals()) == {"nb101_e108_valid", "nb101_e108_test", "nb101_e108_train_s"}
    assert "only108.tfrecord" in line


def test_the_full_file_keeps_the_epochs_apart(written: Write) -> None:
    runs = made.nasbench101_runs((4, 12, 36, 108))
    table = read_tfrecord(written(made.tfrecord(runs), "nasbench_full.tfrecord"))
    assert read_back_from_old(table.meanings)
    assert table.name == "nasbench101-full"
    for epochs in (4, 12, 36, 108):
        mine = [100 * run[4] for run in runs if run[:2] == (made.key_of(1), epochs)]
        assert row(table, 1)[f"nb101_e{epochs}_valid"] == pytest.approx(np.mean(mine))
        assert table.meanings[f"nb101_e{epochs}_valid"].epochs == epochs


def test_missing_and_surplus_runs(written: Write) -> None:
    runs = made.nasbench101_runs()
    first = [run for run in runs if run[0] == made.key_of(0)]
    table = read_tfrecord(written(made.tfrecord([*runs[:4], *first, *first])))
    # cell 0 has its first run, its second, then all three again
    assert row(table, 0)["nb101_e108_valid"] == pytest.approx(np.mean([100 * r[4] for r in (*first[:2], first[0])]))
    assert row(table, 1)["nb101_e108_valid_repeats"] == 1
    assert np.isnan(row(table, 1)["nb101_e108_valid_r2"])
    assert any("5 records beyond three per cell" in note for note in table.notes)
    assert table.meanings["nb101_e108_valid"].seeds == "mean of 1-3 repeats"


def test_failed_runs_are_counted(written: Write) -> None:
    digest, epochs, matrix, operations, _, _ = made.nasbench101_runs()[0]
    runs = [(digest, epochs, matrix, operations, valid, 0.1) for valid in (0.1, 0.9, 0.92)]
    table = read_tfrecord(written(made.tfrecord(runs)))
    assert any("1 single runs of 108 epochs ended below 50 %" in note for note in table.notes)
    assert row(table, 0)["nb101_e108_valid"] == pytest.approx(64, abs=1e-4)


def test_arrays_grow(written: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    matrix, operations = made.GRAPHS[0]
    payloads = [
        made.nasbench101_payload(made.digest_of(n), 108, matrix, operations, 0.5, n / 5000) for n in range(1500)
    ]
    monkeypatch.setattr("svge_core.data.importers.tfrecord._BATCH", 7)
    monkeypatch.setattr(made, "masked", lambda data: b"\0\0\0\0")  # checksums bit by bit take a minute
    monkeypatch.setattr("svge_core.data.importers.tfrecord.length_checksum", lambda length: 0)
    path = written(b"".join(map(made.framed, payloads)))
    table = read_tfrecord(path, check_payloads=False)
    assert len(table.frame) == 1500
    assert row(table, made.digest_of(1400))["nb101_e108_test"] == pytest.approx(28)
    with pytest.raises(DataError, match="damaged at record 0"):
        read_tfrecord(path)
    monkeypatch.setattr(nasbench101_files, "CELLS", 1400)
    with pytest.raises(DataError, match=r"record 1,400 \(byte [\d,]+\) cannot be used: it names more than the 1,400"):
        read_tfrecord(path, check_payloads=False)


RUN = made.nasbench101_runs()[0]


def record(**change: object) -> bytes:
    names = ("digest", "epochs", "matrix", "operations", "metrics")
    fields = dict(zip(names, json.loads(made.nasbench101_payload(*RUN)), strict=True))
    return json.dumps(list({**fields, **change}.values())).encode()


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "it is not of the expected form"),
        (b"\xff\xfe", "it is not of the expected form"),
        (b"{}", "expected a list of hash, epochs, matrix, operations and metrics"),
        (b"[" * 5000, "it is nested too deep"),
        (record(digest="0" * 31), "expected a hash of 32 hexadecimal digits, got '0000"),
        (record(digest=5), "expected a hash"),
        (record(digest="0" * 32), "the key of its graph is b49ac8c578b4561d79ac7087988f1c61, not 0000"),
        (record(matrix="000001000"), "Every vertex but the output needs an edge from it"),
        (record(epochs=100), "expected 4, 12, 36 or 108 epochs, got 100"),
        (record(epochs=True), "expected 4, 12, 36 or 108 epochs"),
        (record(epochs=[4]), "expected 4, 12, 36 or 108 epochs"),
        (record(matrix="0" * 8), "expected an adjacency matrix of 2 to 7 vertices"),
        (record(matrix="0" * 64), "expected an adjacency matrix of 2 to 7 vertices"),
        (record(matrix="0102" + "0" * 5), "expected an adjacency matrix"),
        (record(matrix="010100000"), "not upper triangular"),
        (record(matrix=None), "as texts"),
        (record(operations="input,conv5x5,output"), "expected input, 1 of conv3x3-bn-relu, .* got 'input,conv5x5"),
        (record(operations="input,output"), "expected input, 1 of"),
        (record(metrics="!!!"), "cannot be used"),
        (record(metrics="AAAA"), "cannot be used"),
    ],
)
def test_wrong_records_are_named(payload: bytes, reason: str, written: Write) -> None:
    good = made.framed(made.nasbench101_payload(*RUN))
    path = written(good + made.framed(payload))
    place = rf"nasbench_only108.tfrecord, record 1 \(byte {len(good)}\) cannot be used: "
    with pytest.raises(DataError, match=place) as caught:
        read_tfrecord(path)
    with pytest.raises(DataError, match=reason):
        read_tfrecord(path)
    assert "\n" not in str(caught.value)


def test_files_that_end_early_or_hold_nothing(written: Write) -> None:
    whole = made.tfrecord(made.nasbench101_runs())
    with pytest.raises(DataError, match=r"cut off at record 8 \(byte [\d,]+\): it needs \d+ bytes, \d+ are there"):
        read_tfrecord(written(whole[:-1]))
    with pytest.raises(DataError, match="holds no training run"):
        read_tfrecord(written(b""))


@given(
    st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda item: st.lists(item, max_size=6), max_leaves=9)
)
def test_any_json_is_one_clear_line(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    path = tmp_path_factory.mktemp("json") / "x.tfrecord"
    path.write_bytes(made.framed(json.dumps(value).encode()))
    with pytest.raises(DataError, match=r"record 0 \(byte 0\) cannot be used") as caught:
        read_tfrecord(path)
    assert "\n" not in str(caught.value)


def test_graphs_are_read_as_written() -> None:
    assert graph_of("0100", "input,output") == ("1", "input,output")
    assert graph_of(*made.GRAPHS[2])[0] == "110" + "01" + "1"
    assert len(Runs()) == 0


# ---- other containers of the same benchmark -------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_naslibs_pickle(protocol: int, written: Write) -> None:
    table = read_naslib101(written(nasbench101_naslib_pickle(protocol), "nasbench_only108.pkl"))
    assert read_back_from_old(table.meanings)
    assert row(table, 2)["nb101_e108_valid"] == pytest.approx(71)
    assert row(table, 2)["matrix"] == "110011"
    assert "repacked by NASLib" in table.meanings["nb101_e108_valid"].source


def test_naslibs_pickle_damaged(written: Write) -> None:
    whole = nasbench101_naslib_pickle()
    for size in (1, len(whole) // 2, len(whole) - 1):
        with pytest.raises(DataError, match="x.pkl is (cut off|damaged)"):
            read_naslib101(written(whole[:size], "x.pkl"))
    for wrong, reason in (({}, "expected a dictionary"), ({"a": 1}, "x.pkl, a cannot be used: expected a hash")):
        with pytest.raises(DataError, match=reason):
            read_naslib101(written(pickle.dumps(wrong), "x.pkl"))


def arch2vec_entry(valid: float, matrix: np.ndarray, labels: list[int]) -> dict[str, object]:
    """Padded to seven vertices; one-hot in arch2vec's order."""
    padded = np.zeros((7, 7), dtype=int)
    padded[: len(matrix), : len(matrix)] = matrix
    one_hot = np.zeros((7, 5), dtype=int)
    one_hot[np.arange(len(labels)), labels] = 1
    return {
        "test_accuracy": valid - 0.01,
        "validation_accuracy": valid,
        "module_adjacency": padded.tolist(),
        "module_operations": one_hot.tolist(),
        "training_time": 1234.5,
    }


#: one 3x3 convolution between input and output, in arch2vec's order (input, 1x1, 3x3, pooling, output)
CHAIN = (np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0]]), [0, 2, 4])
DIRECT = (np.array([[0, 1], [0, 0]]), [0, 4])


def test_arch2vec_is_streamed(written: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("svge_core.spaces.nasbench101")
    content = {"0": arch2vec_entry(0.9, *CHAIN), "1": arch2vec_entry(0.8, *DIRECT), "2": arch2vec_entry(0.7, *CHAIN)}
    monkeypatch.setattr("svge_core.data.importers.arch2vec._CHUNK", 100)
    for indent in (None, 1):
        table = read_arch2vec(written(json.dumps(content, indent=indent).encode(), "data.json"))
        assert read_back_from_old(table.meanings)
        assert len(table.frame) == 2
        assert "1 entries are isomorphic" in table.notes[0]
        by_graph = table.frame.set_index("operations")["arch2vec_e108_valid"].to_dict()
        assert by_graph == pytest.approx({"input,conv3x3-bn-relu,output": 90, "input,output": 80})
    (key,) = table.frame.loc[table.frame["operations"] == "input,output", "hash"]
    space = pytest.importorskip("svge_core.spaces.nasbench101.space").NASBench101()
    assert key == space.key(space.parse(json.dumps({"matrix": [[0, 1], [0, 0]], "ops": ["input", "output"]})))


@pytest.mark.parametrize("chunk", [3, 50, 10_000])
def test_json_streams_name_the_entry(written: Write, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("svge_core.data.importers.arch2vec._CHUNK", chunk)
    text = json.dumps({str(n): {"a": [n, {"b": "}"}]} for n in range(30)})
    assert dict(entries(written(text.encode()))) == json.loads(text)
    assert dict(entries(written(b" {} \n"))) == {}
    for cut in range(1, len(text) - 1, 7):
        with pytest.raises(DataError, match=r"cut off at entry \d+ \(byte \d+\)"):
            list(entries(written(text[:cut].encode())))
    with pytest.raises(DataError, match="the key 'a' stands twice, again at entry 1"):
        list(entries(written(b'{"a": 1, "a": 2}')))
    for wrong in ("[]", "{}{", '{"a": 1}x', '{"a" 1}', "{1: 2}"):
        with pytest.raises(DataError, match="expected a JSON object|goes on|cut off|damaged"):
            list(entries(written(wrong.encode())))


@pytest.mark.parametrize(
    "change",
    [
        {"validation_accuracy": 90},
        {"validation_accuracy": None},
        {"module_adjacency": [[0]]},
        {"module_operations": [[1, 0, 0, 0, 0]] * 7},
        {"module_operations": "x"},
        {"module_adjacency": np.ones((7, 7)).tolist()},
        {"module_operations": [[1, 0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0, 1]]},
        {"module_operations": [[1, 0, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 0, 1], *[[0] * 5] * 4]},
        {"module_operations": [[1, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 1], *[[0] * 5] * 4]},
        {"training_time": float("inf")},
        {"test_accuracy": True},
    ],
)
def test_wrong_cells_of_arch2vec_are_named(change: dict[str, object], written: Write) -> None:
    pytest.importorskip("svge_core.spaces.nasbench101")
    path = written(json.dumps({"7": {**arch2vec_entry(0.9, *CHAIN), **change}}).encode(), "data.json")
    with pytest.raises(DataError, match="data.json, entry 7 cannot be used: "):
        read_arch2vec(path)
