"""The conditional GAN: a decoder that is told a class, and a discriminator that asks whether the two belong together."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from latentlab.core.errors import InputError
from latentlab.core.messages import ModelInfo
from latentlab.core.recipe_model import ModelConfig
from latentlab.models.adversarial import judged_fake, judged_real
from latentlab.models.base import Batch, LatentModel, Posterior, StepContext
from latentlab.models.conditioning import build_class_code, class_planes, one_hot, require_classes
from latentlab.models.discriminator import Discriminator
from latentlab.models.layers import ImageShape, OutputLinear, activation, downsampled
from latentlab.models.networks import build_decoder

JOINT_UNITS = 128


class ClassDiscriminator(nn.Module):
    """A discriminator of images with their class, in one of three forms (``model.discriminator_conditioning``).

    ``planes``: K constant planes beside the image, so that every convolution sees the class (the text's Day 11).
    ``one-hot``: the class beside the last features, and a hidden layer that joins the two (Mirza & Osindero 2014).
    ``embedding``: a learned vector per class, and its inner product with the features summed over the image
    (the projection discriminator, Miyato & Koyama 2018). The last two are added to the image's own logit.
    """

    def __init__(self, model: ModelConfig, shape: ImageShape, classes: int) -> None:
        super().__init__()
        self.form, self.classes = model.discriminator_conditioning, classes
        height, width, channels = shape
        seen = channels + classes if self.form == "planes" else channels
        self.images = Discriminator((height, width, seen), model.discriminator_width)
        features = self.images.head.in_features
        if self.form == "one-hot":
            self.joint = nn.Sequential(nn.Linear(features + classes, JOINT_UNITS), activation())
            self.verdict = OutputLinear(JOINT_UNITS, 1)
        elif self.form == "embedding":
            self.class_directions = OutputLinear(classes, features // math.prod(downsampled(height, width)[-1]))

    def forward(self, x_BCHW: Tensor, y_B: Tensor) -> Tensor:
        """Return the logits (B,) of images in [0,1] being real and of class ``y_B``, float32."""
        class_BK = one_hot(y_B, len(x_BCHW), self.classes, x_BCHW.device)
        if self.form == "planes":
            # The network maps [0, 1] to [-1, 1]; this way the planes are 0 and 1 once they are inside.
            planes_BKHW = 0.5 + 0.5 * class_planes(class_BK, *x_BCHW.shape[-2:])
            only: Tensor = self.images(torch.cat([x_BCHW, planes_BKHW], dim=1)).logit_B
            return only
        judgement = self.images(x_BCHW)
        last_BCHW = judgement.features[-1]
        if self.form == "one-hot":
            beside = torch.cat([last_BCHW.flatten(1), class_BK.to(last_BCHW.dtype)], dim=1)
            match_B = self.verdict(self.joint(beside)).squeeze(1)
        else:
            match_B = (last_BCHW.sum(dim=(2, 3)) * self.class_directions(class_BK)).sum(dim=1)
        logit_B: Tensor = judgement.logit_B + match_B.float()
        return logit_B


class ConditionalGan(LatentModel):
    """Conditional Generative Adversarial Nets (Mirza & Osindero 2014), with the layers of DCGAN (Radford et al. 2016).

    The decoder's dense layers merge z and the class before transposed convolutions paint. There is no encoder:
    no image has a z, and nothing is reconstructed. Losses, in nats, are the non-saturating ones of Goodfellow
    et al. 2014; each reaches one network only.
    """

    def __init__(self, info: ModelInfo) -> None:
        super().__init__(info)
        model, classes = info.recipe.model, require_classes(info, "A conditional GAN")
        self.class_code = build_class_code(model.conditioning, classes)
        self.decoder = build_decoder(model, info.image_shape, self.class_code.size)
        self.discriminator = ClassDiscriminator(model, info.image_shape, classes)

    def encode(self, x_BCHW: Tensor, y_B: Tensor | None = None) -> Posterior:
        """Refuse: a GAN has no encoder."""
        raise InputError(
            "A cgan has no encoder: it makes pictures from z and a class, and cannot find the z of a picture",
            where="model.kind",
            hint="Use a cvae, an ssvae or a vaegan to encode and reconstruct.",
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
        """Update both networks from the same forward pass, each by its own loss."""
        objective, y_B = context.objective, batch.y_B
        assert y_B is not None
        noise_BD = batch.x_BCHW.new_empty(len(y_B), self.info.latent_dim)
        with context.autocast():
            fake_BCHW = self.decode(context.noise_like(noise_BD), y_B)
            real_B = self.discriminator(batch.x_BCHW, y_B)
            fake_B = self.discriminator(fake_BCHW, y_B)
        d_real, d_fake = judged_real(real_B, objective.label_smoothing), judged_fake(fake_B)
        g_fake = judged_real(fake_B)
        losses = {"decoder": g_fake, "discriminator": d_real + d_fake}
        self._update(losses, context)
        terms = {"loss": g_fake, "d_real": d_real, "d_fake": d_fake, "g_fake": g_fake}
        return {name: term.detach() for name, term in terms.items()}

    def _update(self, losses: dict[str, Tensor], context: StepContext) -> None:
        """Give each network the gradient of its own loss, then let both take their step."""
        for name, parameters in self.parameter_groups().items():
            context.optimizers[name].zero_grad(set_to_none=True)
            torch.autograd.backward(losses[name], inputs=parameters, retain_graph=name != "discriminator")
        for optimizer in context.optimizers.values():
            optimizer.step()
