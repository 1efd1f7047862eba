"""What pulls at each network: the terms of its loss one by one, with their gradients.

The training steps themselves add the terms up and go backward once. To know who pulls, the terms are taken apart
here, for a part of the batch and now and then; that the parts make up the step's own gradient is tested.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from latentlab.models.ae import AutoEncoder
from latentlab.models.attributes import attribute_loss
from latentlab.models.base import Batch, LabelledBatch, LatentModel, StepContext
from latentlab.models.cgan import ConditionalGan
from latentlab.models.discriminator import Judgement
from latentlab.models.feature_matching import Targets
from latentlab.models.kld import constrained
from latentlab.models.reconstruction import mean_squared_error, pixel_loss
from latentlab.models.referee import Referee
from latentlab.models.semisupervised import SemiSupervisedVae
from latentlab.models.stacked import StackedVae
from latentlab.models.vae import Vae, draw
from latentlab.models.vaegan import VaeGan
from latentlab.models.vaegan_round import Round

Terms = dict[str, dict[str, Tensor]]
"""Network to term to a scalar with its graph."""


def loss_terms(model: LatentModel, batch: Batch, context: StepContext) -> Terms:
    """Return the terms, weighted, that each network of ``model`` minimises in this step."""
    if isinstance(model, VaeGan):
        return _vaegan_terms(model, batch, context)
    if isinstance(model, ConditionalGan):
        return _cgan_terms(model, batch, context)
    if isinstance(model, SemiSupervisedVae):
        return _semisupervised_terms(model, batch, context)
    if isinstance(model, Vae):
        return _vae_terms(model, batch, context)
    assert isinstance(model, AutoEncoder)
    with context.autocast():
        logits_BCHW = model.decoder(model.encode(batch.x_BCHW).mu_BD)
    nll = {"reconstruction": pixel_loss(logits_BCHW, batch.x_BCHW, context.objective).nll}
    return {"encoder": nll, "decoder": nll}


def _vae_terms(model: Vae, batch: Batch, context: StepContext) -> Terms:
    with context.autocast():
        posterior = model.encode(batch.x_BCHW, batch.y_B)
        z_BD = draw(posterior, context)
        logits_BCHW = model.decode_logits(z_BD, batch.y_B)
    nll = pixel_loss(logits_BCHW, batch.x_BCHW, context.objective).nll
    kld_D = model.kld(posterior, z_BD, context.objective.kld_momentum)
    weighed = context.beta.at(context.step) * constrained(kld_D, context.objective, context.step)
    return {"encoder": {"reconstruction": nll, "kld": weighed}, "decoder": {"reconstruction": nll}}


def _semisupervised_terms(model: SemiSupervisedVae, batch: Batch, context: StepContext) -> Terms:
    """Return the terms of the bound; of M1+M2 those of M2, which reads M1's latents as they are."""
    assert batch.labelled is not None
    labelled, x_BCHW = batch.labelled, batch.x_BCHW
    if isinstance(model, StackedVae):
        with torch.no_grad(), context.autocast():
            features_NF = draw(model.first.encode(torch.cat([labelled.x_BCHW, x_BCHW])), context)
        known = len(labelled.y_B)
        labelled, x_BCHW = LabelledBatch(features_NF[:known], labelled.y_B), features_NF[known:]
    terms = model.bound(labelled, x_BCHW, context).terms
    decoder = {"reconstruction": terms["reconstruction"]}
    return {"encoder": {**decoder, "kld": terms["kld"]}, "decoder": decoder, "classifier": terms}


def _cgan_terms(model: ConditionalGan, batch: Batch, context: StepContext) -> Terms:
    x_BCHW, y_B, generator = batch.x_BCHW, batch.y_B, context.generator
    assert y_B is not None
    referee = Referee(context, x_BCHW)
    z_BD = context.noise_like(x_BCHW.new_empty(len(x_BCHW), model.info.latent_dim))
    with context.autocast():
        fake_BCHW = model.decode(z_BD, y_B)
        real_B = model.discriminator(referee.shown(x_BCHW), y_B, generator)
        fakes = {"fake": model.discriminator(referee.shown(fake_BCHW), y_B, generator)}
    judged = referee.real(real_B) | referee.fakes(real_B, fakes)
    _, penalty = referee.penalty(lambda images: model.discriminator(images, y_B), x_BCHW)
    r1 = {} if penalty is None else {"r1": penalty}
    return {"decoder": referee.generated(real_B, fakes), "discriminator": judged | r1}


