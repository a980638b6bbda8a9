"""Where the project's files lie, for tests in folders of any depth."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHECKPOINTS = ROOT / "checkpoints"
LABELS = ROOT / "assets" / "labels"
APP = ROOT / "app.py"
