"""A space of another kind: activation functions, as expressions of 19 operations. 1,233,195 of them, and no network."""

import ast
import math
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import torch

import svge_core as svge
from svge_core.spaces import DecodingRules
from svge_core.testing import SearchSpaceContract

# What the search for Swish combined (Ramachandran et al. 2017, "Searching for Activation Functions"): functions of one
# number, and of two whose order does not matter; all have their names from PyTorch. An expression is x, or an operation
# of expressions, at most three deep: mul(sigmoid(x), x) is Swish. In the cell every operation is a node that reads its
# operands, so cells differ in their number of nodes, in their edges and in their labels.
CURVES = ("exp", "sin", "cos", "sinh", "cosh", "tanh", "asinh", "atan", "sinc", "sigmoid", "erf")
ONE = ("neg", "abs", "square", "relu", *CURVES)
TWO = ("add", "mul", "max", "min")
DEEPEST = 3
Tree = tuple[Any, ...]
X: Tree = ("x",)


# Expressions are numbered: x, then functions of one operand, then those of a pair, but for the pair of x and x (a node
# reads another one once). The number forgets which operand was written first, so it stands for the canonical form.
@cache
def count(height: int) -> tuple[int, int]:
    """How many expressions are at most so deep, and how many pairs of operands they have."""
    below = count(height - 1)[0] if height else 0
    pairs = max(below * (below + 1) // 2 - 1, 0)
    return 1 + len(ONE) * below + len(TWO) * pairs, pairs


def number_of(tree: Tree, height: int = DEEPEST) -> int:
    """The number of an expression that is at most so deep."""
    if tree == X:
        return 0
    if height == 0:
        raise svge.InvalidCellError(f"An expression is at most {DEEPEST} operations deep; this {tree[0]} is deeper.")
    below, pairs = count(height - 1)[0], count(height)[1]
    high, *low = sorted((number_of(operand, height - 1) for operand in tree[1:]), reverse=True)
    if not low:
        return 1 + ONE.index(tree[0]) * below + high
    if high == 0:
        raise svge.InvalidCellError(f"Both operands of {tree[0]} are x: expected two that differ.")
    return len(ONE) * below + TWO.index(tree[0]) * pairs + high * (high + 1) // 2 + low[0]


def tree_of(number: int, height: int = DEEPEST) -> Tree:
    """The expression of a number."""
    if number == 0:
        return X
    below, pairs = count(height - 1)[0], count(height)[1]
    if number <= len(ONE) * below:
        op, operand = divmod(number - 1, below)
        return (ONE[op], tree_of(operand, height - 1))
    op, pair = divmod(number - 1 - len(ONE) * below, pairs)
    high = (math.isqrt(8 * pair + 9) - 1) // 2
    return (TWO[op], *(tree_of(operand, height - 1) for operand in (high, pair + 1 - high * (high + 1) // 2)))


def edits(tree: Tree) -> Iterator[Tree]:
    """Another operation in one place; an operation more or less, whose other operand is x. Not all are members."""
    name, *operands = tree
    yield from ((op, *operands) for op in (*ONE, *TWO) if operands and (op in TWO) == (name in TWO))
    if operands and operands[1:] in ([], [X]):
        yield operands[0]
    yield from ((op, tree, X) if op in TWO else (op, tree) for op in (*ONE, *TWO))
    for place, operand in enumerate(operands):
        yield from ((name, *operands[:place], other, *operands[place + 1 :]) for other in edits(operand))


class FunctionSpace(svge.AbstractSearchSpace):
    """Activation functions."""

    name = "functions"
    title = "Activation functions"
    operations = (*ONE, *TWO)
    max_nodes = 2 + 7
    size = count(DEEPEST)[0] - 1  # all but x itself
    # a gene for each of seven places, the root first: x (not at the root) or an operation, the last four of one operand
    gene_choices = (len(operations), *[1 + len(operations)] * 2, *[1 + len(ONE)] * 4)
    equivalence = "Two functions are equal if their expressions are, whichever operand is written first."
    notation_in_words = "an expression such as mul(sigmoid(x), x)"

    def tree(self, cell: svge.Cell) -> Tree:
        """The expression of a cell, as it is written there."""
        self._validate_nodes(cell, "nodes", fewest=3)
        last = cell.num_nodes - 1
        for node, op in enumerate(cell.ops):
            reads, uses = len(cell.sources[node]), len(cell.targets[node])
            if node and (reads != 1 + (op in TWO) or uses != (node < last)):
                raise svge.InvalidCellError(
                    f"Node {node} ({op}) reads {reads} nodes and feeds {uses}: expected others."
                )

        def at(node: int) -> Tree:
            return (cell.ops[node], *map(at, cell.sources[node])) if node else X

        return at(cell.sources[last][0])

    def validate(self, cell: svge.Cell) -> None:
        number_of(self.tree(cell))

    def canonical(self, cell: svge.Cell) -> svge.Cell:
        return self.from_index(self.index(cell))

    def key(self, cell: svge.Cell) -> str:
        return self.format(cell)

    def index(self, cell: svge.Cell) -> int:
        return number_of(self.tree(cell)) - 1

    def from_index(self, index: int) -> svge.Cell:
        if not 0 <= index < self.size:
            raise svge.ParseError(f"A function has an index from 0 to {self.size - 1}; got {index}.")
        ops, edges = ["input"], []

        def place(tree: Tree) -> int:
            if tree == X:
                return 0
            reads = [place(operand) for operand in tree[1:]]
            ops.append(tree[0])
            edges.extend((node, len(ops) - 1) for node in reads)
            return len(ops) - 1

        edges.append((place(tree_of(index + 1)), len(ops)))
        return svge.Cell((*ops, "output"), tuple(edges))

    def enumerate(self) -> Iterator[svge.Cell]:
        raise svge.SvgeError(f"{self.title} is not enumerated: it has {self.size:,} cells, too many to list.")

    def genotype(self, cell: svge.Cell) -> tuple[int, ...]:
        genes, waiting = [], [tree_of(self.index(cell) + 1)]
        for place in range(len(self.gene_choices)):
            name, *operands = waiting.pop(0)
            genes.append(0 if name == "x" else self.operations.index(name) + (place > 0))
            waiting += [*operands, X, X][:2]
        return tuple(genes)

    def from_genotype(self, genotype: tuple[int, ...]) -> svge.Cell:
        choices = self.gene_choices
        if len(genotype) != len(choices) or not all(0 <= g < n for g, n in zip(genotype, choices, strict=True)):
            raise svge.InvalidCellError(f"A function has seven genes below {choices}; got {str(genotype)[:80]}.")

        def at(place: int) -> Tree:  # what stands below x, or second below an operation of one operand, says nothing
            if place >= len(genotype) or (place and not genotype[place]):
                return X
            name = self.operations[genotype[place] - (place > 0)]
            return (name, *map(at, range(2 * place + 1, 2 * place + 2 + (name in TWO))))

        return self.from_index(number_of(at(0)) - 1)

    # Notation: the expression, as Python would write it.
    def format(self, cell: svge.Cell) -> str:
        def written(tree: Tree) -> str:
            return "x" if tree == X else f"{tree[0]}({', '.join(map(written, tree[1:]))})"

        return written(tree_of(self.index(cell) + 1))

    def parse(self, text: str) -> svge.Cell:
        def read(node: Any) -> Tree:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
                if len(node.args) == {**dict.fromkeys(ONE, 1), **dict.fromkeys(TWO, 2)}.get(node.func.id):
                    return (node.func.id, *map(read, node.args))
            elif isinstance(node, ast.Name) and node.id == "x":
                return X
            raise ValueError

        try:
            return self.from_index(number_of(read(ast.parse(text.strip()[:200], mode="eval").body)) - 1)
        except (SyntaxError, ValueError, svge.ParseError):
            raise svge.ParseError(f"Expected a function such as mul(sigmoid(x), x); got {text[:40]!r}.") from None

    def random_cell(self, rng: np.random.Generator) -> svge.Cell:
        """Uniform, so most have as many operations as they can."""
        return self.from_index(int(rng.integers(self.size)))

    def neighbours(self, cell: svge.Cell) -> list[svge.Cell]:
        numbers = {0, self.index(cell) + 1}
        found = []
        for tree in edits(tree_of(self.index(cell) + 1)):
            try:
                number = number_of(tree)
            except svge.InvalidCellError:
                continue
            if number not in numbers:
                numbers.add(number)
                found.append(self.from_index(number - 1))
        return found

    # A cell may end at any node. How many nodes an operation reads, masks cannot say: a decoding may be no member.
    def decoding_rules(self) -> DecodingRules:
        node_types = np.zeros((self.max_nodes, len(self.vocabulary)), dtype=bool)
        node_types[0, self.vocabulary.index("input")] = node_types[2:, self.vocabulary.index("output")] = True
        node_types[1:-1, 2:] = True
        edges = np.triu(np.full((self.max_nodes, self.max_nodes), -1, dtype=np.int8), 1)
        edges[0, 1] = 1
        return DecodingRules(node_types, edges, any_size=True, max_edges=11)

    # There is neither `cost` nor `network`: a function has no weights. But it can be computed.
    def values(self, cell: svge.Cell, x: torch.Tensor) -> torch.Tensor:
        """The function of every number of a tensor."""

        def at(tree: Tree) -> torch.Tensor:
            return x if tree == X else getattr(torch, tree[0])(*map(at, tree[1:]))

        return at(self.tree(cell))


class TestFunctionSpace(SearchSpaceContract):
    space = FunctionSpace()
    rules_are_exact = False
    edit_is_one_gene = False


space = svge.register_space(FunctionSpace())

if __name__ == "__main__":
    # local search in the space, by Optuna: which function comes closest to GELU? An objective of yours would train
    # a network with the function in it and return its validation accuracy.
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    x = torch.linspace(-4, 4, 201)

    def distance(trial: optuna.Trial) -> float:
        off = space.values(svge.suggest_cell(trial, space), x) - torch.nn.functional.gelu(x)
        return float(off.nan_to_num(1e3).abs().max().clamp(max=1e3))  # where a function overflows, far off

    study = optuna.create_study(sampler=svge.cell_sampler("local-search", space, seed=1))
    study.optimize(distance, n_trials=150)
    print(f"within {study.best_value:.3f} of GELU: {space.format(svge.suggest_cell(study.best_trial, space))}")
    assert study.best_value < 1
