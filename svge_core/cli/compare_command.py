"""``compare``: two to four architectures side by side."""

import argparse
import json

from svge_core.cli.common import emit, refuse_unused
from svge_core.cli.own_parts import opened
from svge_core.cli.reading import named_cells
from svge_core.comparison import compare_cells, comparison_to_json, comparison_to_text, save_comparison


def run(arguments: argparse.Namespace) -> int:
    """Print the comparison, or write it to a file."""
    if arguments.out is None or arguments.out.suffix.lower() != ".pdf":
        refuse_unused(arguments, ("theme",), "Only a .pdf file is drawn on a ground")
    explorer = opened(arguments)
    compared = compare_cells(explorer, named_cells(explorer.space, arguments.cells))
    if arguments.out is None:
        # JSON for machines is the document of the file, on one line
        document = json.loads(comparison_to_json(explorer, compared)) if arguments.json else None
        emit(arguments, document, comparison_to_text(compared))
        return 0
    files = [str(path) for path in save_comparison(explorer, compared, arguments.out, arguments.theme or "light")]
    emit(arguments, {"files": files, "count": len(compared.cells)}, f"wrote {' and '.join(files)}")
    return 0
