"""Sweeps: every cell of a space too large for a list is predicted, and the best and a random sample of them are kept.

Memory does not grow with the space. On one machine blocks are made one after another; on a cluster each is a Ray task,
which Ray repeats where it was lost. What is known is written down every half minute, and a sweep that was stopped goes
on from there, on one machine or on another cluster.
"""

import json
import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from svge_core.atlas import load_atlas
from svge_core.cluster.connection import load_ray, machines, readable_failures
from svge_core.cluster.evaluations import SIZE_SECONDS, Needs, Surroundings
from svge_core.cluster.sweep_blocks import BlockPredictor, BlockResult, SweepConfig, block_order
from svge_core.cluster.sweep_state import SweepState
from svge_core.data import count_of
from svge_core.errors import CheckpointError, DataError, SvgeError
from svge_core.files import write_atomically
from svge_core.models import encode_all
from svge_core.tensors import to_batch

#: seconds between two times that what is known is written
SAVE_SECONDS = 30.0
#: times that Ray repeats a block whose machine or process was lost
RETRIES = 3
#: makes blocks, in any order
MakeBlocks = Callable[[BlockPredictor, Iterable[int]], Generator[BlockResult, None, None]]


@dataclass(frozen=True)
class SweepResult:
    """What a sweep has found.

    Attributes:
        space, score: what was predicted where.
        size: cells of the space.
        cells: how many of them were predicted.
        summary: mean, standard deviation, smallest and largest predicted value of these.
        table: the best cells, the best first, then the sample by index. Columns: ``kept`` (``best`` or ``sample``),
            ``index``, ``architecture``, ``ranked_by`` (the value that the sweep went by), ``mean``, ``low``, ``high``
            (the surrogate), ``joint`` (the model's joint head), and ``pca_x``, ``pca_y`` on the map of the checkpoint.
    """

    space: str
    score: str
    size: int
    cells: int
    summary: dict[str, float]
    table: pd.DataFrame


def sweep_space(
    config: SweepConfig,
    progress: Path,
    make_blocks: MakeBlocks | None = None,
    *,
    device: str = "auto",
    fresh: bool = False,
    on_block: Callable[[int, int], None] | None = None,
) -> SweepResult:
    """Predict all cells of a space, or as many as the limit says.

    Args:
        config: what to do.
        progress: file of what is known so far; if it is there, the sweep goes on from it.
        make_blocks: where blocks are made; None for here, one after another.
        device: for the model, here.
        fresh: begin anew whatever lies at ``progress``.
        on_block: called after every block with the cells that are done and that are wanted.

    Raises:
        SvgeError: if the model or a predictor is missing, ``progress`` is of another sweep or has gone beyond
            the limit, or the cluster fails.
        OSError: if ``progress`` cannot be written.
    """
    predictor = BlockPredictor(config, device=device)
    state = SweepState(predictor)
    if progress.exists() and not fresh:
        state.read(progress)
    order = block_order(predictor.blocks, config)
    wanted = int(state.sizes[order].sum())
    if int(state.done.sum()) > int(state.done[order].sum()):
        raise DataError(
            f"{progress} holds {count_of(state.cells, 'predicted cell')}, beyond the {wanted:,} of this limit, in "
            "whole blocks: take a larger limit or none, give another output file, or begin anew.",
            settings=("limit", "fresh"),
        )
    left = [int(number) for number in order if not state.done[number]]
    saved = time.monotonic()
    if on_block is not None:
        on_block(state.cells, wanted)
    try:
        with closing((make_blocks or blocks_here)(predictor, left)) as blocks:
            for block in blocks:
                state.add(block)
                if on_block is not None:
                    on_block(state.cells, wanted)
                if time.monotonic() - saved > SAVE_SECONDS:
                    state.write(progress)
                    saved = time.monotonic()
    finally:  # however it ends
        state.write(progress)
    return _result(predictor, state)


def blocks_here(predictor: BlockPredictor, numbers: Iterable[int]) -> Generator[BlockResult, None, None]:
    """Blocks made in this process, one after another."""
    for number in numbers:
        yield predictor(number)


def blocks_on_ray(
    needs: Needs | None = None, most: int | None = None, first: Callable[[], object] | None = None
) -> MakeBlocks:
    """Blocks made on the cluster that this process is connected to.

    Args:
        needs: of one block; None for one processor. With a graphics card the model runs on it.
        most: blocks at a time; None for as many as the cluster has room for, whenever it is looked at.
        first: called in every process before the model is opened.
    """
    wanted = needs or Needs()

    def made(predictor: BlockPredictor, numbers: Iterable[int]) -> Generator[BlockResult, None, None]:
        ray = load_ray()
        options = {"num_cpus": wanted.cpus, "num_gpus": wanted.gpus, "max_retries": RETRIES}
        task = ray.remote(**options, scheduling_strategy="SPREAD")(_make)
        device = "auto" if wanted.gpus else "cpu"
        with _readable(ray):
            given = (predictor.config, predictor.predictors.digest, device, Surroundings.here(first))
            recipe, key = [ray.put(given)], os.urandom(8).hex()
        yield from _streamed(ray, wanted, most, lambda number: task.remote(key, recipe, number), iter(numbers))

    return made


