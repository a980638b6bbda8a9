"""The dense layers and the encoder against torch-geometric and torch's own layers with the same weights."""

import pytest
import torch
from torch import Tensor, nn

from svge_core.cells.cell import Cell
from svge_core.models.encoder import Encoder
from svge_core.models.layers import GatedSum, MessagePassing, Propagate, both_directions, propagate
from svge_core.spaces.base import AbstractSearchSpace
from svge_core.spaces.registry import get_space
from svge_core.tensors import CellBatch, to_cells
from tests.support.core import TINY, in_double, narrowed, tiny_batch, tiny_model
from tests.support.oracles.svge import gated_sum, gru_cell, message_layer

pyg_nn = pytest.importorskip("torch_geometric.nn")


class PyGRound(pyg_nn.MessagePassing):
    """One direction of a round as anyone would write it in torch-geometric."""

    def __init__(self, message: nn.Linear, update: nn.GRUCell, flow: str) -> None:
        super().__init__(aggr="sum", flow=flow)
        self.send, self.gru = message, update

    def forward(self, states: Tensor, edge_index: Tensor) -> Tensor:
        return self.gru(self.propagate(edge_index, states=states), states)

    def message(self, states_i: Tensor, states_j: Tensor) -> Tensor:
        return self.send(torch.cat([states_j, states_i], dim=1))


def pyg_rounds(layer: MessagePassing) -> list[PyGRound]:
    flows = ("source_to_target", "target_to_source")
    return [PyGRound(message_layer(layer, d), gru_cell(layer, d), flow) for d, flow in enumerate(flows)]


def sparse(cells: list[Cell]) -> tuple[Tensor, Tensor]:
    """Edge index over all nodes of all cells, and the cell of every node."""
    pairs, owner, start = [], [], 0
    for number, cell in enumerate(cells):
        pairs += [(start + u, start + v) for u, v in cell.edges]
        owner += [number] * cell.num_nodes
        start += cell.num_nodes
    return torch.tensor(pairs).t().reshape(2, -1), torch.tensor(owner)


def flat(batch: CellBatch, state: Tensor) -> Tensor:
    """Rows of the real nodes only, as torch-geometric stores them."""
    return state[batch.mask]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_message_passing_is_a_torch_geometric_layer_in_both_directions(seed: int) -> None:
    torch.manual_seed(seed)
    layer = MessagePassing(6).double()
    batch = in_double(tiny_batch(count=17, seed=seed))
    state = torch.randn(2, 17, TINY.max_nodes, 3, dtype=torch.double)
    receives = both_directions(batch.adjacency)
    new = propagate(state, receives, receives.sum(-1, keepdim=True), layer.folded())
    edge_index, _ = sparse(to_cells(TINY, batch))
    for direction, pyg_layer in enumerate(pyg_rounds(layer)):
        expected = pyg_layer(flat(batch, state[direction]), edge_index)
        torch.testing.assert_close(flat(batch, new[direction]), expected)


def test_message_passing_has_the_gradients_of_the_torch_geometric_layer() -> None:
    torch.manual_seed(3)
    layer = MessagePassing(6).double()
    batch = in_double(tiny_batch(count=9))
    state = torch.randn(2, 9, TINY.max_nodes, 3, dtype=torch.double)
    weight = torch.randn(2, 9, TINY.max_nodes, 3, dtype=torch.double) * batch.mask[None, ..., None]
    receives = both_directions(batch.adjacency)
    (propagate(state, receives, receives.sum(-1, keepdim=True), layer.folded()) * weight).sum().backward()
    edge_index, _ = sparse(to_cells(TINY, batch))
    for direction, pyg_layer in enumerate(pyg_rounds(layer)):
        (pyg_layer(flat(batch, state[direction]), edge_index) * flat(batch, weight[direction])).sum().backward()
        for own, theirs in (
            (layer.message, pyg_layer.send.weight),
            (layer.message_bias, pyg_layer.send.bias),
            (layer.input, pyg_layer.gru.weight_ih),
            (layer.input_bias, pyg_layer.gru.bias_ih),
            (layer.recurrent, pyg_layer.gru.weight_hh),
            (layer.recurrent_bias, pyg_layer.gru.bias_hh),
        ):
            assert own.grad is not None
            torch.testing.assert_close(own.grad[direction], theirs.grad)


def test_a_node_without_neighbours_is_updated_by_torchs_gru_cell() -> None:
    torch.manual_seed(4)
    layer = MessagePassing(6).double()
    state, nothing = torch.randn(2, 5, 4, 3, dtype=torch.double), torch.zeros(2, 5, 4, 4, dtype=torch.double)
    new = propagate(state, nothing, nothing.sum(-1, keepdim=True), layer.folded())
    for direction in range(2):
        cell, rows = gru_cell(layer, direction), state[direction].reshape(20, 3)
        torch.testing.assert_close(new[direction].reshape(20, 3), cell(rows.new_zeros(20, 6), rows))


