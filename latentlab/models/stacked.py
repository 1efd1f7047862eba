"""M1+M2: a semi-supervised VAE that reads the latent of another VAE instead of pixels.

Shape suffixes as in ``semisupervised``; F dimensions of the first VAE's latent.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from latentlab.core.messages import ModelInfo
from latentlab.core.recipe import ObjectiveConfig
from latentlab.models.base import Batch, LabelledBatch, LatentModel, Posterior, StepContext
from latentlab.models.conditioning import build_class_code, require_classes
from latentlab.models.kld import kl_standard_normal
from latentlab.models.likelihood import diagonal_gaussian_nll
from latentlab.models.networks import MlpEncoder
from latentlab.models.optim import update
from latentlab.models.reconstruction import pixel_loss
from latentlab.models.semisupervised import Rows, SemiSupervisedVae
from latentlab.models.vae import Vae, draw, to_posterior


class StackedVae(SemiSupervisedVae):
    """M1+M2 of Kingma et al. 2014: M2 over the latent z1 of a plain VAE (``first``), with p(z1|z2,y) Gaussian.

    The paper trains M1, freezes it, then trains M2 on samples of q(z1|x). Here both learn in one run: no gradient
    of M2 ever reaches M1, so that M1 is exactly the VAE it would be alone, and after ``objective.features_steps``
    M1 stays as it is while M2 goes on. M2's networks have one hidden layer, whatever M1's are.
    """

    def __init__(self, info: ModelInfo) -> None:
        LatentModel.__init__(self, info)
        recipe, features = info.recipe, info.recipe.model.features_dim
        model = recipe.model
        self.class_code = build_class_code(model.conditioning, require_classes(info, "A semi-supervised VAE"))
        alone = model.model_copy(update={"kind": "vae", "latent_dim": features, "latent_batch_norm": False})
        self.first = Vae(replace(info, recipe=recipe.model_copy(update={"model": alone})))
        shape, known = (1, 1, features), self.class_code.size
        self.classifier = MlpEncoder(shape, model.width, info.num_classes)
        self.encoder = MlpEncoder(shape, model.width, 2 * model.latent_dim, known)
        self.decoder = MlpEncoder((1, 1, model.latent_dim), model.width, 2 * features, known)

    def class_probabilities(self, x_BCHW: Tensor) -> Tensor:
        """Return q(y|z1) at the mean of q(z1|x) of images in [0,1], (B, K) float32."""
        return self.log_class_probabilities(self.first.encode(x_BCHW).mu_BD).exp()

    def images_to_begin_on(self, total: int) -> int:
        """Return how many images M1's principal path is solved on; 0 where there is none."""
        return self.first.images_to_begin_on(total)

    def begin_on(self, x_NCHW: Tensor) -> dict[str, float]:
        """Solve M1's principal path; return what it reaches."""
        return self.first.begin_on(x_NCHW)

    def posterior(self, x_BCHW: Tensor, code_BE: Tensor | None) -> Posterior:
        """Return q(z2|z1,y) of M1's latents beside a code of the classes, float32."""
        return to_posterior(self.encoder(x_BCHW, code_BE))

    def output(self, z_BD: Tensor, code_BE: Tensor | None) -> Tensor:
        """Return mean and log variance of p(z1|z2,y), (B, 2 F)."""
        statistics_BE: Tensor = self.decoder(z_BD, code_BE)
        return statistics_BE

    def encode(self, x_BCHW: Tensor, y_B: Tensor | None = None) -> Posterior:
        """Return q(z2|z1,y) at the mean of q(z1|x), with the most probable class where none is given."""
        code_BE = self.condition(self.classes_of(x_BCHW, y_B), x_BCHW)
        return self.posterior(self.first.encode(x_BCHW).mu_BD, code_BE)

    def decode_logits(self, z_BD: Tensor, y_B: Tensor | None = None) -> Tensor:
        """Return what the sigmoid turns into images, by way of the mean of p(z1|z2,y)."""
        mean_BF, _ = to_posterior(self.output(z_BD, self.condition(y_B, z_BD)))
        return self.first.decode_logits(mean_BF)

    def row_nll(self, output: Tensor, rows: Rows, weight_R: Tensor, objective: ObjectiveConfig) -> Tensor:
        """Return -log p(z1|z2,y) of each row, (R,) nats."""
        mean_RF, logvar_RF = to_posterior(output)
        assert logvar_RF is not None
        return diagonal_gaussian_nll(rows.x_RCHW, mean_RF, logvar_RF)

    def training_step(self, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        """Minimise the negative bound of M1, as long as it learns, and J of M2 on samples of z1.

        Kingma et al. 2014, section 3.1 and eq. 9.
        """
        assert batch.labelled is not None
        x_NCHW, known = torch.cat([batch.labelled.x_BCHW, batch.x_BCHW]), len(batch.labelled.y_B)
        learns = context.step < context.objective.features_steps
        with torch.set_grad_enabled(learns), context.autocast():
            posterior = self.first.encode(x_NCHW)
            features_NF = draw(posterior, context)
            logits_NCHW = self.first.decode_logits(features_NF)
        first_nll, pixel = pixel_loss(logits_NCHW, x_NCHW, context.objective)
        assert posterior.logvar_BD is not None
        first_kld = kl_standard_normal(posterior.mu_BD, posterior.logvar_BD).mean(dim=0).sum()
        fixed_NF = features_NF.detach()
        second = self.bound(LabelledBatch(fixed_NF[:known], batch.labelled.y_B), fixed_NF[known:], context)
        # Without a gradient of its own, the optimiser leaves M1 alone, momentum included.
        loss = second.loss + first_nll + first_kld
        update(context.optimizers["main"], loss)
        context.beta.update(second.metrics["kld_per_dim"].detach())
        metrics = {
            **second.metrics,
            "loss": loss,
            "reconstruction": first_nll,
            "pixel": pixel,
            "features_kld": first_kld,
            "features_nll": second.metrics["reconstruction"],
        }
        return {name: value.detach() for name, value in metrics.items()}
