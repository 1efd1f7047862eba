"""Adversarial terms in nats, averaged over the batch, and what the discriminator is told about its images.

A label is the weight of "real" in a mixture of the two verdicts, 1 for real and 0 for fake: with
cross-entropy that is a soft label as usual, and with the other losses it means the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from latentlab.core.recipe import ObjectiveConfig
from latentlab.core.recipe_adversarial import GanLoss
from latentlab.models.base import StepContext


class Labels(NamedTuple):
    """What the discriminator is told of its real and of its fake images: one number, or one per image (B,)."""

    real: Tensor | float = 1.0
    fake: Tensor | float = 0.0


TRUE_LABELS = Labels()


def judged_real(logit_B: Tensor, smoothing: float = 0.0) -> Tensor:
    """Return the loss of saying "real": -log D, the non-saturating form for generators.

    With ``smoothing`` s the label is 1 - s (one-sided label smoothing, Salimans et al. 2016).
    """
    return _told(logit_B, 1.0 - smoothing)


def judged_fake(logit_B: Tensor) -> Tensor:
    """Return the loss of saying "fake": -log(1 - D)."""
    return F.softplus(logit_B).mean()


def _told(logit_B: Tensor, label: Tensor | float, *, hinge: bool = False) -> Tensor:
    """Return the discriminator's loss on images that it is told are real with weight ``label``."""
    if hinge:
        real_B, fake_B = (1.0 - logit_B).relu(), (1.0 + logit_B).relu()
    else:
        real_B, fake_B = F.softplus(-logit_B), F.softplus(logit_B)
    return (label * real_B + (1.0 - label) * fake_B).mean()


def real_losses(real_B: Tensor, gan_loss: GanLoss, labels: Labels = TRUE_LABELS) -> dict[str, Tensor]:
    """Return ``d_real``, the discriminator's loss on real images; nothing for relativistic pairs.

    Non-saturating and saturating: -log D (Goodfellow et al. 2014). Hinge: max(0, 1 - logit) (Lim & Ye 2017).
    """
    return {} if gan_loss == "relativistic" else {"d_real": _told(real_B, labels.real, hinge=gan_loss == "hinge")}


def fake_losses(
    real_B: Tensor | None, fakes: Mapping[str, Tensor], gan_loss: GanLoss, labels: Labels = TRUE_LABELS
) -> dict[str, Tensor]:
    """Return ``d_NAME``, the discriminator's loss on each kind of fake.

    Cross-entropy: -log(1 - D). Hinge: max(0, 1 + logit). Relativistic: -log sigmoid(real - fake), each fake
    paired with a real image (Jolicoeur-Martineau 2018, eq. 3; the pairing of R3GAN, Huang et al. 2024); the
    pair's label is the mean of how real the one and how fake the other is said to be.

    Parameters
    ----------
    real_B
        Logits of real images; only relativistic pairs need them.
    fakes
        Logits of fake images (B,) by the name of their kind.
    """
    if gan_loss == "relativistic":
        assert real_B is not None
        label = 0.5 * (labels.real + 1.0 - labels.fake)
        return {f"d_{name}": _told(real_B - fake_B, label) for name, fake_B in fakes.items()}
    hinge = gan_loss == "hinge"
    return {f"d_{name}": _told(fake_B, labels.fake, hinge=hinge) for name, fake_B in fakes.items()}


def generator_losses(real_B: Tensor | None, fakes: Mapping[str, Tensor], gan_loss: GanLoss) -> dict[str, Tensor]:
    """Return ``g_NAME``, what the decoder minimises for each kind of fake.

    Non-saturating: -log D(fake). Saturating: log(1 - D(fake)), which is negative and flat where the
    discriminator is sure (both Goodfellow et al. 2014). Hinge: -logit. Relativistic: -log sigmoid(fake - real).
    """
    return {f"g_{name}": _generated(real_B, fake_B, gan_loss) for name, fake_B in fakes.items()}


