"""Encode and decode: from architectures to latents and back, with predicted scores."""

import tempfile
from pathlib import Path

import numpy as np

import svge_core as svge

# A space reads architectures in the notation of its authors, and knows them by their official index.
space = svge.get_space("nasbench201")
first = space.parse("|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|")
second = space.from_index(12345)
print(space.format(second))

# A checkpoint turns cells into latents: the mean of the posterior of each cell, float32.
model = svge.load_checkpoint("checkpoints/nasbench201/svge")
z = model.encode([first, second])
assert z.shape == (2, 32) and z.dtype == np.float32

# Decoded with the constraints of the space, every latent gives a member. These two cells come back.
assert model.decode(z, constrained=True, seed=0) == [first, second]

# Between two cells lie other cells. Decoded without constraints, some may be no members: `space.is_valid` tells.
steps = np.linspace(0, 1, 9, dtype=np.float32)[:, None]
line = (1 - steps) * z[0] + steps * z[1]
raw = model.decode(line, constrained=False, seed=0)
print(f"{sum(map(space.is_valid, raw))} of {len(raw)} raw decodings are members")
between = model.decode(line, constrained=True, seed=0)
for cell in dict.fromkeys(between):
    print(space.format(cell))

# A predicted score has an interval. It was fitted on 781 labels; its coverage is in the model card.
predicted = model.predict(between, "cifar10_valid")
for found in map(predicted.row, range(len(predicted))):
    print(f"{found.mean:.2f} ({found.low:.2f} to {found.high:.2f})")

# Measured values have their meaning with them: data set, split, epochs, seeds.
scores = svge.load_scores(space)
print(scores.meaning("cifar10_valid").describe())

# Take the cells away: a drawing, a JSON file, a PyTorch network.
drawing = svge.draw(first, space)
assert drawing.startswith("<svg") or "<svg" in drawing
network = svge.build_network(space, first)
print(f"{sum(weight.numel() for weight in network.parameters()):,} parameters")
with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "cells.json"
    svge.export(between, file)
    print(f"{file.stat().st_size:,} bytes")
