"""Tables as parquet and drawings as PDF: types, meanings, equal bytes."""

import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet

from svge_core.errors import SvgeError
from svge_core.exporting.document import ExportItem, item_for
from svge_core.exporting.writers import draw, to_csv, to_parquet
from svge_core.spaces.registry import get_space
from tests.exporting.test_export import ACC, SPACE, example


def test_a_pdf_does_not_hold_the_clock() -> None:
    found = re.findall(rb"/CreationDate \(([^)]*)\)", draw(example(), SPACE, "pdf"))
    assert found == [b""]


def test_parquet_is_the_table_with_types_and_meanings() -> None:
    basket = [example(), item_for(SPACE.from_index(0), SPACE)]
    content = to_parquet(basket, SPACE)
    assert content == to_parquet(basket, SPACE)
    table, plain = pd.read_parquet(io.BytesIO(content)), pd.read_csv(io.StringIO(to_csv(basket, SPACE)))
    assert list(table) == list(plain) and table["index"].tolist() == [6111, 0]
    assert table["arch_str"].tolist() == plain["arch_str"].tolist()
    assert table["acc"][0] == basket[0].measured["acc"] and np.isnan(table["acc"][1])
    metadata = parquet.read_metadata(io.BytesIO(content)).metadata
    assert metadata is not None and json.loads(metadata[b"svge_meanings"])["acc"] == ACC.to_dict()
    with pytest.raises(SvgeError, match="There is no architecture to export"):
        to_parquet([], SPACE)


def test_indices_beyond_64_bits_are_texts_in_parquet() -> None:
    large = get_space("enas12")
    cells = [large.random_cell(np.random.default_rng(seed)) for seed in range(2)]
    table = pd.read_parquet(io.BytesIO(to_parquet([ExportItem(cell) for cell in cells], large)))
    assert [int(index) for index in table["index"]] == [large.index(cell) for cell in cells]
