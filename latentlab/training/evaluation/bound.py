"""The evidence lower bound, split into rate and distortion (Kingma & Welling 2013; Alemi et al. 2018).

Shape suffixes: B batch, C channels, H height, W width, D latent dimensions, K classes.
"""

from __future__ import annotations

import math
from collections.abc import Set
from typing import NamedTuple

import torch
from torch import Tensor

from latentlab.core.recipe import ObjectiveConfig
from latentlab.models.base import Posterior
from latentlab.models.kld import kl_standard_normal
from latentlab.models.likelihood import image_nll
from latentlab.models.reconstruction import MIN_LOG_SIGMA
from latentlab.training.evaluation.subject import Findings, LabelledImages, Subject, standard_error


class Branch(NamedTuple):
    """One class that an image may have: its probability (B,), itself (B,) or None, and q(z|x,y)."""

    weight_B: Tensor
    y_B: Tensor | None
    posterior: Posterior


def branches(subject: Subject, images: LabelledImages) -> list[Branch]:
    """Return what the bound averages over: one branch, or for M2 every class with its q(y|x).

    M2 sees each image as unlabelled (Kingma et al. 2014, eq. 7), so that its figures compare with a VAE's.
    """
    probabilities = getattr(subject.model, "class_probabilities", None)
    if probabilities is None:
        ones_B = torch.ones(len(images.x_BCHW), device=subject.policy.device)
        return [Branch(ones_B, images.y_B, subject.encode(images))]
    with torch.no_grad():
        q_BK = probabilities(images.x_BCHW).float()
    labelled = [images._replace(y_B=torch.full_like(q_BK[:, 0], k, dtype=torch.int64)) for k in range(q_BK.shape[1])]
    return [Branch(q_BK[:, k], part.y_B, subject.encode(part)) for k, part in enumerate(labelled)]


def rate_of(parts: list[Branch]) -> Tensor:
    """Return the KL of everything latent from its prior, (B,) nats float64: z, and with several branches y."""
    total = torch.zeros_like(parts[0].weight_B, dtype=torch.float64)
    for weight_B, _, (mu_BD, logvar_BD) in parts:
        assert logvar_BD is not None
        weight_B = weight_B.double()
        total += weight_B * kl_standard_normal(mu_BD.double(), logvar_BD.double()).sum(1)
        if len(parts) > 1:  # x log x is 0 at 0
            total += torch.xlogy(weight_B, weight_B * len(parts))
    return total


def distortion_of(
    subject: Subject, images: LabelledImages, parts: list[Branch], objective: ObjectiveConfig, noise: torch.Generator
) -> Tensor:
    """Return -E_q log p(x|z), (B,) nats float64, by one draw of z per branch."""
    total = torch.zeros_like(parts[0].weight_B, dtype=torch.float64)
    for weight_B, y_B, posterior in parts:
        logits_BCHW = subject.decode_logits(subject.draw(posterior, noise), y_B)
        nll_B = image_nll(logits_BCHW, images.x_BCHW, objective, weight_B)
        total += weight_B.double() * nll_B.double()
    return total


def fixed_objective(subject: Subject) -> ObjectiveConfig:
    """Return the likelihood with its sigma settled, so that every image is judged by the same.

    sigma-VAE has no sigma of its own: it takes the best for the images at hand (Rybkin et al. 2021, eq. 7).
    Here these are all images of the split together, each with one draw of z.
    """
    objective = subject.info.recipe.objective
    if objective.reconstruction != "optimal-gaussian":
        return objective
    noise = subject.generator("sigma")
    total, count = 0.0, 0
    for images in subject.batches("Best sigma"):
        for weight_B, y_B, posterior in branches(subject, images):
            error = subject.decode(subject.draw(posterior, noise), y_B) - images.x_BCHW
            total += float((weight_B.double() * error.square().flatten(1).double().mean(1)).sum())
        count += len(images.x_BCHW)
    sigma = max(math.sqrt(total / count), math.exp(MIN_LOG_SIGMA))
    return objective.model_copy(update={"reconstruction": "gaussian", "sigma": sigma})


def stacked_notes(subject: Subject) -> list[str]:
    """Return what must be said of the bound of M1+M2, whose own has one more latent than is drawn here."""
    if subject.info.recipe.model.features_dim == 0:
        return []
    return ["M1+M2: the bound is that of images decoded by way of the mean of p(z1|z2,y), without its noise."]


def bits_per_element(nats: float, elements: int) -> float:
    """Return nats per image as bits per number of the image."""
    return nats / (elements * math.log(2.0))


def measure_bound(subject: Subject, wanted: Set[str]) -> Findings:
    """Measure rate, distortion and their sum."""
    with_likelihood = bool(wanted & {"distortion", "negative_elbo", "bits_per_dim"})
    objective = fixed_objective(subject) if with_likelihood else subject.info.recipe.objective
    noise = subject.generator("bound")
    rates, distortions = [], []
    draws = subject.options.posterior_samples
    for images in subject.batches("Rate and distortion"):
        parts = branches(subject, images)
        rates.append(rate_of(parts).cpu())
        if with_likelihood:
            sampled = [distortion_of(subject, images, parts, objective, noise) for _ in range(draws)]
            distortions.append(torch.stack(sampled).mean(0).cpu())
    rate = torch.cat(rates)
    found = Findings({"rate": float(rate.mean())})
    if not with_likelihood:
        return found
    distortion = torch.cat(distortions)
    negative_elbo = float((rate + distortion).mean())
    found.values |= {
        "distortion": float(distortion.mean()),
        "negative_elbo": negative_elbo,
        "bits_per_dim": bits_per_element(negative_elbo, subject.elements),
    }
    found.details = {"negative_elbo_standard_error": standard_error(rate + distortion), "posterior_samples": draws}
    if objective is not subject.info.recipe.objective:
        found.details["sigma"] = objective.sigma
        found.notes.append(f"The likelihood's sigma is the best one for these images: {objective.sigma:.4g}.")
    found.notes += stacked_notes(subject)
    if subject.info.recipe.objective.kld == "batch":
        found.notes.append("Training held the moments of a batch (kld_nats), not the rate, which it leaves free.")
    return found
