"""A space of another kind by the commands and the core: not listed, without network, costs or scores, 19 operations."""

import csv
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from svge_core.data import analytic_scores, load_scores
from svge_core.errors import DataError, ParseError, SvgeError
from svge_core.explorer import CellFilter, find_cell, find_forms, kept_by, open_explorer
from svge_core.exporting import item_for, to_zip
from svge_core.features import structure_features
from svge_core.interpolation import lay_path, score_titles
from svge_core.networks import build_network
from svge_core.search import Domain, History
from svge_core.search.searchers import METHODS, make_searcher, rng_for
from svge_core.spaces import get_space
from tests.support.cli import RunCommand
from tests.support.meanings import made_up
from tests.support.paths import ROOT
from tests.third_party.conftest import CHARTED
from tools.docs import pages

SWISH = "mul(sigmoid(x), x)"
MEANING = made_up("fit", title="nearness to GELU", data_set="x from -4 to 4", split="", epochs=None, origin="user")


@pytest.fixture
def checkpoint(root: Path) -> Path:
    return root / "functions" / "tiny"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nearness to GELU of 80 functions, computed."""
    space, rng, x = get_space("functions"), np.random.default_rng(1), torch.linspace(-4, 4, 201)
    path = tmp_path_factory.mktemp("table") / "fit.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["arch_str", "fit"])
        for cell in dict.fromkeys(space.random_cell(rng) for _ in range(80)):
            off = space.values(cell, x) - torch.nn.functional.gelu(x)  # pyright: ignore[reportAttributeAccessIssue]
            writer.writerow([space.format(cell), -float(off.nan_to_num(9).abs().clamp(max=9).mean())])
    path.with_suffix(".json").write_text(json.dumps(MEANING.to_dict()))
    return path


def test_numbers_are_the_members_and_swish_is_swish() -> None:
    space = get_space("functions")
    cell = space.parse("mul(x,sigmoid( x ))")
    assert space.format(cell) == SWISH and cell == space.from_index(space.index(cell))
    assert cell.ops == ("input", "sigmoid", "mul", "output") and cell.edges == ((0, 1), (0, 2), (1, 2), (2, 3))
    x = torch.linspace(-3, 3, 7)
    assert torch.equal(space.values(cell, x), x.sigmoid() * x)  # pyright: ignore[reportAttributeAccessIssue]
    # by brute force, with two operations of one operand and one of two, two deep
    one, two = {"u", "v"}, {"b"}
    small = {"x"}
    for _ in range(2):
        small |= {f"{op}({a})" for op in one for a in small} | {
            f"{op}({a},{b})" for op in two for a in small for b in small if a <= b and (a, b) != ("x", "x")
        }
    below = 1 + 2  # x, u(x), v(x): b(x, x) is left out
    assert len(small) == 1 + 2 * below + below * (below + 1) // 2 - 1
    for wrong in ("mul(x, x)", "tanh(x, x)", "x", "tanh", "tanh(tanh(tanh(tanh(x))))", "y", "tanh(x", "relu(x=x)"):
        with pytest.raises(SvgeError):
            space.parse(wrong)


def test_a_cell_that_is_no_network_has_no_costs_anywhere(checkpoint: Path) -> None:
    space = get_space("functions")
    cell = space.parse(SWISH)
    assert not space.has_cost and get_space("nasbench201").has_cost and get_space("ring").has_cost
    for ask in (lambda: space.cost(cell), lambda: space.costs_of([cell])):
        with pytest.raises(DataError, match="Activation functions stand for no network"):
            ask()
    with pytest.raises(SvgeError, match="[Aa]ctivation functions"):
        build_network(space, cell)
    assert load_scores(space).meanings == {} == analytic_scores(space).meanings
    explorer = open_explorer(checkpoint)
    assert explorer.inspect_cell(cell).cost is None
    assert (len(explorer.scores.frame), list(explorer.scores.frame.columns)) == (CHARTED, [])
    with pytest.raises(DataError, match="no parameters"):
        kept_by(explorer, CellFilter(params=(0.0, 1.0)), None)
    path = lay_path(explorer, space.parse("relu(x)"), cell, "linear", 5)
    assert len(path.stops) == 5 and score_titles(explorer) == {}
    names = structure_features(space, [cell]).names
    assert not [name for name in names if "parameters" in name] and "size: depth" in names
    with zipfile.ZipFile(io.BytesIO(to_zip([item_for(cell, space)], space))) as archive:
        assert not [name for name in archive.namelist() if name.endswith(("onnx", ".py"))]


def test_features_of_many_operations_grow_with_their_number_and_not_with_its_square() -> None:
    space = get_space("functions")
    rng = np.random.default_rng(2)
    table = structure_features(space, [space.random_cell(rng) for _ in range(40)])
    assert table.values.shape == (40, len(table.names)) and len(table.names) < 2_000
    assert np.isfinite(table.values).all() and len(set(table.names)) == len(table.names)
    row = structure_features(space, [space.parse("mul(sigmoid(x), x)")])
    found = {name: value for name, value in zip(row.names, row.values[0], strict=True) if name.startswith("local: ")}
    there = {name for name, value in found.items() if value}
    assert there == {
        "local: live sigmoid reading input and anything else",
        "local: live sigmoid feeding mul and anything else",
        "local: inputs of live sigmoid",
        "local: uses of live sigmoid",
        "local: live mul reading input and anything else",
        "local: live mul reading sigmoid and anything else",
        "local: live mul feeding output and anything else",
        "local: inputs of live mul",
        "local: uses of live mul",
    }
    assert found["local: inputs of live mul"] == 2


def test_digits_alone_are_an_index_where_a_choice_has_two_digits() -> None:
    space = get_space("functions")
    assert "7 genotype numbers with spaces between" in find_forms(space)
    assert "6 genotype digits" in find_forms(get_space("nasbench201"))
    assert find_cell(space, "1000000") == space.from_index(1_000_000) == find_cell(space, "#1000000")
    assert find_cell(space, "16 14 0 0 0 0 0") == space.parse(SWISH)
    with pytest.raises(ParseError, match="0 to 1233194"):
        find_cell(space, "1233195")


@pytest.mark.parametrize("name", [name for name in METHODS if name not in ("graphpnas", "graphpnas-reinforce")])
def test_every_method_that_can_searches_it(name: str) -> None:
    domain = Domain(get_space("functions"), distinct=True)
    if METHODS[name].needs_checkpoint or METHODS[name].why_not(domain.space):
        pytest.skip("needs a checkpoint, or says why it cannot")
    assert len(make_searcher(name, domain).propose(History(), 3, rng_for(0, 0))) == 3


def test_labels_and_searches_by_a_table_of_ones_own(
    table: Path, run: RunCommand, fails: RunCommand, storage: str
) -> None:
    assert "user_fit" in json.dumps(run("labels", table, "--space", "functions"))
    goal = f"csv:{table}:fit"
    words = ["search", "--space", "functions", "--objective", goal, "--budget", 12, "--storage", storage]
    for method in ("gp", "local-search"):
        best = json.dumps(run(*words, "--method", method))
        assert "restricted" in best or "80" in best
    assert "GraphPNAS has no view of Activation functions" in fails(*words, "--method", "graphpnas")
    told = fails("search", "--space", "functions", "--objective", "table:params_m", "--budget", 3, "--storage", storage)
    assert "No score of Activation functions is known on this machine, so there is no table:params_m: import" in told


def test_fit_predict_and_what_has_no_meaning_here(
    checkpoint: Path, table: Path, run: RunCommand, fails: RunCommand
) -> None:
    assert "has no measured scores here: give labels with --csv" in fails("fit", "--checkpoint", checkpoint)
    csv_words = ["--csv", table, "--score", "fit", "--meaning", table.with_suffix(".json")]
    assert "no larger space of functions" in fails("extrapolate", "--checkpoint", checkpoint, *csv_words)
    assert "has no predictors" in fails("predict", SWISH, "--checkpoint", checkpoint)


def test_samples_of_the_prior_are_decoded_and_say_which_are_no_members(checkpoint: Path, run: RunCommand) -> None:
    found = run("decode", "--samples", 20, "--checkpoint", checkpoint)
    assert found["valid"]["of"] == 20
    space = get_space("functions")
    for cell in found["cells"]:
        assert cell["valid"] == (not cell["reason"])
        assert not cell["valid"] or space.format(space.from_index(cell["index"])) == cell["arch_str"]


def test_exports_name_no_number_of_another_space(checkpoint: Path, run: RunCommand, tmp_path: Path) -> None:
    for form in ("json", "csv", "txt"):
        path = tmp_path / f"f.{form}"
        run("export", SWISH, "--checkpoint", checkpoint, "--out", path)
        text = path.read_text()
        assert SWISH in text and "params" not in text and "flops" not in text
    document = json.loads((tmp_path / "f.json").read_text())
    assert document["cells"][0]["measured"] == {} and document["cells"][0]["key"] == SWISH


def test_quality_of_cells_too_large_for_all_pairings(checkpoint: Path, run: RunCommand) -> None:
    words = ["--sample", 200, "--pairs", 500, "--places", 20, "--walks", 2, "--steps", 20]
    content = run("quality", "--checkpoint", checkpoint, *words)
    assert content["edits"]["exact"] is False and content["neighbours"] == []
    assert content["edits"]["random"]["mean_edits"] > 0


def test_a_further_space_leaves_the_documentation_as_it_is() -> None:
    block = pages.BLOCKS["commands"]
    assert block.make(ROOT) in (ROOT / block.page).read_text("utf-8")
