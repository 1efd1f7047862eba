"""Write the tables of docs/metrics.md from the catalogues that the program itself prints from."""

from __future__ import annotations

import sys
from pathlib import Path

from latentlab.core.measures import MEASURES, Measure
from latentlab.core.metrics import METRICS, Metric

PAGE = Path(__file__).resolve().parents[1] / "docs" / "metrics.md"


def cell(text: str) -> str:
    """Return text that a table cell can hold."""
    return text.replace("|", "∣") or "–"


def row(metric: Metric) -> str:
    """Return the row of a metric that training logs."""
    return f"| `{metric.name}` | {cell(metric.unit)} | {cell(metric.definition)} |"


def measure_row(measure: Measure) -> str:
    """Return the row of a metric that evaluate prints."""
    definition = cell(f"{measure.definition} {measure.source}.".strip() if measure.source else measure.definition)
    kinds = ", ".join(measure.kinds)
    return f"| `{measure.name}` | {cell(measure.unit)} | {measure.cost} | {kinds} | {definition} |"


def tables() -> dict[str, str]:
    """Return each table by the name of its marker."""
    logged = ["| name | unit | definition |", "|---|---|---|", *map(row, METRICS.values())]
    head = ["| name | unit | set | models | definition, source |", "|---|---|---|---|---|"]
    return {"logged": "\n".join(logged), "measured": "\n".join([*head, *map(measure_row, MEASURES.values())])}


def page(text: str) -> str:
    """Return the page with its tables as they should be."""
    for name, table in tables().items():
        marker = f"<!-- {name} -->"
        before, _, after = text.split(marker)
        text = f"{before}{marker}\n\n{table}\n\n{marker}{after}"
    return text


def main() -> int:
    """Rewrite the page; with --check only say whether it is as it should be."""
    text = PAGE.read_text(encoding="utf-8")
    wanted = page(text)
    if "--check" in sys.argv:
        return int(text != wanted)
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
