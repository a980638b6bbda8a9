"""Cells that are drawn anew in every epoch: seeded, canonical, and never one that is held out."""

import numpy as np
import torch

from svge_core.data.held_out import cell_numbers, held_out_mask
from svge_core.spaces.registry import get_space
from svge_core.tensors import to_cells
from svge_core.training.config import TrainConfig
from svge_core.training.drawn import DrawnCells, draw_indices


def test_cells_of_a_space_too_large_to_list_are_drawn_anew_and_never_held_out() -> None:
    space, config = get_space("enas6"), TrainConfig(epochs=3, cells_per_epoch=500, batch_size=100, seed=4)
    drawn = DrawnCells(space, config)
    first, again, second = drawn.epoch(0), drawn.epoch(0), drawn.epoch(1)
    assert (first.types == again.types).all()
    assert (first.adjacency == again.adjacency).all()
    assert not (first.types == second.types).all()
    indices = np.array([space.index(cell) for cell in to_cells(space, first)])
    assert not held_out_mask(indices, config.held_out, config.seed).any()
    unseen = draw_indices(space, 300, config, (2,), held_out=True)
    assert held_out_mask(unseen, config.held_out, config.seed).all()


def test_cells_without_an_index_are_drawn_anew_and_held_out_by_their_keys() -> None:
    space, config = get_space("randwire"), TrainConfig(epochs=3, cells_per_epoch=40, batch_size=16, seed=4)
    drawn = DrawnCells(space, config)
    first, second = drawn.epoch(0), drawn.epoch(1)
    assert torch.equal(first.adjacency, drawn.epoch(0).adjacency)
    assert torch.equal(first.adjacency, drawn.first.adjacency)
    assert not (first.adjacency == second.adjacency).all()
    cells = to_cells(space, first)
    assert all(cell == space.canonical(cell) for cell in cells)
    assert not held_out_mask(cell_numbers(space, cells), config.held_out, config.seed).any()


def test_nothing_is_drawn_where_nothing_is_held_out() -> None:
    config = TrainConfig(held_out=0.0)
    assert len(draw_indices(get_space("enas6"), 10, config, (1,), held_out=True)) == 0
    assert len(draw_indices(get_space("enas6"), 10, config, (1,), held_out=False)) == 10
