"""Keeps the generated parts of README.md and ``docs/`` true: commands from the code, numbers from what was measured.

``python -m tools.docs.pages`` (or ``make docs``) rewrites them; a test fails when they are out of date.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.docs import cluster
from tools.docs.command_line import commands
from tools.docs.equivalents import equivalents
from tools.docs.function_latent import function_heads, function_ranking, function_search, smooth
from tools.docs.headlines import headlines
from tools.docs.latent import trust
from tools.docs.models import numbers, tradeoff
from tools.docs.networks import network_agreement, network_files
from tools.docs.papers import digits, generative, generator, steps
from tools.docs.prediction import extrapolation, prediction
from tools.docs.published import published
from tools.docs.search import ablation, batches, pairs, restricted, search
from tools.docs.sizes import sizes
from tools.docs.speed import asks, clicks, durability, load, map_brush, tasks, throughput
from tools.docs.training import real_training
from tools.docs.validity import validity

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Block:
    """A generated part of a page, between ``<!-- name:begin ... -->`` and ``<!-- name:end -->``.

    Attributes:
        page: where it stands.
        make: writes it, given the root of the project.
    """

    page: str
    make: Callable[[Path], str]


def app_pages(root: Path) -> str:
    """A table of the app's pages in the order of its navigation, each with what its file says of it and its guide."""
    names = re.findall(r'^    \("(\w+)", "(\w+)"', (root / "app.py").read_text("utf-8"), re.MULTILINE)
    rows = ["| page | shows |", "|---|---|"]
    for name, title in names:
        if (path := root / "pages" / f"{name}.py").is_file():
            words = re.sub(rf"^(The )?{title}( page)?: ", "", first_line(path))
            rows.append(f"| [{title}](docs/guide/{name}.md) | {words[:1].upper()}{words[1:]} |")
    return "\n".join(rows)


def first_line(path: Path) -> str:
    """The first line of a file's docstring, as Markdown."""
    text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    line = text.strip().split("\n\n")[0].replace("\n", " ")
    return line.replace("``", "`").replace("|", "\\|")


def layers(root: Path) -> str:
    """The layers of the code, top first: those of the core from the contract that ``lint-imports`` checks."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    contracts = {contract["id"]: contract for contract in project["tool"]["importlinter"]["contracts"]}
    lines = ["pages", "ui", *(line.replace(" | ", ", ") for line in contracts["spine"]["layers"])]
    return "\n".join(f"    {line}" for line in lines)


BLOCKS: dict[str, Block] = {
    "pages": Block("README.md", app_pages),
    "headlines": Block("README.md", headlines),
    "layers": Block("docs/architecture.md", layers),
    "commands": Block("docs/cli.md", lambda root: commands()),
    "network_agreement": Block("docs/guide/export.md", network_agreement),
    "network_files": Block("docs/guide/export.md", network_files),
    "sizes": Block("docs/concepts/numbers-and-meaning.md", sizes),
    "numbers": Block("docs/results/checkpoints.md", numbers),
    "trust": Block("docs/results/latent-quality.md", trust),
    "tradeoff": Block("docs/results/kl-weight.md", tradeoff),
    "validity": Block("docs/results/validity.md", validity),
    "generative": Block("docs/results/generation.md", generative),
    "prediction": Block("docs/results/prediction.md", prediction),
    "extrapolation": Block("docs/results/extrapolation.md", extrapolation),
    "search": Block("docs/results/search.md", search),
    "pairs": Block("docs/results/search.md", pairs),
    "equivalents": Block("docs/results/search.md", equivalents),
    "batches": Block("docs/results/search.md", batches),
    "ablation": Block("docs/results/ablation.md", ablation),
    "function_search": Block("docs/results/ablation.md", function_search),
    "function_heads": Block("docs/results/ablation.md", function_heads),
    "function_ranking": Block("docs/results/ablation.md", function_ranking),
    "smooth": Block("docs/results/latent-quality.md", smooth),
    "restricted": Block("docs/results/other-spaces.md", restricted),
    "graphpnas": Block("docs/results/graphpnas.md", generator),
    "steps": Block("docs/results/graphpnas.md", steps),
    "digits": Block("docs/results/randwire.md", digits),
    "published": Block("docs/results/published-systems.md", published),
    "real_training": Block("docs/guide/training-cells.md", real_training),
    "throughput": Block("docs/results/speed.md", throughput),
    "durability": Block("docs/results/speed.md", durability),
    "clicks": Block("docs/results/speed.md", clicks),
    "load": Block("docs/results/speed.md", load),
    "brush": Block("docs/results/speed.md", map_brush),
    "tasks": Block("docs/results/speed.md", tasks),
    "asks": Block("docs/results/speed.md", asks),
    "cluster_workers": Block("docs/guide/cluster.md", cluster.workers),
    "cluster_driver": Block("docs/guide/cluster.md", cluster.driver),
    "cluster_node": Block("docs/guide/cluster.md", cluster.lost_node),
    "cluster_sweep": Block("docs/guide/cluster.md", cluster.swept),
}
#: every page that holds a block
PAGES = tuple(dict.fromkeys(block.page for block in BLOCKS.values()))


def fill_blocks(page: str, text: str, root: Path = ROOT) -> str:
    """The text of a page with every block of it made anew."""
    for name, block in BLOCKS.items():
        if block.page != page:
            continue
        pattern = re.compile(rf"(<!-- {name}:begin[^>]*-->\n).*?(<!-- {name}:end -->)", re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"{page} has no block {name!r}")
        content = block.make(root)
        text = pattern.sub(lambda found, content=content: f"{found[1]}{content}\n{found[2]}", text)
    return text


def main() -> int:
    """Rewrite the pages that are out of date."""
    for page in PAGES:
        path = ROOT / page
        old = path.read_text("utf-8")
        if (new := fill_blocks(page, old)) != old:
            path.write_text(new, "utf-8")
            sys.stdout.write(f"{page}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
