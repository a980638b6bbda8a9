"""The importable contract of search spaces: subclass it, name the space, and every promise of the base is tested."""

import json
import math
import re
from itertools import islice

import numpy as np
import pytest

from svge_core.cells import INPUT, OUTPUT, Cell
from svge_core.errors import InvalidCellError, SvgeError
from svge_core.spaces import AbstractSearchSpace, DecodingRules, resolve


def random_order(cell: Cell, rng: np.random.Generator) -> list[int]:
    """A random topological order of a cell's nodes (every one possible, not uniform)."""
    waiting = {node: set(cell.sources[node]) for node in range(cell.num_nodes)}
    order: list[int] = []
    while waiting:
        ready = [node for node, sources in waiting.items() if not sources]
        node = ready[int(rng.integers(len(ready)))]
        order.append(node)
        del waiting[node]
        for sources in waiting.values():
            sources.discard(node)
    return order


def _draw(space: AbstractSearchSpace, rules: DecodingRules, rng: np.random.Generator) -> Cell:
    """A cell that follows the rules. Where it may be of any size, it ends with the first output that is drawn, and
    draws go on until every node but the first has an edge in, every one but the last an edge out."""
    for _ in range(10_000):
        ops = [space.vocabulary[rng.choice(np.flatnonzero(row))] for row in rules.node_types]
        if rules.any_size:
            ops = ops[: ops.index(OUTPUT) + 1]
        given = rules.edges[: len(ops), : len(ops)]
        drawn = np.where(given < 0, rng.integers(0, 2, given.shape), given).astype(bool)
        joined = not rules.any_size or (drawn[:, 1:].any(axis=0).all() and drawn[:-1].any(axis=1).all())
        if joined and (rules.max_edges is None or drawn.sum() <= rules.max_edges):
            return Cell(tuple(ops), tuple((int(u), int(v)) for u, v in np.argwhere(drawn)))
    raise AssertionError("the decoding rules admit hardly any cell: none of 10,000 draws followed them")


