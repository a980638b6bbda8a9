"""The lock file holds what was tested: every version that is asked for, each by its sha256."""

import re

from tests.support.paths import ROOT

_PIN = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[a-z,]+\])?==([^\s;\\]+)", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    """Versions by normalised name."""
    found = _PIN.findall((ROOT / name).read_text("utf-8"))
    return {re.sub(r"[-_.]+", "-", package).lower(): version for package, version in found}


def test_the_lock_has_what_is_asked_for() -> None:
    asked, locked = pins("requirements.txt"), pins("requirements.lock")
    assert len(asked) > 20
    assert {name: locked.get(name) for name in asked if name != "torch"} == {
        name: version for name, version in asked.items() if name != "torch"
    }
    assert len(locked) > 2 * len(asked) and "torch" not in locked


def test_every_package_of_the_lock_has_hashes() -> None:
    text = (ROOT / "requirements.lock").read_text("utf-8")
    entries = re.split(r"\n(?=[A-Za-z0-9])", text.split("\n", 2)[2])
    assert len(entries) == len(pins("requirements.lock"))
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry) for entry in entries)
