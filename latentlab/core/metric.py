"""What the catalogue says of one metric."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """What a metric is. ``colour`` is a key of the theme; ``log`` asks for a logarithmic axis."""

    name: str
    label: str
    unit: str
    definition: str
    colour: str
    log: bool = False
