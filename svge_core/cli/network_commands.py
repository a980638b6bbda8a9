"""Commands about the network of a cell: its files, and how fast it is here."""

import argparse
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from svge_core.cells import Cell
from svge_core.cli.cell_parts import CellRow, csv_bytes, name_cell, title
from svge_core.cli.common import emit
from svge_core.cli.reading import read_cells
from svge_core.data import ScoreMeaning
from svge_core.errors import SvgeError
from svge_core.exporting import ExportItem, write_atomic
from svge_core.files import read_tensors
from svge_core.networks import network_sizes
from svge_core.spaces import AbstractSearchSpace, get_space

if TYPE_CHECKING:
    from svge_core.network_export import Latency, LatencyProtocol

#: suffixes of files that hold a network; a name without one is a folder of them
NETWORK_FILES = (".py", ".safetensors", ".pt2", ".onnx")
#: of ``export``, for networks alone
NETWORK_OPTIONS = ("network", "side", "weights", "forms")


def export_network_files(arguments: argparse.Namespace, space: AbstractSearchSpace, items: list[ExportItem]) -> int:
    """The network of one architecture as a file or a folder."""
    from svge_core.network_export import export_network

    if len(items) != 1:
        raise SvgeError(f"A network is that of one architecture; got {len(items)}. Export them one by one.")
    if arguments.weights is not None and arguments.out.suffix.lower() == ".py" and not arguments.out.is_dir():
        raise SvgeError(
            f"{arguments.out.name} is code and holds no weights: leave --weights away, or name a folder for both."
        )
    advice = "Give a file that train or a network's export wrote."
    weights = None if arguments.weights is None else read_tensors(arguments.weights, advice)[1]
    sizes = dict(arguments.network or ())
    written = export_network(
        space, items[0], arguments.out, forms=arguments.forms, weights=weights, side=arguments.side, **sizes
    )
    lines = [f"wrote {path}{_agreement(difference)}" for path, difference in written.items()]
    if weights is None and any(path.suffix != ".py" for path in written):
        lines.append("The weights are random: nobody trained them. Trained ones go in with --weights FILE.safetensors.")
    files = {str(path): difference for path, difference in written.items()}
    document = {"files": files, "trained": weights is not None}
    emit(arguments, document, "\n".join(lines))
    return 0


def _agreement(difference: float | None) -> str:
    if difference is None:
        return ""
    return f"; its outputs differ from the network's by at most {difference:.1e} of the largest"


def measure_command(arguments: argparse.Namespace) -> int:
    """Latencies of the networks of architectures, and of all others by what they consist of."""
    from svge_core.network_export import ENGINES, LatencyProtocol, measure_latency, require_enough_cells

    space = get_space(arguments.space)
    given = read_cells(arguments, space)
    if arguments.estimate is not None:
        if not space.enumerated:
            raise SvgeError(f"The cells of {space.title} cannot be listed, so not all can be estimated.")
        require_enough_cells(given.cells)
    protocol = LatencyProtocol(
        tuple(arguments.engine or ENGINES),
        tuple(dict.fromkeys(arguments.batch)),
        arguments.threads,
        arguments.runs,
        arguments.warm_up,
    )
    sizes = dict(arguments.network or ())
    told = {name: value for name, value in sizes.items() if value != network_sizes(space).get(name)}
    told |= {"side": arguments.side} if arguments.side else {}
    found = [
        measure_latency(space, cell, protocol, side=arguments.side, **sizes)
        for cell in tqdm(given.cells, "measured", unit="cell", disable=given.single or arguments.json)
    ]
    if arguments.out is not None:
        both = zip(given.cells, found, strict=True)
        rows = [{**name_cell(space, cell), **_columns(these, protocol, told)} for cell, these in both]
        write_atomic(arguments.out, csv_bytes(rows))
    estimates: list[dict[str, Any]] = []
    if arguments.estimate is not None:
        estimates = _estimated(arguments, space, given.cells, found, protocol, told)
    lines, cells = [], []
    for cell, these in zip(given.cells, found, strict=True):
        name = name_cell(space, cell)
        cells.append({**name, "latencies": [{"key": latency.key, **vars(latency)} for latency in these]})
        lines.append(title(name))
        lines += [
            f"  {_meaning(latency, protocol, told).title}: {latency.median_ms:.3g} ms "
            f"({latency.low_ms:.3g} to {latency.high_ms:.3g} between the quartiles of {protocol.runs} runs)"
            for latency in these
        ]
    document = {
        "cells": cells,
        "meanings": {latency.key: _meaning(latency, protocol, told).to_dict() for latency in found[0]},
        "estimates": estimates,
        "files": [str(path) for path in (arguments.out, arguments.estimate) if path is not None],
    }
    lines += map(_error_in_words, estimates)
    lines += [f"wrote {path}" for path in document["files"]]
    emit(arguments, document, "\n".join(lines))
    return 0


def _error_in_words(estimate: dict[str, Any]) -> str:
    begins = f"{estimate['key']}: estimated for all cells from {estimate['cells']} measured ones"
    if estimate["median_error"] is None:
        return f"{begins}; too few to say how well (10 are needed)"
    error, correlation = 100 * estimate["median_error"], estimate["rank_correlation"]
    return f"{begins}; median error of cells left out {error:.1f} %, rank correlation {correlation:.3f}"


def _meaning(latency: "Latency", protocol: "LatencyProtocol", sizes: Mapping[str, int]) -> ScoreMeaning:
    from svge_core.network_export import latency_meaning

    return latency_meaning(latency, protocol, sizes)


def _columns(latencies: "tuple[Latency, ...]", protocol: "LatencyProtocol", sizes: Mapping[str, int]) -> CellRow:
    """Medians under the title that a column has; the quartiles as text, so that nobody takes them for scores."""
    row: CellRow = {}
    for latency in latencies:
        column = f"{_meaning(latency, protocol, sizes).title} (ms)"
        row[column] = f"{latency.median_ms:.6g}"
        row[f"{column}, quartiles"] = f"{latency.low_ms:.4g} to {latency.high_ms:.4g}"
    return row


def _estimated(
    arguments: argparse.Namespace,
    space: AbstractSearchSpace,
    cells: list[Cell],
    found: "list[tuple[Latency, ...]]",
    protocol: "LatencyProtocol",
    sizes: Mapping[str, int],
) -> list[dict[str, Any]]:
    """Write the estimates of all cells; the error of each column."""
    from svge_core.network_export import fit_latency

    every = list(space.enumerate())
    columns, errors = {}, []
    for place, latency in enumerate(found[0]):
        fitted = fit_latency(space, cells, [these[place].median_ms for these in found])
        columns[f"Estimated {_meaning(latency, protocol, sizes).title} (ms)"] = fitted.of(space, every)
        errors.append(
            {
                "key": latency.key,
                "cells": fitted.cells,
                # JSON has no word for what is not known of so few cells
                "median_error": None if math.isnan(fitted.error) else fitted.error,
                "rank_correlation": None if math.isnan(fitted.rank_correlation) else fitted.rank_correlation,
            }
        )
    rows = [
        {**name_cell(space, cell), **{name: f"{values[row]:.6g}" for name, values in columns.items()}}
        for row, cell in enumerate(every)
    ]
    write_atomic(arguments.estimate, csv_bytes(rows))
    return errors