class SearchSpaceContract:
    """What every search space promises. Subclasses are named ``Test...`` and set ``space``; pytest does the rest."""

    #: the space under test
    space: AbstractSearchSpace
    #: members drawn for the tests that look at samples
    samples = 25
    #: members all of whose neighbours are looked at
    edited = 4
    #: whether every draw that follows the decoding rules is a member
    rules_are_exact = True
    #: whether one edit of a cell is one gene of the genotype
    edit_is_one_gene = True

    def broken_cells(self) -> list[tuple[Cell, str]]:
        """More invalid cells of the space with a pattern of the reason (extra edges, missing edges ...)."""
        return []

    @pytest.fixture
    def rng(self) -> np.random.Generator:
        """The same draws in every test."""
        return np.random.default_rng(0)

    @pytest.fixture
    def cells(self, rng: np.random.Generator) -> list[Cell]:
        """Random members."""
        return [self.space.random_cell(rng) for _ in range(self.samples)]

    # names and sizes

    def test_describes_itself(self) -> None:
        space = self.space
        assert re.fullmatch(r"[a-z0-9_]+", space.name)
        assert space.title
        assert space.equivalence
        assert space.max_nodes >= 2
        assert len(set(space.operations)) == len(space.operations) > 0
        assert space.vocabulary == (OUTPUT, INPUT, *space.operations)
        assert all(choices >= 1 for choices in space.gene_choices)
        assert space.size is not None or not space.enumerated, "what can be listed can be counted"

    # membership

    def test_random_cells_are_members_and_seeded(self) -> None:
        first, again, other = (
            [self.space.random_cell(np.random.default_rng(seed)) for _ in range(3)] for seed in (1, 1, 2)
        )
        assert first == again
        draws = [self.space.random_cell(rng) for rng in [np.random.default_rng(3)] for _ in range(self.samples)]
        assert len({*first, *other, *draws}) > 1
        for cell in draws:
            self.space.validate(cell)
            assert self.space.is_valid(cell)
            assert cell.num_nodes <= self.space.max_nodes

    def test_broken_cells_are_rejected_with_the_reason(self, cells: list[Cell]) -> None:
        space, member = self.space, cells[0]
        op = space.operations[0]
        too_many = space.max_nodes + 1
        chain = tuple((node, node + 1) for node in range(too_many - 1))
        strange = list(member.ops)
        strange[member.num_nodes // 2] = "no_such_operation"
        broken = [
            (Cell((INPUT, *[op] * (too_many - 2), OUTPUT), chain), str(too_many)),
            (Cell((INPUT,), ()), "1"),
            (Cell(tuple(strange), member.edges), "no_such_operation"),
            (Cell((op, *member.ops[1:]), member.edges), "input"),
            (Cell((*member.ops[:-1], op), member.edges), "output"),
            *self.broken_cells(),
        ]
        for cell, reason in broken:
            assert not space.is_valid(cell)
            with pytest.raises(InvalidCellError, match=reason) as caught:
                space.validate(cell)
            assert "Traceback" not in str(caught.value)
            assert len(str(caught.value)) > 20, "an error names what was expected"

    # round trips

    def test_text_round_trip(self, cells: list[Cell]) -> None:
        for cell in cells:
            assert self.space.parse(self.space.format(cell)) == cell
            assert self.space.parse(f"  {self.space.format(cell)}\n") == cell

    @pytest.mark.parametrize("text", ["", "   ", "no such cell", "|", "[]", "\x00", "9" * 10_000])
    def test_text_that_is_no_cell_is_rejected(self, text: str) -> None:
        with pytest.raises(SvgeError) as caught:
            self.space.parse(text)
        assert 20 < len(str(caught.value)) < 1_000, "says what was expected and does not repeat long input"

    def test_genotype_round_trip(self, cells: list[Cell]) -> None:
        for cell in cells:
            genotype = self.space.genotype(cell)
            assert len(genotype) == len(self.space.gene_choices)
            assert all(0 <= gene < n for gene, n in zip(genotype, self.space.gene_choices, strict=True))
            assert self.space.from_genotype(genotype) == cell

    def test_broken_genotypes_are_rejected(self, cells: list[Cell]) -> None:
        genotype = self.space.genotype(cells[0])
        for broken in (genotype[:-1], (*genotype, 0), (self.space.gene_choices[0], *genotype[1:]), (-1, *genotype[1:])):
            with pytest.raises(InvalidCellError):
                self.space.from_genotype(broken)

    def test_index_round_trip(self, cells: list[Cell]) -> None:
        if self.space.size is None:
            with pytest.raises(SvgeError):
                self.space.index(cells[0])
            return
        for cell in cells:
            assert self.space.from_index(self.space.index(cell)) == cell
        for index in (-1, self.space.size):
            with pytest.raises(SvgeError, match=str(index)):
                self.space.from_index(index)

    # moves

    def test_neighbours_are_symmetric_members_one_edit_away(self, cells: list[Cell]) -> None:
        space = self.space
        for cell in cells[: self.edited]:
            neighbours = space.neighbours(cell)
            forms = {space.canonical(neighbour) for neighbour in neighbours}
            assert len(forms) == len(neighbours) > 0, "no neighbour twice"
            assert space.canonical(cell) not in forms
            for neighbour in neighbours:
                space.validate(neighbour)
                if self.edit_is_one_gene:
                    genes = zip(space.genotype(cell), space.genotype(neighbour), strict=True)
                    assert sum(a != b for a, b in genes) == 1
            for neighbour in neighbours[:: max(1, len(neighbours) // 5)]:
                assert space.canonical(cell) in {space.canonical(back) for back in space.neighbours(neighbour)}

    # symmetry

    def test_canonical_form_and_key_do_not_depend_on_node_order(
        self, cells: list[Cell], rng: np.random.Generator
    ) -> None:
        for cell in cells:
            form = self.space.canonical(cell)
            self.space.validate(form)
            assert self.space.canonical(form) == form
            for _ in range(2):
                relabelled = cell.relabelled(random_order(cell, rng))
                restored = self.space.canonical(relabelled)
                assert restored == form
                assert self.space.key(restored) == self.space.key(cell)

    def test_equivalents_are_all_cells_of_one_key(self, cells: list[Cell]) -> None:
        for cell in cells[:5]:
            found = self.space.equivalents(cell)
            assert self.space.representative(cell) == found[0]
            assert self.space.canonical(cell) in found
            assert {self.space.key(other) for other in found} == {self.space.key(cell)}
            assert len(set(found)) == len(found)
            assert all(self.space.equivalents(other) == found for other in found[:3])

    def test_canonical_rejects_what_is_no_relabelling_of_a_member(self) -> None:
        op = self.space.operations[0]
        for stranger in (
            Cell((INPUT, *[op] * self.space.max_nodes, OUTPUT), ()),
            Cell((INPUT, "no_such_operation", OUTPUT), ((0, 1), (1, 2))),
        ):
            with pytest.raises(InvalidCellError):
                self.space.canonical(stranger)

    # enumeration

    def test_enumeration_is_complete_unique_and_in_index_order(self) -> None:
        if not self.space.enumerated:
            with pytest.raises(SvgeError, match=f"{re.escape(self.space.title)} is not enumerated"):
                self.space.enumerate()
            return
        count = 0
        seen: set[Cell] = set()
        for cell in self.space.enumerate():
            seen.add(cell)
            count += 1
        assert count == len(seen) == self.space.size
        for index, cell in enumerate(islice(self.space.enumerate(), 50)):
            assert self.space.index(cell) == index
            assert self.space.from_index(index) == cell
            self.space.validate(cell)

    # decoding and cost

    def test_decoding_rules_admit_every_member(self, cells: list[Cell]) -> None:
        rules, space = self.space.decoding_rules(), self.space
        types = {label: number for number, label in enumerate(space.vocabulary)}
        assert rules.node_types.shape == (space.max_nodes, len(space.vocabulary))
        assert rules.node_types.dtype == bool
        assert rules.edges.shape == (space.max_nodes, space.max_nodes)
        assert set(np.unique(rules.edges)) <= {-1, 0, 1}
        assert not np.tril(rules.edges != 0).any(), "edges go from lower to higher positions"
        for cell in map(space.canonical, cells):
            edges = set(cell.edges)
            for node, op in enumerate(cell.ops):
                assert rules.node_types[node, types[op]]
                for target in range(node + 1, cell.num_nodes):
                    assert rules.edges[node, target] in (-1, int((node, target) in edges))

    def test_draws_that_follow_exact_rules_are_members(self, rng: np.random.Generator) -> None:
        if not self.rules_are_exact:
            pytest.skip("the space has conditions that masks cannot express")
        rules, space = self.space.decoding_rules(), self.space
        for _ in range(self.samples):
            space.validate(_draw(space, rules, rng))

    def test_cost_is_finite_and_never_negative(self, cells: list[Cell]) -> None:
        if not self.space.has_cost:
            with pytest.raises(SvgeError, match=re.escape(self.space.title)):
                self.space.cost(cells[0])
            assert self.space.network() is None, "a network can be counted"
            return
        for cell in cells:
            cost = self.space.cost(cell)
            assert 0 <= cost.params_m < math.inf
            assert 0 <= cost.flops_m < math.inf
            assert cost.network

    # hooks

    def test_views_and_forms_of_text(self, cells: list[Cell]) -> None:
        views, forms = self.space.views(), self.space.text_forms()
        assert len({view.name for view in views}) == len(views)
        assert "operations" in {view.name for view in views}, "any graph can be drawn"
        assert self.space.notation_in_words
        for form in forms:
            assert all(name == name.lower() and name for name in form.columns)
        for cell in cells[: self.edited]:
            assert self.space.resembles(self.space.format(cell))

    def test_further_names_are_the_same_for_every_cell_and_can_be_read(self, cells: list[Cell]) -> None:
        forms = self.space.text_forms()
        names = [[(a.name, a.value is None, a.long, a.many) for a in self.space.aliases(cell)] for cell in cells]
        assert all(found == names[0] for found in names)
        assert len({name for name, *_ in names[0]}) == len(names[0])
        assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name, *_ in names[0])
        for cell in cells:
            for alias in self.space.aliases(cell):
                assert json.loads(json.dumps(alias.value)) == alias.value
                for form in forms:
                    if alias.text and form.pattern.fullmatch(alias.text):
                        assert self.space.canonical(form.read(alias.text)) == self.space.canonical(cell)

    def test_graphs_of_cells_come_back(self, cells: list[Cell]) -> None:
        own = self.space.generator_view()
        if own is None:
            pytest.skip("GraphPNAS has no view of the space")
        for cell in map(self.space.canonical, cells):
            graph = own.graph_of(cell)
            assert graph.size <= own.view.nodes
            assert all(0 <= source < target < graph.size for source, target, _ in graph.edges)
            assert self.space.canonical(own.cell_of(graph)) == cell

    def test_random_starts_and_families_are_members(self, rng: np.random.Generator) -> None:
        for _ in range(self.edited):
            cell = self.space.random_start(rng)
            assert self.space.canonical(cell) == cell
        assert all(self.space.is_valid(draw(rng)) for draw in self.space.families().values())

    def test_sizes_are_told_apart(self, cells: list[Cell]) -> None:
        if self.space.size is None or self.space.size > 2**63:
            pytest.skip("cells have no index of 64 bits")
        indices = np.array([self.space.index(cell) for cell in cells])
        split = self.space.size_split(indices)
        if split is not None:
            assert split.inside.shape == split.outside.shape == indices.shape
            assert not (split.inside & split.outside).any()
            assert split.inside_words and split.outside_words
        assert self.space.larger() is None or split is not None, "what is larger can be told"

    def test_what_the_space_refers_to_is_there(self) -> None:
        larger = self.space.larger()
        references = [
            self.space.network(),
            self.space.bundled_scores(),
            *((larger.make, larger.grow) if larger else ()),
        ]
        for reference in references:
            assert reference is None or callable(resolve(reference))