def _vaegan_terms(model: VaeGan, batch: Batch, context: StepContext) -> Terms:
    objective, x_BCHW, game = context.objective, batch.x_BCHW, Round(model, batch, context)
    alone = context.step < objective.adversarial_delay
    with context.autocast():
        posterior = model.encode(x_BCHW)
        z_BD = draw(posterior, context)
        recon_BCHW = model.decode(z_BD)
        fake_BCHW = model.decode(context.noise_like(z_BD)) if game.samples and not alone else None
    kld_D = model.kld(posterior, z_BD, objective.kld_momentum)
    kld = {"kld": context.beta.at(context.step) * constrained(kld_D, objective, context.step) / len(kld_D)}
    weight = objective.pixel_weight or (1.0 if alone else 0.0)
    shared = {"pixel": weight * mean_squared_error(recon_BCHW, x_BCHW)} if weight else {}
    if alone:
        return {"encoder": shared | kld, "decoder": shared}
    (real, x), recon = game.look_twice(), game.look(recon_BCHW)
    fake = None if fake_BCHW is None else game.look(fake_BCHW)
    targets, fakes = game.observe(x), game.chosen(recon, fake)
    features = {"feature": game.feature_loss(targets, recon)} if objective.feature_weight else {}
    generated = game.referee.generated(real.logit_B, fakes) if objective.adversarial_weight else {}
    encoder = shared | (features if objective.encoder_feature_matching else {}) | kld
    decoder = shared | features | {name: objective.adversarial_weight * term for name, term in generated.items()}
    return {
        "encoder": encoder,
        "decoder": decoder | _decoder_extras(model, batch, context, (targets, recon, fake)),
        "discriminator": _discriminator_terms(game, batch, context, (real, x), fakes),
    }


def _decoder_extras(
    model: VaeGan, batch: Batch, context: StepContext, seen: tuple[Targets, Judgement, Judgement | None]
) -> dict[str, Tensor]:
    objective, (targets, recon, fake), terms = context.objective, seen, {}
    if objective.prior_feature_weight > 0.0 and fake is not None:
        matching: Tensor = model.feature_matching(targets, fake.features, objective)
        terms["feature_prior"] = objective.prior_feature_weight * matching
    if objective.decoder_attribute_weight > 0.0 and recon.attribute_BA is not None and batch.a_BA is not None:
        terms["attributes"] = objective.decoder_attribute_weight * attribute_loss(recon.attribute_BA, batch.a_BA)
    return terms


def _discriminator_terms(
    game: Round, batch: Batch, context: StepContext, seen: tuple[Judgement, Judgement], fakes: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    (real, x), objective = seen, context.objective
    terms = game.referee.real(real.logit_B)
    _, penalty = game.referee.penalty(lambda images: game.discriminator(images).logit_B, game.real_BCHW)
    if penalty is not None:
        terms["r1"] = penalty
    terms |= game.referee.fakes(real.logit_B, fakes)
    if objective.attribute_weight > 0.0 and x.attribute_BA is not None and batch.a_BA is not None:
        terms["attributes"] = objective.attribute_weight * attribute_loss(x.attribute_BA, batch.a_BA)
    return terms


def gradients(terms: Terms, model: LatentModel) -> dict[str, dict[str, list[Tensor]]]:
    """Return the gradient of each term by the weights of its network: one tensor per weight that it reaches."""
    found: dict[str, dict[str, list[Tensor]]] = {}
    for network, parts in terms.items():
        module = getattr(model, network)
        assert isinstance(module, nn.Module)
        weights = [weight for weight in module.parameters() if weight.requires_grad]
        found[network] = {name: _gradient(term, weights) for name, term in parts.items()}
    return found


def _gradient(term: Tensor, weights: list[nn.Parameter]) -> list[Tensor]:
    if not term.requires_grad:
        return [torch.zeros_like(weight) for weight in weights]
    # The graph is kept for the terms to come; a weight that a term does not reach gets zeros.
    found = torch.autograd.grad(term, weights, retain_graph=True, allow_unused=True)
    return [torch.zeros_like(w) if g is None else g for g, w in zip(found, weights, strict=True)]