def _streamed(
    ray: Any, needs: Needs, most: int | None, begin: Callable[[int], Any], numbers: Iterator[int]
) -> Generator[BlockResult, None, None]:
    """Blocks as they come; without a limit two are sent for every place, so that no place waits for this process."""
    flying: list[Any] = []
    places, looked = 0, -SIZE_SECONDS
    try:
        while True:
            with _readable(ray):
                if most is None and time.monotonic() - looked > SIZE_SECONDS:
                    places, looked = sum(map(needs.places, machines(ray))), time.monotonic()
                while len(flying) < (2 * places if most is None else most):
                    if (number := next(numbers, None)) is None:
                        break
                    flying.append(begin(number))
                if not flying and (most is not None or places > 0):
                    return
                if not flying:
                    raise SvgeError(
                        f"No machine of the cluster has the {needs.in_words()} that one block needs.",
                        settings=("cpus_per_block", "gpus_per_block", "parallel"),
                    )
                ready, flying = ray.wait(flying, num_returns=1, timeout=SIZE_SECONDS)
                found: list[BlockResult | str] = ray.get(ready)
            for block in found:
                if isinstance(block, str):
                    raise SvgeError(f"A block cannot be made on a machine of the cluster: {block}")
                yield block
    finally:
        for reference in flying:
            with suppress(Exception):  # the cluster may be gone
                ray.cancel(reference, force=True)


def _readable(ray: Any) -> AbstractContextManager[None]:
    return readable_failures(ray, "What is known is stored: begin the sweep again, and it goes on.")


#: the predictor of this process, by the key of its sweep
_opened: dict[str, BlockPredictor] = {}


def _make(key: str, recipe: Sequence[Any], number: int) -> BlockResult | str:
    """A block, in a worker process of Ray; one line if it cannot be made."""
    try:
        if key not in _opened:
            config, digest, device, surroundings = load_ray().get(recipe[0])
            _opened.clear()
            surroundings.enter()
            _opened[key] = BlockPredictor(config, digest, device)
        return _opened[key](number)
    except SvgeError as error:
        return " ".join(str(error).split())[:500]


def _result(predictor: BlockPredictor, state: SweepState) -> SweepResult:
    """The kept cells with everything that is predicted of them, and their place on the map."""
    order = np.argsort(state.sample_indices)
    kept = {
        "best": (state.indices, state.values),
        "sample": (state.sample_indices[order], state.sample_values[order]),
    }
    frames = [_described(predictor, name, indices, values) for name, (indices, values) in kept.items()]
    table = pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True)
    summary = state.summary()
    return SweepResult(predictor.space.name, predictor.score, predictor.size, state.cells, summary, table)


def _described(predictor: BlockPredictor, kept: str, indices: np.ndarray, values: np.ndarray) -> pd.DataFrame:
    space, model = predictor.space, predictor.predictors.checkpoint.model
    cells = [space.canonical(space.from_index(int(index))) for index in indices]
    prediction = predictor.predictors.predict(predictor.score, cells)
    columns: dict[str, Any] = {
        "kept": kept,
        "index": indices,
        "architecture": [space.format(cell) for cell in cells],
        "ranked_by": values,
        "mean": prediction.mean,
        "low": prediction.low,
        "high": prediction.high,
        "joint": prediction.joint,
    }
    with suppress(CheckpointError):  # without a map there is no place on it
        plane = load_atlas(predictor.predictors.checkpoint, space).planes.get("pca")
        if plane is not None and cells:
            latents = encode_all(model, to_batch(space, cells))[0].numpy()
            columns["pca_x"], columns["pca_y"] = ((latents - plane.mean) @ plane.components.T).T
    return pd.DataFrame(columns)


def write_sweep(result: SweepResult, path: Path) -> None:
    """Write the kept cells: ``.csv``, ``.parquet`` or ``.json`` (with the summary), whole or not at all.

    Raises:
        SvgeError: if the file has another ending.
        OSError: if it cannot be written.
    """
    if path.suffix not in SUFFIXES:
        raise SvgeError(f"A sweep is written as {', '.join(SUFFIXES)}; got {path.name[:80]!r}.")
    write_atomically(path, SUFFIXES[path.suffix](result))


def _json(result: SweepResult) -> bytes:
    about = {"space": result.space, "score": result.score, "size": result.size, "cells": result.cells}
    rows = result.table.to_dict("records")
    return (json.dumps({**about, "summary": result.summary, "kept": rows}, indent=1, allow_nan=False) + "\n").encode()


#: what a file of a sweep ends with, and what is in it then
SUFFIXES: dict[str, Callable[[SweepResult], bytes]] = {
    ".csv": lambda result: result.table.to_csv(index=False).encode(),
    ".json": _json,
    ".parquet": lambda result: result.table.to_parquet(index=False),
}
