"""The shipped order of the NAS-Bench-101 cells and the md5 keys, which are computed when they are asked for."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from svge_core.errors import ParseError
from svge_core.files import keep_arrays
from svge_core.spaces import NASBench101
from svge_core.spaces.nasbench101 import cell_table, official_order
from svge_core.spaces.nasbench101.cell_table import Table
from svge_core.spaces.nasbench101.codes import all_codes
from svge_core.spaces.nasbench101.official_order import ORDER_DIGEST, ORDER_FILE, SIZE, order_digest, read_order
from svge_core.spaces.nasbench101.space import OPERATIONS, to_matrix
from svge_core.threads import counts
from tests.support.oracles.nasbench101 import key_of
from tests.support.untyped import there
from tools.official_order import main as make_again

SPACE = NASBench101()
CACHE = "nasbench101-v1.npz"


def oracle(index: int) -> str:
    return key_of(*to_matrix(SPACE.from_index(index)), OPERATIONS)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder: no keys of this machine help."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "svge-explorer"


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The md5 keys that were computed."""
    made: list[str] = []
    real = cell_table.module_hash

    def noted(*cell: object) -> str:
        made.append(real(*cell))  # type: ignore[arg-type]
        return made[-1]

    monkeypatch.setattr(cell_table, "module_hash", noted)
    return made


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch, cache: Path) -> list[str]:
    """A space of 500 cells; their keys by the oracle, ascending."""
    ranks = np.sort(np.random.default_rng(3).choice(SIZE, 500, replace=False))
    codes = np.sort(SPACE.table.codes[ranks])
    monkeypatch.setattr(cell_table, "all_codes", lambda: codes)
    monkeypatch.setattr(cell_table, "SIZE", 500)
    return sorted(oracle(int(rank)) for rank in ranks)


# ---- the file -------------------------------------------------------------------------------------------------------


def test_the_file_is_a_permutation_of_all_cells() -> None:
    order = read_order()
    assert order is not None
    assert order.shape == (SIZE,) == (423_624,)
    assert np.array_equal(np.bincount(order, minlength=SIZE), np.ones(SIZE, dtype=np.int64))
    assert np.array_equal(SPACE.table.codes, all_codes()[order])
    assert ORDER_FILE.stat().st_size == 1_006_107
    assert order_digest(ORDER_FILE.read_bytes()) == ORDER_DIGEST


def test_random_cells_are_in_the_order_of_their_keys_by_the_oracle() -> None:
    ranks = np.unique(np.random.default_rng(11).integers(SIZE, size=2_000))
    keys = [oracle(int(rank)) for rank in ranks]
    assert keys == sorted(keys)
    # neighbours in the order, where one swapped pair would show
    for start in (0, 1_234, 211_800, SIZE - 40):
        keys = [oracle(rank) for rank in range(start, start + 40)]
        assert keys == sorted(set(keys))
    # evenly spread keys: a rank says the key to within chance, so a shifted order would show too
    far = [abs(int(oracle(int(rank)), 16) / 2**128 * SIZE - rank) for rank in ranks[::20]]
    assert max(far) < 5 * np.sqrt(SIZE) / 2


def test_a_damaged_or_missing_file_is_no_order(tmp_path: Path) -> None:
    content = ORDER_FILE.read_bytes()
    wrong = tmp_path / "order.bin"
    for place in (0, 500_000, len(content) - 1):
        wrong.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert read_order(wrong) is None
    for damaged in (b"", content[:-1], content + b"\0"):
        wrong.write_bytes(damaged)
        assert read_order(wrong) is None
    assert read_order(tmp_path / "nothing") is None
    assert read_order(tmp_path) is None  # a folder
    wrong.write_bytes(content)
    assert np.array_equal(there(read_order(wrong)), there(read_order()))


def test_packing_and_reading_are_inverse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order = np.random.default_rng(5).permutation(SIZE)
    (tmp_path / "order.bin").write_bytes(official_order.packed_order(order))
    monkeypatch.setattr(official_order, "ORDER_DIGEST", order_digest((tmp_path / "order.bin").read_bytes()))
    assert np.array_equal(there(read_order(tmp_path / "order.bin")), order)


def test_the_tool_makes_the_file_and_says_where_it_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tools.official_order.ORDER_FILE", tmp_path / "order.bin")
    monkeypatch.setattr("tools.official_order.build", lambda: SPACE.table)  # all keys take minutes under type checks
    assert make_again(["--check"]) == 1
    assert not (tmp_path / "order.bin").exists() and "differs" in capsys.readouterr().out
    assert make_again([]) == 0
    assert (tmp_path / "order.bin").read_bytes() == ORDER_FILE.read_bytes()
    assert make_again(["--check"]) == 0
    assert f"1,006,107 bytes, digest {ORDER_DIGEST}: is right" in capsys.readouterr().out


# ---- keys -----------------------------------------------------------------------------------------------------------


def test_opening_the_space_computes_no_key(cache: Path, computed: list[str]) -> None:
    table = cell_table._Cells().table
    assert np.array_equal(table.codes, SPACE.table.codes)
    assert not computed and not cache.exists()


