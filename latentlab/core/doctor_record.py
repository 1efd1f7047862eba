"""What the doctor looks at: the metrics of a run up to a step, and its recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latentlab.core.buffers import MetricHistory
from latentlab.core.metrics import TEST_PREFIX
from latentlab.core.recipe import Recipe

Array = npt.NDArray[np.float64]
Series = Mapping[str, tuple[Array, Array]]
_BLOCKS, _RAW_BLOCKS = 600, 4
_USED = frozenset(
    [
        "loss",
        "reconstruction",
        "pixel",
        "feature_matching",
        "kld_nats",
        "kld_per_dim",
        "beta",
        "active_units",
        "z_var",
        "z_std_max",
        "z_mean_max",
        "d_accuracy",
        "d_updates",
        "d_prob_real",
        "d_prob_recon",
        "d_prob_fake",
        "test_pixel",
        "test_reconstruction",
        "test_prior_gap",
        "test_z_norm_mean",
        "test_sample_spread",
        "test_sample_level",
    ]
)
_USED_PREFIXES = ("share_", "feature_rms_")
_NOTHING: Array = np.empty(0)


@dataclass(frozen=True)
class Record:
    """Metrics by name, ``(steps, values)`` ascending, and the recipe in force, live changes included.

    Rules ask for medians over parts of the run, so that one value never makes a finding.
    """

    series: Series
    recipe: Recipe

    @classmethod
    def of(cls, history: MetricHistory, recipe: Recipe) -> Record:
        """Take what the rules look at from a run's history: recent values as they are, older ones as means.

        The cost is the same at any length of run.
        """
        used = [name for name in history.names() if name in _USED or name.startswith(_USED_PREFIXES)]
        return cls({name: _digest(history, name) for name in used}, recipe)

    def until(self, step: float) -> Record:
        """Return the record as it was at ``step``."""
        cut = {name: _cut(steps, values, step) for name, (steps, values) in self.series.items()}
        return Record({name: found for name, found in cut.items() if len(found[0])}, self.recipe)

    @property
    def step(self) -> float:
        """The newest step of any metric; 0 of none."""
        return max((float(steps[-1]) for steps, _ in self.series.values() if len(steps)), default=0.0)

    @property
    def kind(self) -> str:
        """Model family."""
        return self.recipe.model.kind

    @property
    def tests(self) -> int:
        """How often the test images were measured."""
        return max((len(s) for name, (s, _) in self.series.items() if name.startswith(TEST_PREFIX)), default=0)

    def values(self, name: str, first: float = 0.0, last: float = 1.0) -> Array:
        """Return the values of a part of the run, given as shares of its steps; empty where unknown."""
        steps, values = self.series.get(name, (_NOTHING, _NOTHING))
        inside = (steps >= first * self.step) & (steps <= last * self.step)
        found: Array = values[inside]
        return found

    def median(self, name: str, first: float = 0.0, last: float = 1.0) -> float | None:
        """Return the median of a part of the run; None where nothing was measured."""
        found = self.values(name, first, last)
        return float(np.median(found)) if len(found) else None

    def newest(self, name: str, rows: int) -> Array:
        """Return the newest values, at most ``rows``."""
        found: Array = self.series.get(name, (_NOTHING, _NOTHING))[1][-rows:]
        return found

    def level(self, name: str, rows: int = 10) -> float | None:
        """Return the median of the newest values; None before there are so many."""
        found = self.newest(name, rows)
        return float(np.median(found)) if len(found) >= rows else None


def _cut(steps: Array, values: Array, step: float) -> tuple[Array, Array]:
    count = int(np.searchsorted(steps, step, side="right"))
    return steps[:count], values[:count]


def _digest(history: MetricHistory, name: str) -> tuple[Array, Array]:
    whole = history.summary(name, max_points=_BLOCKS)
    if whole.block == 1 or len(whole.steps) <= _RAW_BLOCKS:
        return whole.steps, whole.means
    old = len(whole.steps) - _RAW_BLOCKS
    steps, values, _ = history.window(name, float(whole.steps[old - 1]), np.inf, 1 << 30)
    new = steps > whole.steps[old - 1]
    return np.concatenate([whole.steps[:old], steps[new]]), np.concatenate([whole.means[:old], values[new]])
