"""The VAE-GAN: a VAE whose pixel error is replaced by the features of a discriminator."""

from __future__ import annotations

from torch import Tensor, nn

from latentlab.core.messages import ModelInfo
from latentlab.models.balance import Rests, backward, step
from latentlab.models.base import Batch, StepContext
from latentlab.models.discriminator import build_discriminator
from latentlab.models.feature_matching import FeatureMatching
from latentlab.models.kld import constrained
from latentlab.models.reconstruction import mean_squared_error
from latentlab.models.statistics import kld_metrics, latent_metrics
from latentlab.models.vae import Vae, draw
from latentlab.models.vaegan_orders import pixel_step, sequential_step
from latentlab.models.vaegan_round import Round


class VaeGan(Vae):
    """Autoencoding beyond pixels using a learned similarity metric (Larsen et al. 2016).

    Each network has its own loss and gets no other (their Algorithm 1):

    - encoder: feature matching + beta * KLD per dimension (+ pixel MSE). Never an adversarial term.
    - decoder: feature matching + adversarial (+ pixel MSE, attributes of reconstructions). Never the KLD.
    - discriminator: real images against reconstructions and against samples of the prior (+ R1, attributes).
    """

    def __init__(self, info: ModelInfo) -> None:
        super().__init__(info)
        self.discriminator = build_discriminator(info.recipe.model, info.image_shape, len(info.attribute_names))
        self.feature_matching = FeatureMatching(len(self.discriminator.levels))

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Return a group for each of the three networks."""
        networks = {"encoder": self.encoder, "decoder": self.decoder, "discriminator": self.discriminator}
        return {name: list(network.parameters()) for name, network in networks.items()}

    def training_step(self, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        """Update the three networks, each by its own loss, in the recipe's order (Larsen et al. 2016, Algorithm 1)."""
        if context.step < context.objective.adversarial_delay:
            return pixel_step(self, batch, context)
        if context.objective.update_order == "sequential":
            return sequential_step(self, batch, context)
        return self._step_together(batch, context)

    def _step_together(self, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        """Take all gradients from one forward pass and apply them together (Larsen et al. 2016, Algorithm 1)."""
        objective, x_BCHW, game = context.objective, batch.x_BCHW, Round(self, batch, context)
        with context.autocast():
            posterior = self.encode(x_BCHW)
            z_BD = draw(posterior, context)
            recon_BCHW = self.decode(z_BD)
            fake_BCHW = self.decode(context.noise_like(z_BD)) if game.samples else None
        (real, x), recon = game.look_twice(), game.look(recon_BCHW)
        fake = None if fake_BCHW is None else game.look(fake_BCHW)
        targets, fakes = game.observe(x), game.chosen(recon, fake)

        pixel = mean_squared_error(recon_BCHW, x_BCHW)
        kld_D, beta = self.kld(posterior, z_BD, objective.kld_momentum), context.beta.at(context.step)
        weighed_kld = beta * constrained(kld_D, objective, context.step) / len(kld_D)
        features, match = game.feature_loss(targets, recon), objective.pixel_weight * pixel
        adversarial = game.adversarial_loss(real.logit_B, fakes, pixel)
        losses = {
            "discriminator": game.real_loss(real, x) + game.fake_loss(real.logit_B, fakes),
            "encoder": (match + features if objective.encoder_feature_matching else match) + weighed_kld,
            "decoder": match + features + adversarial + game.decoder_extras(targets, recon, fake),
        }
        self._update(losses, context, game.rests())
        context.beta.update(kld_D.detach().mean())
        return {
            "loss": (losses["decoder"] + weighed_kld).detach(),
            "pixel": pixel.detach(),
            **game.finish(fake_BCHW),
            **kld_metrics(kld_D, beta),
            **latent_metrics(posterior, z_BD, detail=context.detail),
        }

    def _update(self, losses: dict[str, Tensor], context: StepContext, resting: Rests | None) -> None:
        """Give every network the gradient of its own loss, then let all but the resting take their step."""
        for name, parameters in self.parameter_groups().items():
            context.optimizers[name].zero_grad(set_to_none=True)
            backward(losses[name], parameters, keep=name != "discriminator")
        # Only now: a step changes weights that the other networks' gradients still need.
        for name, optimizer in context.optimizers.items():
            step(optimizer, getattr(resting, name, None))
