"""The plain auto-encoder: a VAE without noise and without prior, to compare the others with."""

from __future__ import annotations

from torch import Tensor, nn

from latentlab.core.messages import ModelInfo
from latentlab.models.base import Batch, LatentModel, Posterior, StepContext
from latentlab.models.latent_norm import with_latent_norm
from latentlab.models.networks import build_decoder, build_encoder
from latentlab.models.optim import update
from latentlab.models.reconstruction import pixel_loss
from latentlab.models.statistics import latent_metrics


class AutoEncoder(LatentModel):
    """Auto-encoder (Rumelhart, Hinton & Williams 1986): codes without a distribution."""

    def __init__(self, info: ModelInfo) -> None:
        super().__init__(info)
        model = info.recipe.model
        self.encoder = with_latent_norm(build_encoder(model, info.image_shape, model.latent_dim), model)
        self.decoder = build_decoder(model, info.image_shape)

    def encode(self, x_BCHW: Tensor, y_B: Tensor | None = None) -> Posterior:
        """Return the codes as ``mu_BD``; ``logvar_BD`` is None."""
        codes_BD: Tensor = self.encoder(x_BCHW)
        return Posterior(codes_BD.float(), None)

    def decode(self, z_BD: Tensor, y_B: Tensor | None = None) -> Tensor:
        """Return images in [0,1], (B, C, H, W) float32."""
        logits_BCHW: Tensor = self.decoder(z_BD)
        return logits_BCHW.float().sigmoid()

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Return one group, ``main``."""
        return {"main": list(self.parameters())}

    def training_step(self, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        """Minimise the reconstruction error of the codes (Rumelhart, Hinton & Williams 1986)."""
        with context.autocast():
            posterior = self.encode(batch.x_BCHW)
            logits_BCHW = self.decoder(posterior.mu_BD)
        loss, pixel = pixel_loss(logits_BCHW, batch.x_BCHW, context.objective)
        update(context.optimizers["main"], loss)
        return {
            "loss": loss.detach(),
            "reconstruction": loss.detach(),
            "pixel": pixel,
            **latent_metrics(posterior, posterior.mu_BD, detail=context.detail),
        }
