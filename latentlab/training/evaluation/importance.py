"""The importance-weighted bound on log p(x) (Burda et al. 2016, "Importance Weighted Autoencoders")."""

from __future__ import annotations

from collections.abc import Set

import torch
from torch import Tensor

from latentlab.core.recipe import ObjectiveConfig
from latentlab.models.base import Posterior
from latentlab.models.likelihood import image_nll
from latentlab.training.evaluation.bound import Branch, bits_per_element, branches, fixed_objective
from latentlab.training.evaluation.subject import Findings, LabelledImages, Subject, standard_error

# Numbers decoded at once: about a thousand MNIST digits, or twenty frames of 128x128 in colour.
CHUNK_ELEMENTS = 1_000_000
IMAGES_AT_ONCE = 32


def measure_importance(subject: Subject, wanted: Set[str]) -> Findings:
    """Measure -log p(x) with K draws per image."""
    objective = fixed_objective(subject)
    noise = subject.generator("importance")
    draws = subject.options.importance_samples
    nll = [
        -log_evidence(subject, images, objective, draws, noise).cpu()
        for images in subject.batches(f"NLL by {draws} draws", size=IMAGES_AT_ONCE)
    ]
    nll_N = torch.cat(nll)
    mean = float(nll_N.mean())
    return Findings(
        {"iw_nll": mean, "iw_bits_per_dim": bits_per_element(mean, subject.elements)},
        {"iw_nll_standard_error": standard_error(nll_N), "importance_samples": draws},
    )


def log_evidence(
    subject: Subject, images: LabelledImages, objective: ObjectiveConfig, draws: int, noise: torch.Generator
) -> Tensor:
    """Return log 1/K sum_k p(x, z_k) / q(z_k|x), (B,) nats float64 (eq. 8), K = ``draws``.

    The weights of a chunk of draws are added to a running log-sum-exp, so that memory does not grow with K.
    """
    parts = branches(subject, images)
    count = len(images.x_BCHW)
    at_once = max(1, CHUNK_ELEMENTS // (count * subject.elements))
    total_B = torch.full((count,), -torch.inf, dtype=torch.float64, device=subject.policy.device)
    for start in range(0, draws, at_once):
        log_w_BS = _log_weights(subject, images, parts, objective, min(at_once, draws - start), noise)
        total_B = torch.logaddexp(total_B, log_w_BS.logsumexp(1))
    return total_B - torch.log(torch.tensor(float(draws), dtype=torch.float64))


def _log_weights(
    subject: Subject,
    images: LabelledImages,
    parts: list[Branch],
    objective: ObjectiveConfig,
    draws: int,
    noise: torch.Generator,
) -> Tensor:
    """Return log p(x, z) - log q(z|x) of ``draws`` draws for each image, (B, S) float64."""
    (mu_SD, logvar_SD), y_S, log_w_S = _proposals(parts, draws, noise)
    assert logvar_SD is not None
    eps_SD = subject.noise(tuple(mu_SD.shape), noise)
    z_SD = mu_SD + (0.5 * logvar_SD).exp() * eps_SD
    # The constants of prior and posterior are the same and cancel.
    log_w_S = log_w_S + 0.5 * (eps_SD.double().square() + logvar_SD.double() - z_SD.double().square()).sum(1)
    logits_SCHW = subject.decode_logits(z_SD, y_S)
    x_SCHW = images.x_BCHW.repeat_interleave(draws, dim=0)
    nll_S = image_nll(logits_SCHW, x_SCHW, objective, torch.full_like(log_w_S, 1.0 / len(log_w_S)))
    return (log_w_S - nll_S.double()).reshape(-1, draws)


def _proposals(parts: list[Branch], draws: int, noise: torch.Generator) -> tuple[Posterior, Tensor | None, Tensor]:
    """Return q(z|x) of each draw, its class, and log p(y) - log q(y|x), all rows of an image side by side.

    With several branches, y ~ q(y|x) is drawn too: z and y together are what the weight is taken over.
    """
    device = parts[0].weight_B.device
    if len(parts) == 1:
        _, y_B, (mu_BD, logvar_BD) = parts[0]
        assert logvar_BD is not None
        posterior = Posterior(mu_BD.repeat_interleave(draws, 0), logvar_BD.repeat_interleave(draws, 0))
        y_S = None if y_B is None else y_B.repeat_interleave(draws)
        return posterior, y_S, torch.zeros(len(posterior.mu_BD), dtype=torch.float64, device=device)
    q_BK = torch.stack([part.weight_B for part in parts], dim=1).double()
    y_BS = torch.multinomial(q_BK.cpu(), draws, replacement=True, generator=noise).to(device)
    of_BS = torch.arange(len(q_BK), device=device)[:, None].expand_as(y_BS)
    mu_BKD = torch.stack([part.posterior.mu_BD for part in parts], dim=1)
    logvar_BKD = torch.stack([_known(part.posterior.logvar_BD) for part in parts], dim=1)
    y_S, of_S = y_BS.flatten(), of_BS.flatten()
    log_ratio_S = -torch.log(q_BK[of_S, y_S] * len(parts))
    return Posterior(mu_BKD[of_S, y_S], logvar_BKD[of_S, y_S]), y_S, log_ratio_S


def _known(logvar_BD: Tensor | None) -> Tensor:
    assert logvar_BD is not None
    return logvar_BD
