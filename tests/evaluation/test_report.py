"""Measured numbers: rows of today and of format 1, looked up by fields, in words with their denominators."""

import json
import re
from collections import Counter
from typing import Any

import pytest

from svge_core.checkpoints.checkpoint import META, load_meta
from svge_core.checkpoints.metric_row import (
    MetricRow,
    RowKey,
    by_key,
    edge_f1_key,
    generation_key,
    reconstruction_key,
    rows_of_format_1,
)
from svge_core.errors import SvgeError
from svge_core.evaluation.report import (
    FAMILIES,
    Sample,
    default_sample,
    described,
    is_repeated,
    label,
    long_title,
    other_rows,
    result,
    sample_title,
    title,
    words,
)
from svge_core.evaluation.shares import decimals, percent
from svge_core.files.schema import to_plain, to_record
from tests.support.model_checkpoint import METRICS, share
from tests.support.paths import CHECKPOINTS


def read(metrics: dict[str, Any]) -> tuple[MetricRow, ...]:
    return tuple(to_record(row, MetricRow) for row in rows_of_format_1(metrics))


def test_every_metric_is_in_exactly_one_table() -> None:
    rows = read(METRICS)
    placed = Counter(row.key for family in (*FAMILIES, other_rows) for row in family(rows))
    assert placed == Counter(row.key for row in rows) and set(placed.values()) == {1}
    assert [row.what for row in other_rows(rows)] == ["elbo"]


def test_denominators_are_always_said() -> None:
    rows = {
        row.what: described(row)
        for row in read({"a": share(1, 4), "b": {"value": 0.5}, "c": {"value": 2, "n": 1200, "unit": "s"}, "d": 3})
    }
    assert rows == {
        "a": "25.00 % (1 of 4)",
        "b": "0.5 (denominator not recorded)",
        "c": "2 s (n = 1,200)",
        "d": "3 (denominator not recorded)",
    }
    assert described(read({"novel": {"count": 0, "of": 0, "value": None}})[0]) == "not measured (0 of 0)"
    assert described(None) == "not measured"


def test_nested_rows_inherit_what_is_said_above_them() -> None:
    (row,) = read({"reconstruction": {"both": {"split": "held out", "argmax": {"count": 3, "of": 4}}}})
    assert row == MetricRow(
        what="reconstruction", direction="both", mode="raw", how="argmax", value=0.75, count=3, of=4, split="held out"
    )


@pytest.mark.parametrize(
    "name, key",
    [
        ("reconstruction.both.sampled", reconstruction_key("both", "sampled")),
        (
            "reconstruction_equivalent.forward.argmax",
            reconstruction_key("forward", "argmax", "reconstruction_equivalent"),
        ),
        ("valid_unique.forward.raw.10000x1", generation_key("valid_unique", "forward", "raw", 10_000, 1)),
        ("edge_f1.forward.frequent.per_cell", edge_f1_key("forward", "frequent", "per_cell")),
        ("edge_f1.constant.one.all", edge_f1_key("", "constant")),
        ("edge_f1.constant.per_family.ws", edge_f1_key("", "constant_per_family", "ws")),
        ("smoothness.spearman_edit", RowKey("smoothness", how="spearman_edit")),
        ("valid.sideways.raw.10x1", RowKey("valid.sideways.raw.10x1")),
        ("valid.forward.raw.10xx1", RowKey("valid.forward.raw.10xx1")),
    ],
)
def test_names_of_format_1_are_read_once(name: str, key: RowKey) -> None:
    (row,) = read({name: {"value": 0.5, "protocol": "forward, 10 times the mean x 7 decodings", "odd": 1}})
    assert row.key == key
    assert (row.encodings, row.decodings if row.latents is None else 7, row.further) == (10, 7, {"odd": 1})


def test_a_damaged_row_of_format_1_is_named() -> None:
    with pytest.raises(SvgeError, match=r"\$\.metrics\['valid\.x'\]\.count: expected int \| null, got str \('many'\)"):
        rows_of_format_1({"valid.x": {"value": 1.0, "count": "many", "of": 3}})


@pytest.mark.parametrize("folder", sorted(path.parent for path in CHECKPOINTS.glob(f"*/svge*/{META}")), ids=str)
def test_shipped_rows_are_read_with_equal_values(folder) -> None:
    """Nothing of a stored row is lost, and every name finds its own row."""
    stored = json.loads((folder / META).read_text())
    if stored["format_version"] != 1:
        pytest.skip("written by this version")
    rows = load_meta(folder)[0].metrics
    assert len(by_key(rows)) == len(rows) == len(stored["metrics"])
    assert not other_rows([row for row in rows if row.what != "smoothness"]) and not any(row.further for row in rows)
    for row, (name, old) in zip(rows, stored["metrics"].items(), strict=True):
        new = to_plain(row)
        assert {key: new.get(key) for key in old} == old, name
        parts = set(re.split(r"\.|(?<=\d)x(?=\d)", name)) - {"one", "per_family"}
        assert parts <= {*(str(value) for value in new.values()), "constant"}, name


def test_words_for_people() -> None:
    assert sample_title(Sample(1_000, 10)) == "1,000 latents × 10 decodings"
    assert sample_title(Sample(10_000, 1)) == "10,000 latents × 1 decoding"
    assert title("some_new_thing") == "Some new thing"
    row = read({"valid.both.raw.1000x10": share(1, 2, epochs=3, data_set="Tiny")})[0]
    assert label(row) == "valid both raw 1000x10"
    assert long_title(row) == "Valid, Both directions, Raw, 1,000 latents × 10 decodings"
    assert words(row) == ["10 x 10", "Tiny", "held-out cells", "3 epochs"]
    samples = [Sample(1_000, 10), Sample(1_000, 1), Sample(10_000, 1)]
    assert default_sample(samples) == Sample(10_000, 1)
    assert default_sample([Sample(1_000, 10), Sample(5, 2)]) == Sample(1_000, 10)


def test_one_decoding_is_not_shown_beside_ten() -> None:
    one, ten = (generation_key("valid", "forward", "raw", 1_000, times) for times in (1, 10))
    row = MetricRow(what="valid", value=1.0)
    assert (
        is_repeated(one, {one: row, ten: row}) and not is_repeated(one, {one: row}) and not is_repeated(ten, {ten: row})
    )


def test_almost_all_is_not_all() -> None:
    assert percent(99_999 / 100_000) == "99.99 %"
    assert percent(1.0) == "100.00 %"
    assert percent(0.57) == "57.00 %"


@pytest.mark.parametrize(
    ("value", "short", "long"),
    [
        (1.0, "1.000", "1.0000"),
        (0.99996, "0.99996", "0.99996"),
        (0.9996, "0.9996", "0.9996"),
        (0.37121, "0.371", "0.3712"),
        (0.99999999, "1.000000", "1.000000"),
    ],
)
def test_what_is_below_one_does_not_read_as_one(value: float, short: str, long: str) -> None:
    assert (decimals(value), decimals(value, 4)) == (short, long)
    row = MetricRow(what="edge_f1", value=value, n=3, unit="F1")
    assert float(result(row).removesuffix(" F1")) == float(long)
