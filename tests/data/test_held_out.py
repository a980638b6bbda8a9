"""What is held out: a share of the cells by a hash of their numbers."""

import numpy as np

from svge_core.data.held_out import held_out_mask


def test_a_tenth_of_the_indices_is_held_out_and_the_seed_decides_which() -> None:
    indices = np.arange(50_000) * 30_011
    one, other = held_out_mask(indices, 0.1, 1), held_out_mask(indices, 0.1, 2)
    for mask in (one, other):
        assert abs(mask.mean() - 0.1) < 4 * (0.09 / len(indices)) ** 0.5
    assert abs((one & other).mean() - 0.01) < 4 * (0.0099 / len(indices)) ** 0.5, "the two are independent"
    assert not held_out_mask(indices, 0.0, 1).any()