def test_propagation_passes_the_finite_difference_check() -> None:
    torch.manual_seed(5)
    receives = both_directions(in_double(tiny_batch(count=3)).adjacency)
    state = torch.randn(2, 3, TINY.max_nodes, 2, dtype=torch.double, requires_grad=True)
    weight = torch.randn(2, 8, 8, dtype=torch.double, requires_grad=True)
    degree = receives.sum(-1, keepdim=True)
    assert torch.autograd.gradcheck(lambda s, w: Propagate.apply(s, receives, degree, w), (state, weight))


def test_low_precision_products_keep_full_precision_states() -> None:
    torch.manual_seed(5)
    layer, batch = MessagePassing(16), tiny_batch(count=9)
    receives, state = both_directions(batch.adjacency), torch.randn(2, 9, TINY.max_nodes, 8)
    degree = receives.sum(-1, keepdim=True)
    exact = propagate(state, receives, degree, layer.folded())
    with torch.autocast("cpu", torch.bfloat16):
        rough = propagate(state, receives, degree, layer.folded())
    assert rough.dtype == torch.float32
    assert not torch.equal(rough, exact)
    torch.testing.assert_close(rough, exact, rtol=0.05, atol=0.05)


@pytest.mark.parametrize("masked", [True, False])
def test_gated_sum_is_the_formula_node_by_node(masked: bool) -> None:
    torch.manual_seed(6)
    readout = GatedSum(6, 4, readouts=2).double()
    batch = tiny_batch(count=13)
    state = torch.randn(2, 13, TINY.max_nodes, 3, dtype=torch.double)
    found = readout(state, batch.mask.double() if masked else None)
    for row in range(13):
        nodes = int(batch.sizes[row]) if masked else TINY.max_nodes
        joined = [torch.cat([state[0, row, v], state[1, row, v]]) for v in range(nodes)]
        for which in range(2):
            torch.testing.assert_close(found[which, row], gated_sum(readout, which, joined))


def test_gated_sum_is_a_torch_geometric_aggregation() -> None:
    torch.manual_seed(7)
    readout = GatedSum(6, 4, readouts=2).double()
    batch = tiny_batch(count=13)
    state = torch.randn(2, 13, TINY.max_nodes, 3, dtype=torch.double)
    _, owner = sparse(to_cells(TINY, batch))
    rows = flat(batch, torch.cat([state[0], state[1]], dim=-1))
    for which in range(2):
        gates = (rows @ readout.gate[:, :, which].reshape(-1) + readout.gate_bias[which]).sigmoid()
        values = rows @ readout.value[which] + readout.value_bias[which]
        expected = pyg_nn.global_add_pool(gates[:, None] * values, owner)
        torch.testing.assert_close(readout(state, batch.mask.double())[which], expected)


def test_a_single_node_is_read_out_without_its_gate() -> None:
    torch.manual_seed(8)
    readout = GatedSum(6, 4, readouts=2).double()
    state = torch.randn(2, 5, 3, dtype=torch.double)
    joined = torch.cat([state[0], state[1]], dim=1)
    expected = torch.stack([joined @ readout.value[i] + readout.value_bias[i, 0] for i in range(2)])
    torch.testing.assert_close(readout.ungated(state), expected)


def pyg_encoder(encoder: Encoder, table: Tensor, cells: list[Cell], labels: tuple[str, ...]) -> tuple[Tensor, Tensor]:
    """The whole encoder with sparse batches: embeddings, rounds in both directions, two gated sums."""
    edge_index, owner = sparse(cells)
    types = torch.tensor([labels.index(op) for cell in cells for op in cell.ops])
    start = (table @ encoder.embed.weight)[types]
    if encoder.position is not None:
        start = start + encoder.position[torch.cat([torch.arange(cell.num_nodes) for cell in cells])]
    halves = [start, start]
    for layer in encoder.rounds:
        halves = [one(half, edge_index) for one, half in zip(pyg_rounds(layer), halves, strict=True)]  # type: ignore[arg-type]
    joined, readout = torch.cat(halves, dim=1), encoder.readout
    gates = (joined @ readout.gate.reshape(-1, 2) + readout.gate_bias).sigmoid()
    mean, log_var = (
        pyg_nn.global_add_pool(
            gates[:, which : which + 1] * (joined @ readout.value[which] + readout.value_bias[which]), owner
        )
        for which in range(2)
    )
    return mean, log_var


@pytest.mark.parametrize("config", [{}, {"positions": False}, {"encoding": "learned"}, {"rounds": 3}], ids=str)
@pytest.mark.parametrize("space", [TINY, get_space("nasbench201")], ids=lambda space: space.name)
def test_the_encoder_is_its_torch_geometric_twin(space: AbstractSearchSpace, config: dict[str, object]) -> None:
    model = tiny_model(space, 9, **config).double()
    batch = tiny_batch(space, 15, seed=3)
    if space is TINY:
        assert len(set(batch.sizes.tolist())) > 2, "the batch has cells of several sizes"
    mean, log_var = pyg_encoder(model.encoder, model.table, to_cells(space, batch), space.vocabulary)
    for padded in (batch, narrowed(batch)):
        posterior = model.encode(in_double(padded))
        torch.testing.assert_close(posterior.mean, mean)
        torch.testing.assert_close(posterior.log_var, log_var)
