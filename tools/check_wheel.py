"""Build the wheel, install it into a new environment and run the public functions there, away from the checkout.

    python -m tools.check_wheel            dependencies are those of the Python that runs this (quick: CI)
    python -m tools.check_wheel --full     dependencies are installed too (minutes; --torch names the requirement)

The quick way makes an environment that holds nothing but the wheel, and lets it see the packages that are installed
here already. That the library itself is the wheel's, and not the checkout's, is checked.
"""

import argparse
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CHECKPOINT = ROOT / "checkpoints" / "nasbench201" / "svge"


def run(words: list[str | Path], folder: Path) -> str:
    """Run a program away from the checkout; returns what it prints.

    Raises:
        SystemExit: if it fails.
    """
    # nothing of the caller's surroundings may lead back to the checkout
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run([str(word) for word in words], cwd=folder, env=kept, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, words))} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout


def build(folder: Path) -> Path:
    """The wheel of this checkout."""
    run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], ROOT)
    (wheel,) = folder.glob("*.whl")
    return wheel


def strangers(wheel: Path) -> list[str]:
    """Files of the wheel that do not belong there, and files of the library that it lacks."""
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = [
        path for path in (ROOT / "svge_core").rglob("*") if path.suffix in (".py", ".pyi", ".bin", ".parquet", ".txt")
    ]
    own = {path.relative_to(ROOT).as_posix() for path in [*files, ROOT / "svge_core" / "py.typed"]}
    return sorted(held ^ own)


def environment(folder: Path, wheel: Path, torch: str | None) -> Path:
    """A new environment with the wheel; returns its folder of programs.

    Args:
        folder: that it is made in.
        wheel: that is installed.
        torch: requirement of PyTorch, installed first with all other dependencies; None to use those installed here.
    """
    venv.create(folder, with_pip=torch is not None)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    if torch is not None:
        run([programs / "python", "-m", "pip", "install", "-q", torch], folder)
        run([programs / "python", "-m", "pip", "install", "-q", wheel], folder)
        return programs
    pip = [sys.executable, "-m", "pip", "--python", programs / "python", "install", "-q", "--no-deps", wheel]
    run(pip, folder)
    packages = run([programs / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], folder)
    (Path(packages.strip()) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    return programs


def main(words: list[str] | None = None) -> int:
    """Build, install, run; prints what was done and how long it took."""
    parser = argparse.ArgumentParser(description="Build the wheel, install it and run the public functions from it.")
    parser.add_argument("--full", action="store_true", help="install the dependencies too")
    parser.add_argument("--torch", default="torch", help="requirement of PyTorch (default: %(default)s)")
    arguments = parser.parse_args(words)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheel = build(folder)
        if wrong := strangers(wheel):
            raise SystemExit(f"The wheel and svge_core differ in {', '.join(wrong[:5])}.")
        programs = environment(folder / "environment", wheel, arguments.torch if arguments.full else None)
        place = run([programs / "python", "-c", "import svge_core; print(svge_core.__file__)"], folder).strip()
        if not Path(place).is_relative_to(folder.resolve()) and not Path(place).is_relative_to(folder):
            raise SystemExit(f"The library that is imported is not the wheel's: {place}.")
        sys.stdout.write(f"{wheel.name}, {wheel.stat().st_size / 2**10:.0f} KiB, imported from {place}\n")
        example = folder / "api_example.py"
        example.write_text((ROOT / "tools" / "api_example.py").read_text("utf-8"), "utf-8")
        sys.stdout.write(run([programs / "python", example, CHECKPOINT], folder))
        help_text = run([programs / "svge", "--help"], folder)
        if not help_text.startswith("usage: svge"):
            raise SystemExit(f"The program svge does not print its help: {help_text[:200]!r}.")
    sys.stdout.write(f"the wheel works ({time.monotonic() - began:.0f} s)\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
