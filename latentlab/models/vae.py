"""The variational auto-encoder, and what its conditional variant shares with it."""

from __future__ import annotations

from torch import Tensor, nn

from latentlab.core.messages import ModelInfo
from latentlab.models.base import Batch, LatentModel, Posterior, StepContext
from latentlab.models.kld import build_kld, constrained
from latentlab.models.latent_norm import with_latent_norm
from latentlab.models.latent_order import LatentOrder
from latentlab.models.networks import build_decoder, build_encoder
from latentlab.models.optim import update
from latentlab.models.principal_path import build_principal_path, silence, solvable_images
from latentlab.models.reconstruction import pixel_loss
from latentlab.models.statistics import kld_metrics, latent_metrics

MAX_LOGVAR = 20.0


def to_posterior(statistics_BE: Tensor) -> Posterior:
    """Split an encoder's (B, 2 D) output into mean and log variance, float32; the latter is held within +-20."""
    mu_BD, logvar_BD = statistics_BE.float().chunk(2, dim=1)
    return Posterior(mu_BD, logvar_BD.clamp(-MAX_LOGVAR, MAX_LOGVAR))


def draw(posterior: Posterior, context: StepContext) -> Tensor:
    """Return z ~ q(z|x) by the reparameterisation trick (Kingma & Welling 2013, eq. 4)."""
    assert posterior.logvar_BD is not None
    return posterior.mu_BD + (0.5 * posterior.logvar_BD).exp() * context.noise_like(posterior.mu_BD)


class Vae(LatentModel):
    """Auto-Encoding Variational Bayes (Kingma & Welling 2013); with a weight above 1, beta-VAE (Higgins et al. 2017).

    Loss, in nats per image: reconstruction summed over pixels + beta * KLD summed over dimensions, or what
    ``objective.kld_form`` makes of the KLD.

    With a weight of 0 this still draws z, and training shrinks the posteriors towards points (their standard
    deviation goes to 0 but costs the decoder a while); kind ``ae`` is the limit itself: no noise, no prior.
    """

    def __init__(self, info: ModelInfo, *, classes: int = 0) -> None:
        super().__init__(info)
        model = info.recipe.model
        encoder = build_encoder(model, info.image_shape, 2 * model.latent_dim, classes)
        self.encoder = with_latent_norm(encoder, model)
        self.decoder = build_decoder(model, info.image_shape, classes)
        self.order = LatentOrder(model.latent_dim, model.latent_decay) if model.latent_decay else None
        self.principal = build_principal_path(model, info.image_shape)
        self.kld = build_kld(info.recipe.objective.kld, model.latent_dim)

    def condition(self, y_B: Tensor | None, x_or_z: Tensor) -> Tensor | None:
        """Return what the networks are told beside image or z: nothing."""
        return None

    def posterior(self, x_BCHW: Tensor, code_BE: Tensor | None) -> Posterior:
        """Return q(z|x) of images in [0,1] beside a code of their classes, float32."""
        mu_BD, logvar_BD = to_posterior(self.encoder(x_BCHW, code_BE))
        posterior = Posterior(mu_BD if self.order is None else self.order(mu_BD), logvar_BD)
        return posterior if self.principal is None else self.principal.add_posterior(posterior, x_BCHW)

    def output(self, z_BD: Tensor, code_BE: Tensor | None) -> Tensor:
        """Return the logits of p(x|z) beside a code of the classes, (B, C, H, W)."""
        heard_BD = z_BD if self.order is None else self.order(z_BD)
        logits_BCHW: Tensor = self.decoder(heard_BD, code_BE)
        return logits_BCHW if self.principal is None else self.principal.add_image(logits_BCHW, z_BD)

    def encode(self, x_BCHW: Tensor, y_B: Tensor | None = None) -> Posterior:
        """Return q(z|x) of images in [0,1], float32."""
        return self.posterior(x_BCHW, self.condition(y_B, x_BCHW))

    def decode_logits(self, z_BD: Tensor, y_B: Tensor | None = None) -> Tensor:
        """Return what the sigmoid turns into images."""
        return self.output(z_BD, self.condition(y_B, z_BD))

    def decode(self, z_BD: Tensor, y_B: Tensor | None = None) -> Tensor:
        """Return images in [0,1], (B, C, H, W) float32."""
        return self.decode_logits(z_BD, y_B).float().sigmoid()

    def images_to_begin_on(self, total: int) -> int:
        """Return how many images the principal path is solved on; 0 where there is none."""
        return 0 if self.principal is None else solvable_images(total, self.info.image_shape)

    def begin_on(self, x_NCHW: Tensor) -> dict[str, float]:
        """Solve the principal path and let the networks begin silent beside it; return what it reaches."""
        if self.principal is None:
            return {}
        facts = self.principal.solve(x_NCHW)
        silence(self.encoder)
        silence(self.decoder)
        return facts

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Return one group, ``main``."""
        return {"main": list(self.parameters())}

    def training_step(self, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        """Minimise the negative evidence lower bound (Kingma & Welling 2013, eq. 3), the KLD weighed by beta."""
        with context.autocast():
            posterior = self.encode(batch.x_BCHW, batch.y_B)
            z_BD = draw(posterior, context)
            logits_BCHW = self.decode_logits(z_BD, batch.y_B)
        nll, pixel = pixel_loss(logits_BCHW, batch.x_BCHW, context.objective)
        kld_D = self.kld(posterior, z_BD, context.objective.kld_momentum)
        beta = context.beta.at(context.step)
        loss = nll + beta * constrained(kld_D, context.objective, context.step)
        update(context.optimizers["main"], loss)
        context.beta.update(kld_D.detach().mean())
        return {
            "loss": loss.detach(),
            "reconstruction": nll.detach(),
            "pixel": pixel,
            **kld_metrics(kld_D, beta),
            **latent_metrics(posterior, z_BD, detail=context.detail),
        }
