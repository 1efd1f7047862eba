from __future__ import annotations

import numpy as np
import pytest
import torch

from latentlab.models.base import Posterior
from latentlab.models.statistics import latent_metrics


def test_the_spread_of_latents_is_numpys():
    draws = np.random.default_rng(0)
    mu, logvar, z = (draws.normal(size=(16, 5)).astype(np.float32) for _ in range(3))
    posterior = Posterior(torch.from_numpy(mu), torch.from_numpy(logvar))
    seen = {name: value.item() for name, value in latent_metrics(posterior, torch.from_numpy(z)).items()}
    std = np.exp(0.5 * logvar)
    assert seen.pop("active_units") == 5.0
    assert seen == pytest.approx(
        {
            "z_mean": z.mean(),
            "z_var": z.var(ddof=1),
            "z_mean_min": mu.min(),
            "z_mean_max": mu.max(),
            "z_std": std.mean(),
            "z_std_var": std.var(ddof=1),
            "z_std_min": std.min(),
            "z_std_max": std.max(),
        },
        rel=1e-4,
    )


def test_a_plain_auto_encoder_has_no_standard_deviations():
    z = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    assert set(latent_metrics(Posterior(z, None), z)) == {"active_units", "z_mean", "z_var", "z_mean_min", "z_mean_max"}
