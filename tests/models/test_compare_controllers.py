"""scripts/compare_controllers.py: what settling means, and that ``pi`` settles."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "compare_controllers.py"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("LATENTLAB_BENCH", "1")  # no setting up, this is the right Python
    return runpy.run_path(str(SCRIPT))


def test_settling_is_a_loop_over_windows(script):
    draws = np.random.default_rng(0)
    klds = 8.0 + 6.0 * np.exp(-np.arange(600) / 80.0) + 0.3 * draws.normal(size=600)
    last = 0
    for end in range(50, 601):
        if abs(klds[end - 50 : end].mean() - 8.0) > 0.4:
            last = end
    assert 200 < last < 350
    assert script["settled_at"](klds, 8.0) == last


def test_what_is_outside_at_the_end_has_not_settled(script):
    assert script["settled_at"](np.full(300, 8.5), 8.0) is None
    assert script["settled_at"](np.full(300, 8.3), 8.0) == 0


def test_pi_settles_within_600_steps_and_stays(script):
    klds, weights = script["train"]("pi", 0, 900, script["digits"]())
    assert script["settled_at"](klds, 8.0) <= 600
    assert 0.2 < weights[-1] < 0.6