def _generated(real_B: Tensor | None, fake_B: Tensor, gan_loss: GanLoss) -> Tensor:
    if gan_loss == "relativistic":
        assert real_B is not None
        return F.softplus(real_B - fake_B).mean()
    if gan_loss == "hinge":
        return -fake_B.mean()
    return -judged_fake(fake_B) if gan_loss == "saturating" else judged_real(fake_B)


def verdicts(real_B: Tensor | None, fakes: Mapping[str, Tensor], gan_loss: GanLoss) -> dict[str, Tensor]:
    """Return the margin by which the discriminator is right, a logit (B,) by kind: above 0 is right.

    ``real`` is there unless pairs are judged, where only the difference within a pair has a meaning.
    """
    if gan_loss == "relativistic":
        assert real_B is not None
        return {name: real_B - fake_B for name, fake_B in fakes.items()}
    right = {name: -fake_B for name, fake_B in fakes.items()}
    return right if real_B is None else {"real": real_B, **right}


def accuracy(margins: Mapping[str, Tensor]) -> Tensor:
    """Return the share of ``verdicts`` that are right; real images count as much as all fakes together."""
    shares = {name: (margin_B > 0.0).float().mean() for name, margin_B in margins.items()}
    real = [shares.pop("real")] if "real" in shares else []
    fakes = [torch.stack(list(shares.values())).mean()] if shares else []
    return torch.stack([*real, *fakes]).mean()


def probabilities(margins: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return ``d_prob_NAME``, the mean probability of being real, from ``verdicts`` that are not of pairs."""
    signs = {name: 1.0 if name == "real" else -1.0 for name in margins}
    return {f"d_prob_{name}": (signs[name] * margin_B.detach()).sigmoid().mean() for name, margin_B in margins.items()}


def labels_for(objective: ObjectiveConfig, context: StepContext, images: Tensor) -> Labels:
    """Return this step's labels for as many real and as many fake images as there are ``images``.

    Smoothing moves both towards the middle (Salimans et al. 2016), ``label_noise`` moves each image's label
    up to so much further (uniform), and in the last ``label_flip_steps`` steps of each period of
    ``label_flip_every`` the labels of real and fake are exchanged (the GAN hacks text, items 3 and 4).
    """
    real: Tensor | float = 1.0 - objective.label_smoothing
    fake: Tensor | float = objective.fake_label_smoothing
    if objective.label_noise > 0.0:
        shape = (2, len(images))
        noise_2B = torch.rand(shape, generator=context.generator, device=images.device) * objective.label_noise
        real, fake = real - noise_2B[0], fake + noise_2B[1]
    return Labels(fake, real) if labels_are_flipped(objective, context.step) else Labels(real, fake)


def labels_are_flipped(objective: ObjectiveConfig, step: int) -> bool:
    """Whether the labels of real and fake are exchanged at ``step``."""
    period = objective.label_flip_every
    return period > 0 and step % period >= period - objective.label_flip_steps


def noise_level(objective: ObjectiveConfig, step: int) -> float:
    """Return the standard deviation of the instance noise at ``step``: constant, or fading in a straight line."""
    if objective.instance_noise_steps == 0:
        return objective.instance_noise
    return objective.instance_noise * max(0.0, 1.0 - step / objective.instance_noise_steps)


def blurred(x_BCHW: Tensor, context: StepContext) -> Tensor:
    """Return images with this step's instance noise (Sonderby et al. 2017)."""
    level = noise_level(context.objective, context.step)
    return x_BCHW + level * context.noise_like(x_BCHW) if level > 0.0 else x_BCHW


def squared_gradient(logit_B: Tensor, x_BCHW: Tensor) -> Tensor:
    """Return E ||dD/dx||^2, the R1 penalty without its weight (Mescheder et al. 2018, eq. 9), with its own graph.

    ``x_BCHW`` are images in [0,1] that require a gradient; the gradient is that of images in [-1,1], half of
    theirs, so that published weights apply.
    """
    (gradient_BCHW,) = torch.autograd.grad(logit_B.sum(), x_BCHW, create_graph=True)
    return (0.5 * gradient_BCHW).square().sum() / len(x_BCHW)
