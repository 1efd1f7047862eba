"""Shared fixtures: every test gets its own cache, settings and runs, and an offscreen Qt."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# Where cores cannot be counted (containers without /sys) scikit-learn's joblib warns, and warnings are errors here.
os.environ.setdefault("LOKY_MAX_CPU_COUNT", "1")
SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point cache, settings, runs and screenshots at a fresh folder, so that no test sees another's."""
    home = tmp_path_factory.mktemp("home")
    for name in ("CACHE", "CONFIG", "RUNS", "SCREENSHOTS"):
        monkeypatch.setenv(f"LATENTLAB_{name}", str(home / name.lower()))
    return home


@pytest.fixture
def shared_data() -> Path:
    """Return the folder with real data beside the checkout; skip where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real data sets are not beside this checkout")
    return SHARED_DATA
