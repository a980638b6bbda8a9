"""The test double of a search space keeps the promises of the base class that tests rely on."""

import pytest

from svge_core.errors import InvalidCellError
from tests.support.core import TinySpace

SPACE = TinySpace(4)
CELLS = list(SPACE.enumerate())
GENOTYPES = [SPACE.genotype(cell) for cell in CELLS]


def test_genotypes_name_the_members() -> None:
    assert len(set(GENOTYPES)) == len(CELLS) == SPACE.size
    for cell, genotype in zip(CELLS, GENOTYPES, strict=True):
        assert len(genotype) == len(SPACE.gene_choices)
        assert all(gene in range(choices) for gene, choices in zip(genotype, SPACE.gene_choices, strict=True))
        assert SPACE.from_genotype(genotype) == cell


def test_other_genotypes_are_refused() -> None:
    first = GENOTYPES[0]
    for broken in ((), first[:-1], (*first, 0), (-1, *first[1:]), (SPACE.gene_choices[0], *first[1:]), (2,) * 9):
        with pytest.raises(InvalidCellError, match="No tiny cell has the genotype"):
            SPACE.from_genotype(broken)


def test_neighbours_are_all_members_that_differ_in_one_gene() -> None:
    for cell, own in zip(CELLS, GENOTYPES, strict=True):
        expected = {
            other
            for other, genes in zip(CELLS, GENOTYPES, strict=True)
            if sum(a != b for a, b in zip(own, genes, strict=True)) == 1
        }
        found = SPACE.neighbours(cell)
        assert set(found) == expected
        assert len(found) == len(expected), "no neighbour twice"
