"""The commands by the file that says what they take, one line each: all that ``svge --help`` needs."""

COMMANDS: dict[str, dict[str, str]] = {
    "checkpoints": {
        "train": "Train a model; resumes by itself after a kill.",
        "evaluate": "Reconstruction, validity, uniqueness and novelty of a checkpoint.",
        "atlas": "Encode the space, or a sample of it, and lay out its 2-D maps.",
        "fit": "Fit the predictors of one score on a random set of labels.",
        "card": "Write the model card of a checkpoint from its meta data.",
    },
    "extrapolate": {
        "extrapolate": "Fit on small cells, predict larger ones, and rank cells outside the known space "
        "(NAS-Bench-101 and ENAS).",
    },
    "quality": {
        "quality": "Measure how far the latent can be trusted: edits, neighbours, cycles, certainty, collisions, maps.",
    },
    "search": {
        "search": "Search a space for the best architectures; every evaluation is stored at once.",
        "worker": "Evaluate for a search that is in a store others use too.",
    },
    "sweep": {
        "sweep": "Predict every cell of a space too large for a list; keep the best and a random sample.",
    },
    "cells": {
        "encode": "Architectures to latents (posterior mean and deviation).",
        "decode": "Latents, map positions or prior samples to architectures.",
        "predict": "Predicted scores with intervals, beside measured ones.",
        "find": "The cells that a question in words means, such as 'best 3 by accuracy, no pool'.",
        "compare": "Two to four architectures side by side: scores, edits, latent distances; as a page, too.",
    },
    "train_cell": {
        "train-cell": "Train one architecture's network on images; resumes by itself after a kill.",
    },
    "files": {
        "draw": "Draw architectures as SVG, PNG or Graphviz source.",
        "export": "Write architectures with all that is known about them.",
        "labels": "Read your own CSV of scores, say what was found, write it tidily.",
    },
    "figure": {
        "figure": "Draw a figure for a paper: map, path, race, front, comparison or cell, as PDF, SVG or PNG.",
    },
    "networks": {
        "measure": "Time the networks of architectures on this machine, and estimate those of all others.",
    },
    "data": {
        "data": "Import official benchmark files; list and remove what was imported.",
    },
    "bench": {
        "bench": "Run a benchmark; without a name, list them.",
    },
}

SUMMARIES: dict[str, str] = {name: line for group in COMMANDS.values() for name, line in group.items()}
