"""Commands about the network of a cell: its files, and how fast it is here."""

import argparse

from svge_core.cli.common import emit
from svge_core.errors import SvgeError
from svge_core.exporting import ExportItem
from svge_core.files import read_tensors
from svge_core.spaces import AbstractSearchSpace

#: suffixes of files that hold a network; a name without one is a folder of them
NETWORK_FILES = (".py", ".safetensors", ".pt2", ".onnx")
#: of ``export``, for networks alone
NETWORK_OPTIONS = ("network", "side", "weights", "forms")


def export_network_files(arguments: argparse.Namespace, space: AbstractSearchSpace, items: list[ExportItem]) -> int:
    """The network of one architecture as a file or a folder."""
    from svge_core.network_export import export_network

    if len(items) != 1:
        raise SvgeError(f"A network is that of one architecture; got {len(items)}. Export them one by one.")
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
