"""docs/metrics.md says what the program says."""

from __future__ import annotations

import runpy
from pathlib import Path

from latentlab.core.measures import MEASURES
from latentlab.core.metrics import METRICS

ROOT = Path(__file__).resolve().parents[2]


def test_the_tables_are_those_of_the_catalogues():
    script = runpy.run_path(str(ROOT / "scripts" / "metrics_page.py"))
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert script["page"](text) == text, "run: python scripts/metrics_page.py"


def test_every_name_has_a_row():
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert [name for name in [*METRICS, *MEASURES] if f"| `{name}` |" not in text] == []
