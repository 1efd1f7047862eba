"""The VAE-GAN: a VAE whose pixel error is replaced by the features of a discriminator."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from latentlab.core.messages import ModelInfo
from latentlab.models.adversarial import judged_fake, judged_real
from latentlab.models.base import Batch, StepContext
from latentlab.models.discriminator import Discriminator, FeatureMatching
from latentlab.models.reconstruction import mean_squared_error
from latentlab.models.statistics import kld_metrics, latent_metrics
from latentlab.models.vae import Vae, draw


class VaeGan(Vae):
    """Autoencoding beyond pixels using a learned similarity metric (Larsen et al. 2016).

    Each network has its own loss, and ``backward(inputs=...)`` makes sure that it gets no other
    (their Algorithm 1; all gradients come from the same forward pass and are applied together):

    - encoder: feature matching + beta * KLD per dimension (+ pixel MSE). Never an adversarial term.
    - decoder: feature matching + adversarial (+ pixel MSE). Never the KLD.
    - discriminator: real images against reconstructions and against samples of the prior.
    """

    def __init__(self, info: ModelInfo) -> None:
        super().__init__(info)
        self.discriminator = Discriminator(info.image_shape, info.recipe.model.discriminator_width)
        self.feature_matching = FeatureMatching(len(self.discriminator.levels))

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Return a group for each of the three networks."""
        networks = {"encoder": self.encoder, "decoder": self.decoder, "discriminator": self.discriminator}
        return {name: list(network.parameters()) for name, network in networks.items()}

    def training_step(self, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        """Update encoder, decoder and discriminator, each by its own loss."""
        objective, x_BCHW = context.objective, batch.x_BCHW
        with context.autocast():
            posterior = self.encode(x_BCHW)
            z_BD = draw(posterior, context)
            recon_BCHW = self.decode(z_BD)
            noise = objective.instance_noise
            real = self.discriminator(_blurred(x_BCHW, noise, context))
            recon = self.discriminator(_blurred(recon_BCHW, noise, context))
            fakes = {"recon": recon.logit_B} if objective.recon_fakes else {}
            if objective.prior_fakes:
                sample_BCHW = self.decode(context.noise_like(z_BD))
                fakes["fake"] = self.discriminator(_blurred(sample_BCHW, noise, context)).logit_B

        judgement = {"d_real": judged_real(real.logit_B, objective.label_smoothing)}
        judgement |= {f"d_{name}": judged_fake(logit_B) for name, logit_B in fakes.items()}
        generation = {f"g_{name}": judged_real(logit_B) for name, logit_B in fakes.items()}
        features = self.feature_matching(real.features, recon.features, normalise=objective.normalise_features)
        pixel = mean_squared_error(recon_BCHW, x_BCHW)
        kld_D = self.kld(posterior, z_BD, objective.kld_momentum)
        beta = context.beta.at(context.step)
        match = objective.feature_weight * features + objective.pixel_weight * pixel
        adversarial = objective.adversarial_weight * sum(generation.values(), torch.zeros_like(match))
        losses = {
            "discriminator": torch.stack(list(judgement.values())).sum(),
            "encoder": match + beta * kld_D.mean(),
            "decoder": match + adversarial,
        }
        self._update(losses, context)
        context.beta.update(kld_D.detach().mean())
        terms = {"pixel": pixel, "feature_matching": features, **judgement, **generation}
        loss = (losses["encoder"] + adversarial).detach()
        return {
            "loss": loss,
            **{name: term.detach() for name, term in terms.items()},
            **kld_metrics(kld_D, beta),
            **latent_metrics(posterior, z_BD),
        }

    def _update(self, losses: dict[str, Tensor], context: StepContext) -> None:
        """Give every network the gradient of its own loss, then let all take their step."""
        for name, parameters in self.parameter_groups().items():
            context.optimizers[name].zero_grad(set_to_none=True)
            # Weights outside ``inputs`` receive nothing, and their gradients are not even computed.
            torch.autograd.backward(losses[name], inputs=parameters, retain_graph=name != "discriminator")
        # Only now: a step changes weights that the other networks' gradients still need.
        for optimizer in context.optimizers.values():
            optimizer.step()


def _blurred(x_BCHW: Tensor, noise: float, context: StepContext) -> Tensor:
    """Return ``x_BCHW`` with instance noise of that standard deviation (Sonderby et al. 2017)."""
    return x_BCHW + noise * context.noise_like(x_BCHW) if noise > 0.0 else x_BCHW
