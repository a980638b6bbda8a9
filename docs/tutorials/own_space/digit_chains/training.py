"""Real training as an objective: the network of a chain learns scikit-learn's digits."""

import sys
from functools import cache

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor
from torch.nn.functional import cross_entropy

import svge_core as svge
from svge_core.devices import pick_device

EPOCHS, BATCH, TRAINED, VALIDATED = 3, 50, 1000, 400


@cache
def digits() -> tuple[Tensor, Tensor]:
    """Images (1797, 1, 8, 8) from 0 to 1 and classes (1797), in one random order, on the GPU where there is one."""
    data, order = load_digits(), np.random.default_rng(0).permutation(1797)
    images = torch.from_numpy(data.images[order].astype(np.float32) / 16).unsqueeze(1)
    device = pick_device("auto")
    return images.to(device), torch.from_numpy(data.target[order].astype(np.int64)).to(device)


def train_and_score(cell: svge.Cell) -> float:
    """Validation accuracy in percent after three epochs on 1,000 images, seed 0; 397 further images stay for a test."""
    images, classes = digits()
    chance = torch.Generator().manual_seed(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = svge.build_network("digit_chains", cell).to(images.device)
    optimiser = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.02, total_steps=EPOCHS * TRAINED // BATCH)
    for _ in range(EPOCHS):
        for rows in torch.randperm(TRAINED, generator=chance).to(images.device).split(BATCH):
            optimiser.zero_grad()
            cross_entropy(network(images[rows]), classes[rows]).backward()
            optimiser.step()
            schedule.step()
    validated = slice(TRAINED, TRAINED + VALIDATED)
    with torch.inference_mode():
        right = network.eval()(images[validated]).argmax(1) == classes[validated]
    return 100 * int(right.sum()) / VALIDATED


# Labels of your own: "python -m digit_chains.training 40 > labels.csv" trains so many random chains.
if __name__ == "__main__":
    space = svge.get_space("digit_chains")
    chosen = np.random.default_rng(1).permutation(space.size)[: int(sys.argv[1])]
    print("arch_str,accuracy")
    for index in chosen:
        cell = space.from_index(int(index))
        print(f"{space.format(cell)},{train_and_score(cell)}", flush=True)
