"""Several classes at once: shares that sum to 1, and samples of them from the Gumbel-softmax."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from latentlab.core.messages import Floats

SMALLEST = np.finfo(np.float32).tiny
WORTH_TELLING = 0.005


def one_class(label: int, count: int) -> Floats:
    """Return shares (K,) float32: all of one class."""
    shares: Floats = np.zeros(count, dtype=np.float32)
    shares[label] = 1.0
    return shares


def is_one_class(shares_K: Floats) -> bool:
    """Whether there is nothing to mix."""
    return bool((shares_K > 0).sum() <= 1)


def with_share(shares_K: Floats, label: int, share: float) -> Floats:
    """Return shares with one of them set; the others give or take in proportion, so that the sum stays 1.

    The only class that has a share keeps all of it: there is nobody to give to. Raise another instead.
    """
    share = min(1.0, max(0.0, share))
    new = np.array(shares_K, dtype=np.float64)
    others = new.sum() - new[label]
    if others <= 1e-9:
        return np.array(shares_K, dtype=np.float32)
    new *= (1.0 - share) / others
    new[label] = share
    return new.astype(np.float32)


def gumbel_softmax(shares_K: Floats, temperature: float, count: int, seed: int) -> Floats:
    """Return ``count`` soft classes (N, K) float32: softmax((log p + g) / temperature), g ~ Gumbel(0, 1).

    Jang et al. 2017, eq. 2. The largest share falls on class k with probability p_k whatever the temperature > 0;
    the smaller it is, the closer a sample is to one class. What has no share gets none.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    gumbel = -np.log(np.maximum(rng.standard_exponential((count, len(shares_K))), SMALLEST))
    with np.errstate(divide="ignore"):
        logits = (np.log(np.asarray(shares_K, dtype=np.float64)) + gumbel) / temperature
    soft = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.ascontiguousarray(soft / soft.sum(axis=1, keepdims=True), dtype=np.float32)


def described(shares_K: Floats, names: Sequence[str], most: int = 3) -> str:
    """Return shares as ``3 60 %, 8 40 %``, the largest first."""
    order = [k for k in np.argsort(-shares_K, kind="stable") if shares_K[k] >= WORTH_TELLING]
    text = ", ".join(f"{names[k]} {100 * shares_K[k]:.0f} %" for k in order[:most])
    return f"{text}, …" if len(order) > most else text
