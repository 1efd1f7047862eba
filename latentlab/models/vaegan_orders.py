"""Other ways through a VAE-GAN's training step: a step per loss, and pixels alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from latentlab.models.balance import Rests, backward, step
from latentlab.models.base import Batch, Posterior, StepContext
from latentlab.models.kld import constrained
from latentlab.models.reconstruction import mean_squared_error
from latentlab.models.statistics import kld_metrics, latent_metrics
from latentlab.models.vae import draw
from latentlab.models.vaegan_round import Round

if TYPE_CHECKING:
    from latentlab.models.vaegan import VaeGan


def sequential_step(model: VaeGan, batch: Batch, context: StepContext) -> dict[str, Tensor]:
    """Update after every loss, so that each sees what the one before it changed (splatoon text, Part 3).

    The order is the author's: discriminator on real images; discriminator, then decoder, on reconstructions;
    discriminator, then decoder, on prior samples; encoder and decoder on features (and pixels); encoder on
    the KLD. The author went through all networks anew for every loss. Here what came out is used for as long
    as the weights that it came from stand still, with two passes of the encoder and three of the decoder
    instead of four each, and no gradient is computed that nobody uses; the weights come out the same.
    """
    objective, moves = context.objective, _Moves(model, batch, context)
    moves.discriminate_real()
    losses = [moves.play("recon", moves.z_BD.detach())] if objective.recon_fakes else []
    losses += [moves.play("fake", moves.prior_BD)] if objective.prior_fakes else []
    losses += [moves.match(), moves.constrain()]
    return {"loss": torch.stack(losses).sum(), **moves.game.finish(moves.fake_BCHW), **moves.metrics}


class _Moves:
    """The updates of one step, in turn. The same z and prior samples serve all of them."""

    def __init__(self, model: VaeGan, batch: Batch, context: StepContext) -> None:
        self._model, self._context, self._x_BCHW = model, context, batch.x_BCHW
        self._groups = model.parameter_groups()
        self.game = Round(model, batch, context)
        with context.autocast():
            posterior = model.encode(batch.x_BCHW)
        self._noise_BD = context.noise_like(posterior.mu_BD)
        self.z_BD = self._drawn(posterior)
        self.prior_BD = context.noise_like(self.z_BD)
        self.fake_BCHW: Tensor | None = None
        self.metrics: dict[str, Tensor] = {}

    def discriminate_real(self) -> None:
        """Teach the discriminator what is real."""
        loss = self.game.real_loss(*self.game.look_twice())
        self._move(loss, "discriminator", self.game.rests("real"))

    def play(self, kind: str, z_BD: Tensor) -> Tensor:
        """Teach the discriminator that what is decoded from ``z_BD`` is fake, then the decoder to pass it off."""
        with self._context.autocast():
            image_BCHW = self._model.decode(z_BD)
        logit_B = self.game.look(image_BCHW.detach()).logit_B
        loss = self.game.fake_loss(self._paired(), {kind: logit_B})
        resting = self.game.rests(kind)
        self._move(loss, "discriminator", resting)
        logit_B = self.game.look(image_BCHW).logit_B
        loss = self.game.adversarial_loss(self._paired(), {kind: logit_B}, logit_B)
        self._move(loss, "decoder", resting)
        if kind == "fake":
            self.fake_BCHW = image_BCHW.detach()
        return loss.detach()

    def match(self) -> Tensor:
        """Teach encoder and decoder to reconstruct."""
        objective, model = self._context.objective, self._model
        with self._context.autocast():
            recon_BCHW = model.decode(self.z_BD)
            fake_BCHW = model.decode(self.prior_BD) if objective.prior_feature_weight > 0.0 else None
        with torch.no_grad():
            targets = self.game.observe(self.game.look(self._x_BCHW))
        recon = self.game.look(recon_BCHW)
        fake = None if fake_BCHW is None else self.game.look(fake_BCHW)
        pixel = mean_squared_error(recon_BCHW, self._x_BCHW)
        shared = objective.pixel_weight * pixel
        features, extras = self.game.feature_loss(targets, recon), self.game.decoder_extras(targets, recon, fake)
        self._clear("encoder", "decoder")
        taught = [*self._groups["encoder"], *self._groups["decoder"]]
        if objective.encoder_feature_matching:
            backward(shared + features, taught, keep=extras.requires_grad)
            backward(extras, self._groups["decoder"])
        else:
            # An encoder that learns nothing here must not move at all: not even by its momentum.
            backward(features + extras, self._groups["decoder"], keep=objective.pixel_weight > 0.0)
            if objective.pixel_weight > 0.0:
                backward(shared, taught)
        self._step("encoder")
        self._step("decoder")
        self.metrics["pixel"] = pixel.detach()
        return (shared + features + extras).detach()

    def constrain(self) -> Tensor:
        """Teach the encoder to keep its posterior near the prior."""
        context, model = self._context, self._model
        with context.autocast():
            posterior = model.encode(self._x_BCHW)
        z_BD = self._drawn(posterior)
        kld_D, beta = model.kld(posterior, z_BD, context.objective.kld_momentum), context.beta.at(context.step)
        loss = beta * constrained(kld_D, context.objective, context.step) / len(kld_D)
        self._move(loss, "encoder")
        context.beta.update(kld_D.detach().mean())
        self.metrics |= {**kld_metrics(kld_D, beta), **latent_metrics(posterior, z_BD, detail=context.detail)}
        return loss.detach()

    def _drawn(self, posterior: Posterior) -> Tensor:
        assert posterior.logvar_BD is not None
        return posterior.mu_BD + (0.5 * posterior.logvar_BD).exp() * self._noise_BD

    def _paired(self) -> Tensor | None:
        """Return the logits of real images that fakes are paired with, where they are."""
        return self.game.look(self.game.real_BCHW).logit_B if self.game.referee.pairs else None

    def _move(self, loss: Tensor, network: str, resting: Rests | None = None) -> None:
        self._clear(network)
        backward(loss, self._groups[network])
        self._step(network, resting)

    def _clear(self, *networks: str) -> None:
        for network in networks:
            self._context.optimizers[network].zero_grad(set_to_none=True)

    def _step(self, network: str, resting: Rests | None = None) -> None:
        step(self._context.optimizers[network], getattr(resting, network, None))


def pixel_step(model: VaeGan, batch: Batch, context: StepContext) -> dict[str, Tensor]:
    """Update encoder and decoder on pixels and the KLD alone, before the discriminator plays a part.

    A discriminator that judges noise learns to tell it in no time, and then has nothing to teach; Rombach et
    al. 2022 let pixels go first for the same reason.
    """
    with context.autocast():
        posterior = model.encode(batch.x_BCHW)
        z_BD = draw(posterior, context)
        recon_BCHW = model.decode(z_BD)
    pixel = mean_squared_error(recon_BCHW, batch.x_BCHW)
    kld_D, beta = model.kld(posterior, z_BD, context.objective.kld_momentum), context.beta.at(context.step)
    weighed_kld = beta * constrained(kld_D, context.objective, context.step) / len(kld_D)
    loss = (context.objective.pixel_weight or 1.0) * pixel + weighed_kld
    groups = model.parameter_groups()
    for name in ("encoder", "decoder"):
        context.optimizers[name].zero_grad(set_to_none=True)
    backward(loss, [*groups["encoder"], *groups["decoder"]])
    for name in ("encoder", "decoder"):
        step(context.optimizers[name])
    context.beta.update(kld_D.detach().mean())
    metrics = {"loss": loss.detach(), "pixel": pixel.detach()}
    return {**metrics, **kld_metrics(kld_D, beta), **latent_metrics(posterior, z_BD, detail=context.detail)}
