"""What each latent dimension does, measured on encoded images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from latentlab.core.messages import Floats, Ints

ACTIVE_VARIANCE = 0.01
"""Var_x(E[z|x]) above which a dimension counts as active (Burda et al. 2015)."""
BY_KL, BY_VARIANCE, BY_CHANGE = "kl", "variance", "change"


@dataclass(frozen=True, slots=True)
class DimensionStats:
    """Use of each dimension over a set of images.

    Attributes
    ----------
    variance
        (D,) Var_x(E[z|x]), in squared standard deviations of the prior.
    kl_nats
        (D,) mean over x of KL(q(z_d|x) ‖ N(0,1)); None for models without a posterior variance.
    images
        How many images were encoded.
    change
        (D,) how much the picture changes from one sigma below to one above: root mean squared difference in [0,1]
        units, averaged over some points; None while it has not been measured.
    """

    variance: Floats
    kl_nats: Floats | None
    images: int
    change: Floats | None = None

    @property
    def active(self) -> np.ndarray:
        """(D,) bool: dimensions with variance above ``ACTIVE_VARIANCE``."""
        return self.variance > ACTIVE_VARIANCE

    def measure(self, by: str = BY_KL) -> Floats:
        """Return what dimensions are ordered by, (D,): KL where it is known, variance, or change of the picture."""
        if by == BY_CHANGE and self.change is not None:
            return self.change
        return self.variance if by == BY_VARIANCE or self.kl_nats is None else self.kl_nats

    def order(self, by: str = BY_KL) -> Ints:
        """Return all dimensions, the most useful first.

        Active dimensions come before dead ones; within each, by ``measure``; ties keep the order of the index.
        """
        usefulness = self.measure(by).astype(np.float64)
        return np.lexsort((-usefulness, ~self.active)).astype(np.int64)

    def agrees(self, order: Sequence[int], by: str = BY_KL, tolerance: float = 1.25) -> bool:
        """Whether an order still does: no dead dimension before an active one, none far below a later one.

        While a model learns, measures change all the time; rows need not change places for a few per cent.
        """
        places = np.asarray(order, dtype=np.int64)
        measure, active = self.measure(by)[places].astype(np.float64), self.active[places]
        if (np.diff(active.astype(np.int8)) > 0).any():
            return False
        return all(
            (part <= tolerance * np.minimum.accumulate(part) + 1e-6).all()
            for part in (measure[active], measure[~active])
            if len(part)
        )


def dimension_stats(mu: Floats, logvar: Floats | None) -> DimensionStats:
    """Measure every dimension from posterior means and log variances, both (N, D).

    KL of a normal with mean m and log variance v to the standard normal is
    (exp(v) + m² - 1 - v) / 2 (Kingma & Welling 2013, appendix B).
    """
    mean = mu.astype(np.float64)
    kl = None
    if logvar is not None:
        log_variance = logvar.astype(np.float64)
        kl = (0.5 * (np.exp(log_variance) + mean**2 - 1.0 - log_variance)).mean(axis=0).astype(np.float32)
    return DimensionStats(mean.var(axis=0).astype(np.float32), kl, len(mu))
