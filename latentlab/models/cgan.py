"""The conditional GAN: a decoder that is told a class, and a discriminator that asks whether they belong together."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from latentlab.core.errors import InputError
from latentlab.core.messages import ModelInfo
from latentlab.models.adversarial import accuracy, probabilities, verdicts
from latentlab.models.balance import Rests, backward, rests, step
from latentlab.models.base import Batch, LatentModel, Posterior, StepContext
from latentlab.models.class_discriminator import ClassDiscriminator
from latentlab.models.conditioning import build_class_code, one_hot, require_classes
from latentlab.models.networks import build_decoder
from latentlab.models.referee import Referee

# Heard beside the 32 dimensions of z of the recipes, and no louder: there is no encoder to speak up for z. On MNIST
# 1 takes several times as many steps to be obeyed, and from 3 on there is soon one picture per class.
CLASS_SIGNAL = 2.0


class ConditionalGan(LatentModel):
    """Conditional Generative Adversarial Nets (Mirza & Osindero 2014), with the layers of DCGAN (Radford et al. 2016).

    The decoder's dense layers merge z and the class before transposed convolutions paint. Batch norm, as in all
    of DCGAN's generator, keeps their outputs apart over the batch: without it the decoder paints one picture for
    every z and class within some hundred steps. There is no encoder: no image has a z, and nothing is reconstructed.
    """

    def __init__(self, info: ModelInfo) -> None:
        super().__init__(info)
        model, classes = info.recipe.model, require_classes(info, "A conditional GAN")
        self.class_code = build_class_code(model.conditioning, classes, CLASS_SIGNAL)
        self.decoder = build_decoder(model, info.image_shape, self.class_code.size, dense_norm=True)
        self.discriminator = ClassDiscriminator(model, info.image_shape, classes)

    def encode(self, x_BCHW: Tensor, y_B: Tensor | None = None) -> Posterior:
        """Refuse: a GAN has no encoder."""
        raise InputError(
            "A cgan has no encoder: it makes pictures from z and a class, and cannot find the z of a picture",
            where="model.kind",
            hint="Train a cvae or a vaegan to encode and reconstruct.",
        )

    def decode(self, z_BD: Tensor, y_B: Tensor | None = None) -> Tensor:
        """Return images in [0,1], (B, C, H, W) float32."""
        code_BE = self.class_code(one_hot(y_B, len(z_BD), self.info.num_classes, z_BD.device))
        logits_BCHW: Tensor = self.decoder(z_BD, code_BE)
        return logits_BCHW.float().sigmoid()

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Return a group for the decoder, with its code of the classes, and one for the discriminator."""
        generating = [*self.class_code.parameters(), *self.decoder.parameters()]
        return {"decoder": generating, "discriminator": list(self.discriminator.parameters())}

    def training_step(self, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        """Update both networks from the same forward pass, each by its own loss (Mirza & Osindero 2014, eq. 2).

        Fakes have the batch's classes.
        """
        x_BCHW, y_B, generator = batch.x_BCHW, batch.y_B, context.generator
        assert y_B is not None
        gan_loss, referee = context.objective.gan_loss, Referee(context, x_BCHW)
        z_BD = context.noise_like(x_BCHW.new_empty(len(x_BCHW), self.info.latent_dim))
        with context.autocast():
            fake_BCHW = self.decode(z_BD, y_B)
            real_B = self.discriminator(referee.shown(x_BCHW), y_B, generator)
            fakes = {"fake": self.discriminator(referee.shown(fake_BCHW), y_B, generator)}

        judged = referee.real(real_B) | referee.fakes(real_B, fakes)
        r1, penalty = referee.penalty(lambda images: self.discriminator(images, y_B), x_BCHW)
        generated = referee.generated(real_B, fakes)
        losses = {
            "decoder": generated["g_fake"],
            "discriminator": torch.stack([*judged.values(), *([] if penalty is None else [penalty])]).sum(),
        }
        margins = verdicts(real_B, fakes, gan_loss)
        resting = rests(margins, context.objective)
        self._update(losses, context, resting)

        terms = {"loss": losses["decoder"], **judged, **generated, **r1, "d_accuracy": accuracy(margins)}
        if context.detail and not referee.pairs:
            terms |= probabilities(margins)
        if resting is not None:
            terms |= {"d_updates": 1.0 - resting.discriminator, "g_updates": 1.0 - resting.decoder}
        return {name: term.detach() for name, term in terms.items()}

    def _update(self, losses: dict[str, Tensor], context: StepContext, resting: Rests | None) -> None:
        """Give each network the gradient of its own loss, then let all but the resting take their step."""
        for name, parameters in self.parameter_groups().items():
            context.optimizers[name].zero_grad(set_to_none=True)
            backward(losses[name], parameters, keep=name != "discriminator")
        for name, optimizer in context.optimizers.items():
            step(optimizer, getattr(resting, name, None))