def test_a_key_is_found_with_a_few_others_computed(cache: Path, computed: list[str]) -> None:
    table = Table(SPACE.table.codes)
    for index in (0, 1, SIZE // 2, SIZE - 1, *np.random.default_rng(2).integers(SIZE, size=200).tolist()):
        key = oracle(index)
        computed.clear()
        assert table.index_of_hash(key) == table.index_of_hash(key.upper()) == index
        assert len(computed) <= 2 * 12
    assert not cache.exists(), "nothing is kept of a search"


def test_keys_of_no_cell_are_not_found(cache: Path, computed: list[str]) -> None:
    table = Table(SPACE.table.codes)
    beside = [int(oracle(index), 16) + step for index in (0, 7, 99_999, SIZE - 1) for step in (-1, 1)]
    for number in (0, 2**128 - 1, *beside):
        computed.clear()
        assert table.index_of_hash(f"{number:032x}") is None
        assert len(computed) <= 20
    with pytest.raises(ParseError, match=f"No NAS-Bench-101 cell has the key {'0' * 32}"):
        SPACE.parse("0" * 32)


def test_all_keys_are_computed_once_counted_and_kept(
    few: list[str], cache: Path, computed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cell_table, "_PIECE", 200)
    table = cell_table.build()
    seen: list[tuple[int, int]] = []
    real: Callable[..., str] = cell_table.module_hash

    def looked(*cell: object) -> str:
        seen.extend((count.done, count.of) for count in counts("NAS-Bench-101"))
        return real(*cell)

    monkeypatch.setattr(cell_table, "module_hash", looked)
    fresh = Table(table.codes)
    assert [bytes(key).hex() for key in fresh.hashes.view(np.uint8).reshape(-1, 16)] == few
    assert dict.fromkeys(seen) == dict.fromkeys([(0, 500), (200, 500), (400, 500)]) and len(seen) == 500
    assert not counts("NAS-Bench-101")
    wanted = np.frombuffer(bytes.fromhex(few[420] + "0" * 32 + few[3]), dtype="S16")
    assert fresh.indices_of_hashes(wanted).tolist() == [420, -1, 3]
    assert (cache / CACHE).exists()
    computed.clear()
    again = Table(table.codes)
    assert np.array_equal(again.hashes, fresh.hashes)
    assert len(computed) == 64, "the file is known by a sample"
    assert [again.index_of_hash(key) for key in (few[0], few[499], "f" * 32)] == [0, 499, None]
    assert len(computed) == 64


def test_who_looks_for_thousands_of_keys_gets_them_all(
    few: list[str], cache: Path, computed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cell_table, "_SEARCHES", 20)
    table = Table(cell_table.build().codes)
    assert [table.index_of_hash(key) for key in few[:20]] == list(range(20))
    assert not cache.exists()
    computed.clear()
    assert [table.index_of_hash(key) for key in few] == list(range(500))
    assert len(computed) == 500
    assert (cache / CACHE).exists()


def damage(content: bytes) -> list[bytes]:
    """The kept file, empty, short, or with other bytes inside."""
    middle = len(content) // 2
    return [b"", content[:middle], b"no file of arrays", content[:middle] + b"????" + content[middle + 4 :]]


def test_a_damaged_cache_costs_time_not_the_keys(few: list[str], cache: Path) -> None:
    codes = cell_table.build().codes
    _ = Table(codes).hashes
    whole = (cache / CACHE).read_bytes()
    for content in damage(whole):
        (cache / CACHE).write_bytes(content)
        assert [bytes(key).hex() for key in Table(codes).hashes.view(np.uint8).reshape(-1, 16)] == few
        assert (cache / CACHE).read_bytes() == whole, "kept anew"


def test_a_cache_of_other_keys_is_not_read(few: list[str], cache: Path) -> None:
    built = cell_table.build()
    raw = built.hashes.view(np.uint8).reshape(-1, 16)
    for codes, keys in ((built.codes[::-1], raw), (built.codes, raw[::-1]), (built.codes, raw ^ 1)):
        keep_arrays(cache / CACHE, {"codes": np.ascontiguousarray(codes), "hashes": np.ascontiguousarray(keys)})
        assert np.array_equal(Table(built.codes).hashes, built.hashes)


# ---- without the file -----------------------------------------------------------------------------------------------


def test_without_the_order_it_is_computed_from_the_keys_and_kept(
    few: list[str], cache: Path, computed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cell_table, "read_order", lambda: None)
    with pytest.warns(UserWarning, match=r"^The file official_order.bin .* missing or damaged.* install .* again"):
        table = cell_table._Cells().table
    assert len(computed) == 500
    assert [table.index_of_hash(key) for key in few] == list(range(500))
    assert len(computed) == 500
    with pytest.warns(UserWarning, match="missing or damaged"):
        again = cell_table._Cells().table
    assert np.array_equal(again.codes, table.codes) and np.array_equal(again.hashes, table.hashes)
    assert len(computed) == 564, "read from the cache folder and known by a sample"
