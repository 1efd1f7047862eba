"""The semi-supervised VAE: a classifier inside a VAE, so that images without a label teach it too.

Shape suffixes: L labelled images, B unlabelled images, N both, R rows (pairs of an image and a class), K classes,
D latent dimensions.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from latentlab.core.messages import ModelInfo
from latentlab.core.recipe import ObjectiveConfig
from latentlab.models.base import Batch, LabelledBatch, Posterior, StepContext
from latentlab.models.conditioning import one_hot
from latentlab.models.cvae import ConditionalVae
from latentlab.models.gumbel import averaged_softmax, entropy, gumbel_softmax, straight_through, temperature
from latentlab.models.kld import constrained, kl_standard_normal
from latentlab.models.likelihood import image_nll
from latentlab.models.networks import build_encoder
from latentlab.models.optim import update
from latentlab.models.reconstruction import mean_squared_error
from latentlab.models.statistics import kld_metrics, latent_metrics
from latentlab.models.vae import draw


class Rows(NamedTuple):
    """The pairs of an image and a class that a step runs through the VAE, and their weights, which sum to N.

    The first L rows are the labelled images. ``class_RK`` are one-hot rows, or soft ones from the Gumbel-softmax.
    """

    x_RCHW: Tensor
    class_RK: Tensor
    weight_R: Tensor


def paired_rows(
    labelled: LabelledBatch,
    x_BCHW: Tensor,
    log_q_BK: Tensor,
    objective: ObjectiveConfig,
    tau: float,
    generator: torch.Generator,
) -> Rows:
    """Pair labelled images with their class, and unlabelled ones with all classes or with a sampled one.

    ``marginal``: each unlabelled image with each of the K classes, weighed by q(y|x), class by class; the gradient
    reaches q through the weights. ``gumbel`` and ``straight-through``: one row per image, and the gradient reaches
    q through the class.
    """
    classes = log_q_BK.shape[1]
    known_LK = one_hot(labelled.y_B, len(labelled.x_BCHW), classes, x_BCHW.device)
    if objective.unlabelled == "marginal":
        guessed_RK = torch.eye(classes, device=x_BCHW.device)[:, None].expand(-1, len(x_BCHW), -1).flatten(0, 1)
        weight_R, repeats = log_q_BK.exp().t().flatten(), classes
    else:
        guessed_RK, repeats = gumbel_softmax(log_q_BK, tau, generator), 1
        if objective.unlabelled == "straight-through":
            guessed_RK = straight_through(guessed_RK)
            if objective.gumbel_draws > 1:
                soft_RK = averaged_softmax(log_q_BK, guessed_RK, tau, objective.gumbel_draws, generator)
                guessed_RK = guessed_RK.detach() + (soft_RK - soft_RK.detach())
        weight_R = torch.ones_like(log_q_BK[:, 0])
    return Rows(
        torch.cat([labelled.x_BCHW, *[x_BCHW] * repeats]),
        torch.cat([known_LK, guessed_RK]),
        torch.cat([torch.ones_like(known_LK[:, 0]), weight_R]),
    )


class Bound(NamedTuple):
    """What a step minimises, what it tells about it, and the decoder's output for the labelled images.

    ``terms``: the parts that ``loss`` is the sum of.
    """

    loss: Tensor
    metrics: dict[str, Tensor]
    output: Tensor
    terms: dict[str, Tensor]


class SemiSupervisedVae(ConditionalVae):
    """M2 of Kingma et al. 2014, "Semi-supervised Learning with Deep Generative Models".

    Networks q(y|x) (``classifier``), q(z|x,y) (``encoder``), p(x|z,y) (``decoder``); p(y) is uniform, p(z) = N(0, I).
    """

    def __init__(self, info: ModelInfo) -> None:
        super().__init__(info)
        model = info.recipe.model
        network = model.network if model.classifier_network == "same" else model.classifier_network
        own = {"network": network, "width": model.classifier_width or model.width}
        self.classifier = build_encoder(model.model_copy(update=own), info.image_shape, info.num_classes)

    def log_class_probabilities(self, x_BCHW: Tensor) -> Tensor:
        """Return log q(y|x) of images in [0,1], (B, K) float32."""
        logits_BK: Tensor = self.classifier(x_BCHW)
        return logits_BK.float().log_softmax(dim=1)

    def class_probabilities(self, x_BCHW: Tensor) -> Tensor:
        """Return q(y|x) of images in [0,1], (B, K) float32."""
        return self.log_class_probabilities(x_BCHW).exp()

    def classes_of(self, x_BCHW: Tensor, y_B: Tensor | None) -> Tensor:
        """Return the given classes, and the most probable one where none is given (-1, or no labels at all)."""
        guessed_B = self.class_probabilities(x_BCHW).argmax(dim=1)
        return guessed_B if y_B is None else torch.where(y_B < 0, guessed_B, y_B)

    def encode(self, x_BCHW: Tensor, y_B: Tensor | None = None) -> Posterior:
        """Return q(z|x,y) of images in [0,1], float32, with the most probable class where none is given."""
        return super().encode(x_BCHW, self.classes_of(x_BCHW, y_B))

    def row_nll(self, output: Tensor, rows: Rows, weight_R: Tensor, objective: ObjectiveConfig) -> Tensor:
        """Return -log p(x|z,y) of each row from the decoder's output, (R,) nats."""
        return image_nll(output, rows.x_RCHW, objective, weight_R)

    def bound(self, labelled: LabelledBatch, x_BCHW: Tensor, context: StepContext) -> Bound:
        """Return J of eq. 9: the bounds of eqs. 6 and 7 per image, and alpha times the labelled cross-entropy.

        Eq. 7 sums over the classes; in its place one sample of the Gumbel-softmax (Jang et al. 2017, section 4.3)
        costs one pass for an image instead of K. The KL of q(y|x) from the uniform p(y) is exact in both.
        """
        objective, known = context.objective, len(labelled.y_B)
        tau = temperature(objective, context.step)
        with context.autocast():
            log_q_NK = self.log_class_probabilities(torch.cat([labelled.x_BCHW, x_BCHW]))
            rows = paired_rows(labelled, x_BCHW, log_q_NK[known:], objective, tau, context.generator)
            code_RE = self.class_code(rows.class_RK)
            posterior = self.posterior(rows.x_RCHW, code_RE)
            z_RD = draw(posterior, context)
            output = self.output(z_RD, code_RE)
        weight_R = rows.weight_R / len(log_q_NK)
        nll = (weight_R * self.row_nll(output, rows, weight_R, objective)).sum()
        assert posterior.logvar_BD is not None
        kld_D = (weight_R[:, None] * kl_standard_normal(posterior.mu_BD, posterior.logvar_BD)).sum(dim=0)
        entropy_B = entropy(log_q_NK[known:])
        class_kld = math.log(log_q_NK.shape[1]) - entropy_B.sum() / len(log_q_NK)
        class_loss = F.nll_loss(log_q_NK[:known], labelled.y_B)
        beta = context.beta.at(context.step)
        terms = {
            "reconstruction": nll,
            "kld": beta * constrained(kld_D, objective, context.step),
            "class_kld": class_kld,
            "class_loss": objective.classification_weight * class_loss,
        }
        right_L = log_q_NK[:known].argmax(dim=1) == labelled.y_B
        metrics = {
            "reconstruction": nll,
            **kld_metrics(kld_D, beta),
            **latent_metrics(
                Posterior(posterior.mu_BD[:known], posterior.logvar_BD[:known]), z_RD[:known], detail=context.detail
            ),
            "class_loss": class_loss,
            "class_entropy": entropy_B.mean(),
            "labelled_accuracy": right_L.float().mean(),
        }
        if objective.unlabelled != "marginal":
            metrics["temperature"] = torch.full_like(nll, tau)
        loss = nll + terms["kld"] + class_kld + terms["class_loss"]
        return Bound(loss, metrics, output[:known], terms)

    def training_step(self, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        """Minimise J of labelled and unlabelled images together (Kingma et al. 2014, eq. 9).

        ``pixel`` and the latents' metrics are those of the labelled images.
        """
        assert batch.labelled is not None
        loss, metrics, output, _ = self.bound(batch.labelled, batch.x_BCHW, context)
        update(context.optimizers["main"], loss)
        context.beta.update(metrics["kld_per_dim"].detach())
        pixel = mean_squared_error(output.detach().float().sigmoid(), batch.labelled.x_BCHW)
        return {name: value.detach() for name, value in {"loss": loss, **metrics, "pixel": pixel}.items()}
