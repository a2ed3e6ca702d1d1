"""Programs out of Debian packages that cannot be installed beside Postfix: fetched and unpacked, not installed."""

import subprocess
from pathlib import Path

import pytest

_KEPT = Path(__file__).parents[3] / "var/debian"


def unpacked(*packages: str) -> Path:
    """Return the folder that the packages are unpacked in; skip the test where they cannot be had."""
    folder = _KEPT / "+".join(packages)
    if not (folder / "usr").exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", "-qq", *packages], cwd=folder, capture_output=True)
        fetched = sorted(folder.glob("*.deb"))
        if len(fetched) < len(packages):
            pytest.skip(f"{' '.join(packages)} could not be fetched with apt-get")
        for package in fetched:
            subprocess.run(["dpkg", "-x", package, folder], check=True)
    return folder
