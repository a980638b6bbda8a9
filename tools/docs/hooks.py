"""Hooks of the documentation site: pictures of ``assets/`` stand in it without a copy in ``docs/``."""

# the docs' requirements may be missing where types are checked
# pyright: reportMissingImports=false

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
SHARED = ("assets/*.svg", "assets/screenshots/*.png", "assets/screenshots/first/*.webp")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the shared pictures."""
    for pattern in SHARED:
        for path in sorted(ROOT.glob(pattern)):
            name = path.relative_to(ROOT).as_posix()
            files.append(File.generated(config, name, abs_src_path=str(path)))
    return files
