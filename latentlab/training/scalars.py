"""Scalars of training steps, kept on the device and brought to the host once per logged step."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from latentlab.core.errors import LatentLabError
from latentlab.core.metrics import LAST_VALUE


class ScalarMeans:
    """Sums device scalars over the steps of a logging interval.

    Adding is two small kernels per step; ``collect`` is one copy of all metrics together, and the only
    place where the training waits for the device. Sums are float64.
    """

    def __init__(self) -> None:
        self._sums: dict[tuple[str, ...], tuple[Tensor, int]] = {}
        self._last: dict[str, Tensor] = {}

    def add(self, metrics: Mapping[str, Tensor]) -> None:
        """Add the scalars of one step. Their names may differ from step to step."""
        names = tuple(metrics)
        values = torch.stack([value.detach().double() for value in metrics.values()])
        sums, count = self._sums.get(names, (None, 0))
        self._sums[names] = (values if sums is None else sums + values, count + 1)
        self._last.update((name, metrics[name].detach()) for name in LAST_VALUE.intersection(names))

    @property
    def empty(self) -> bool:
        """Whether nothing was added since the last ``collect``."""
        return not self._sums

    def collect(self) -> dict[str, float]:
        """Return the mean (or, for ``LAST_VALUE``, the newest value) of each metric, and start over."""
        if not self._sums:
            return {}
        last = [value.double().reshape(1) for value in self._last.values()]
        flat = torch.cat([*(sums for sums, _ in self._sums.values()), *last]).tolist()
        totals: dict[str, tuple[float, int]] = {}
        for names, (_, count) in self._sums.items():
            for name in names:
                total, seen = totals.get(name, (0.0, 0))
                totals[name] = (total + flat.pop(0), seen + count)
        result = {name: total / seen for name, (total, seen) in totals.items()}
        result.update(zip(self._last, flat, strict=True))
        self._sums, self._last = {}, {}
        return result


def check_finite(values: Mapping[str, float], first: int, step: int, kept: int | None) -> None:
    """Raise when a metric is not a finite number.

    Parameters
    ----------
    first, step
        The steps, ends included, that the values were gathered over.
    kept
        The step of the checkpoint on disk, or None.

    Raises
    ------
    LatentLabError
        Naming the metric and the steps.
    """
    bad = [name for name, value in values.items() if not math.isfinite(value)]
    if not bad:
        return
    span = f"at step {step}" if first >= step else f"between steps {first} and {step}"
    saved = "" if kept is None else f"The checkpoint of step {kept} is kept. "
    more = f" (as did {', '.join(bad[1:])})" if bad[1:] else ""
    raise LatentLabError(
        f"{bad[0]} stopped being a finite number {span}{more}",
        where=f"step {step}",
        hint=saved + "Try a lower training.lr, a smaller objective.beta_step, or training.precision=fp32.",
    )
