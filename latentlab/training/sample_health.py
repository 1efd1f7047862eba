"""Whether samples of the prior are bright and varied, and what the discriminator makes of all kinds of images."""

from __future__ import annotations

import torch
from torch import Tensor

from latentlab.core.messages import Floats, Ints
from latentlab.core.vectors import PROBABILITY_BINS
from latentlab.models.base import LatentModel
from latentlab.models.cgan import ConditionalGan
from latentlab.models.device import DevicePolicy
from latentlab.models.vaegan import VaeGan
from latentlab.models.vaegan_round import relative_spread
from latentlab.training.batches import Pictures, labels_at
from latentlab.training.latent_health import histogram

IMAGES = 64
# The points of the prior are the same at every measurement, so that only the weights move the numbers.
_SEED = 0xFACE


def measure_sample_health(
    model: LatentModel, pictures: Pictures, rows: Ints, labels: Ints | None, policy: DevicePolicy, *, noise: float = 0.0
) -> tuple[dict[str, float], dict[str, Floats]]:
    """Compare 64 samples of the prior with some test images, and let the discriminator judge both.

    Parameters
    ----------
    model
        With a prior, in evaluation mode, on the policy's device.
    rows
        Rows of test images, at least two.
    labels
        Labels of the whole data set, or None.
    noise
        Standard deviation of the noise that the discriminator's images have in training: it knows no others.

    Returns
    -------
    tuple
        ``sample_spread`` and ``sample_level``; histograms ``d_real_hist``, ``d_recon_hist``, ``d_fake_hist`` of
        sigmoid(logit), where there is a discriminator whose verdict on one image has a meaning.
    """
    rows = rows[:IMAGES]
    generator = torch.Generator().manual_seed(_SEED)
    z_ND = torch.randn(IMAGES, model.info.latent_dim, generator=generator).to(policy.device)
    with torch.no_grad(), policy.autocast():
        x, y = pictures.at(rows), labels_at(labels, rows, policy.device)
        z_ND = z_ND[: len(x)]
        drawn = torch.arange(len(z_ND), device=policy.device) % max(model.info.num_classes, 1)
        fake = model.decode(z_ND, drawn if model.info.conditional else None).float()
        shown = {"real": (x, y), "fake": (fake, drawn)}
        if isinstance(model, VaeGan):
            shown["recon"] = (model.decode(model.encode(x).mu_BD).float(), None)
        if noise > 0.0:
            drawn_BCHW = torch.randn(x.shape, generator=generator).to(policy.device)
            shown = {kind: (images + noise * drawn_BCHW, y) for kind, (images, y) in shown.items()}
        judged = _judged(model, shown)
        values = torch.stack([relative_spread(fake, x), fake.mean() / x.mean().clamp(min=1e-3)])
    spread, level = values.tolist()
    vectors = {f"d_{kind}_hist": bars.float().cpu().numpy() for kind, bars in judged.items()}
    return {"sample_spread": spread, "sample_level": level}, vectors


def _judged(model: LatentModel, shown: dict[str, tuple[Tensor, Tensor | None]]) -> dict[str, Tensor]:
    if model.info.recipe.objective.gan_loss == "relativistic":
        return {}
    if isinstance(model, VaeGan):
        logits = {kind: model.discriminator(x).logit_B for kind, (x, _) in shown.items()}
    elif isinstance(model, ConditionalGan):
        logits = {kind: model.discriminator(x, y) for kind, (x, y) in shown.items()}
    else:
        return {}
    return {kind: histogram(logit_B.float().sigmoid(), 0.0, 1.0, PROBABILITY_BINS) for kind, logit_B in logits.items()}
