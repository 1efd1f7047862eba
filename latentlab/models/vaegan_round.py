"""The parts of a VAE-GAN's training step, from which every order of updates is put together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from latentlab.models.adversarial import accuracy, probabilities, verdicts
from latentlab.models.attributes import attribute_accuracy, attribute_loss
from latentlab.models.balance import Rests, rests
from latentlab.models.base import Batch, StepContext
from latentlab.models.discriminator import Judgement
from latentlab.models.feature_matching import Targets, feature_scales
from latentlab.models.referee import Referee

if TYPE_CHECKING:
    from latentlab.models.vaegan import VaeGan


class Round:
    """One step of the game: losses with the weights as they are at the moment of asking, and its metrics.

    ``metrics`` holds detached device scalars by the names of ``latentlab.core.metrics``.
    """

    def __init__(self, model: VaeGan, batch: Batch, context: StepContext) -> None:
        self.discriminator, self._matching = model.discriminator, model.feature_matching
        self._batch, self._context, self._objective = batch, context, context.objective
        self.referee = Referee(context, batch.x_BCHW)
        self.metrics: dict[str, Tensor] = {}
        self._margins: dict[str, Tensor] = {}
        self._rests: list[Rests] = []
        self._discriminator_loss: list[Tensor] = []

    @property
    def real_BCHW(self) -> Tensor:
        """The real images that the discriminator is to recognise."""
        other_BCHW = self._batch.other_BCHW
        return self._batch.x_BCHW if other_BCHW is None else other_BCHW

    @property
    def samples(self) -> bool:
        """Whether this step needs samples of the prior."""
        return self._objective.prior_fakes or self._objective.prior_feature_weight > 0.0

    def look(self, x_BCHW: Tensor) -> Judgement:
        """Show images to the discriminator."""
        context, objective = self._context, self._objective
        with context.autocast():
            shown_BCHW = self.referee.shown(x_BCHW)
            activated = objective.feature_activation == "after"
            judgement: Judgement = self.discriminator(shown_BCHW, activated=activated, generator=context.generator)
        return judgement

    def look_twice(self) -> tuple[Judgement, Judgement]:
        """Return what is said of the real images, and of those that are reconstructed; often the same."""
        x = self.look(self._batch.x_BCHW)
        return (x if self._batch.other_BCHW is None else self.look(self.real_BCHW)), x

    def chosen(self, recon: Judgement, fake: Judgement | None) -> dict[str, Tensor]:
        """Return the logits of what the discriminator is to recognise as fakes."""
        fakes = {"recon": recon.logit_B} if self._objective.recon_fakes else {}
        return fakes | ({"fake": fake.logit_B} if self._objective.prior_fakes and fake is not None else {})

    def real_loss(self, real: Judgement, x: Judgement) -> Tensor:
        """Return the discriminator's loss on real images: GAN loss + R1 + weighted attributes."""
        if not self.referee.pairs:
            self._margins["real"] = real.logit_B.detach()
        metric, penalty = self.referee.penalty(lambda images: self.discriminator(images).logit_B, self.real_BCHW)
        terms = self._note(self.referee.real(real.logit_B))
        terms += [] if penalty is None else [penalty]
        self._note(metric)
        self._discriminator_loss += [term.detach() for term in terms]
        return total([*terms, *self._attributes(x)], real.logit_B)

    def fake_loss(self, real_B: Tensor | None, fakes: Mapping[str, Tensor]) -> Tensor:
        """Return the discriminator's loss on fakes; ``real_B`` matters for relativistic pairs only."""
        self._margins.update(verdicts(real_B if self.referee.pairs else None, fakes, self._objective.gan_loss))
        terms = self._note(self.referee.fakes(real_B, fakes))
        self._discriminator_loss += [term.detach() for term in terms]
        return total(terms, next(iter(fakes.values()), real_B))

    def adversarial_loss(self, real_B: Tensor | None, fakes: Mapping[str, Tensor], like: Tensor) -> Tensor:
        """Return the decoder's weighted adversarial loss."""
        terms = self._note(self.referee.generated(real_B, fakes))
        return self._objective.adversarial_weight * total(terms, like)

    def observe(self, x: Judgement) -> Targets:
        """Return the features to match; once per step, as the running scales follow them."""
        targets = self._matching.observe(x.features)
        self._note(feature_scales(targets))
        return targets

    def feature_loss(self, targets: Targets, recon: Judgement) -> Tensor:
        """Return the weighted feature matching of reconstructions (Larsen et al. 2016, eq. 7)."""
        features: Tensor = self._matching(targets, recon.features, self._objective)
        self._note({"feature_matching": features})
        return self._objective.feature_weight * features

    def decoder_extras(self, targets: Targets, recon: Judgement, fake: Judgement | None) -> Tensor:
        """Return what else the decoder may learn from: features of prior samples, attributes of reconstructions."""
        objective, a_BA, terms = self._objective, self._batch.a_BA, []
        if objective.prior_feature_weight > 0.0 and fake is not None:
            features = self._matching(targets, fake.features, objective)
            self._note({"feature_matching_prior": features})
            terms.append(objective.prior_feature_weight * features)
        if objective.decoder_attribute_weight > 0.0 and recon.attribute_BA is not None and a_BA is not None:
            attributes = attribute_loss(recon.attribute_BA, a_BA)
            self._note({"attributes_recon": attributes})
            terms.append(objective.decoder_attribute_weight * attributes)
        return total(terms, recon.logit_B)

    def rests(self, *kinds: str) -> Rests | None:
        """Decide who rests, by how the discriminator did on these kinds of images (all, where none is named)."""
        margins = {kind: margin_B for kind, margin_B in self._margins.items() if not kinds or kind in kinds}
        decided = rests(margins, self._objective)
        self._rests += [] if decided is None else [decided]
        return decided

    def finish(self, fake_BCHW: Tensor | None) -> dict[str, Tensor]:
        """Return all metrics, after the last loss."""
        if self._margins:
            self.metrics["d_accuracy"] = accuracy(self._margins)
            if self._context.detail and not self.referee.pairs:
                self.metrics |= probabilities(self._margins)
        if self._rests:
            resting = torch.stack([torch.stack(decided) for decided in self._rests]).mean(dim=0)
            self.metrics["d_updates"], self.metrics["g_updates"] = (1.0 - resting).unbind()
        if "attributes" in self.metrics:
            weighted = self._objective.attribute_weight * self.metrics["attributes"]
            whole = total([*self._discriminator_loss, weighted], weighted)
            self.metrics["attribute_share"] = weighted / whole.clamp(min=1e-8)
        if fake_BCHW is not None:
            self.metrics["sample_spread"] = relative_spread(fake_BCHW, self._batch.x_BCHW)
        return self.metrics

    def _attributes(self, x: Judgement) -> list[Tensor]:
        a_BA = self._batch.a_BA
        if self._objective.attribute_weight == 0.0 or x.attribute_BA is None or a_BA is None:
            return []
        loss = attribute_loss(x.attribute_BA, a_BA)
        self._note({"attributes": loss, "attribute_accuracy": attribute_accuracy(x.attribute_BA, a_BA)})
        return [self._objective.attribute_weight * loss]

    def _note(self, terms: Mapping[str, Tensor]) -> list[Tensor]:
        """Add to the metrics and return the terms themselves."""
        self.metrics.update({name: term.detach() for name, term in terms.items()})
        return list(terms.values())


def total(terms: Iterable[Tensor], like: Tensor | None) -> Tensor:
    """Return the sum of scalars; a constant 0 on the device of ``like`` where there is none."""
    listed = list(terms)
    if listed:
        return torch.stack(listed).sum()
    assert like is not None
    return like.new_zeros(())


def relative_spread(fake_BCHW: Tensor, x_BCHW: Tensor) -> Tensor:
    """Return the root mean squared distance of two samples, divided by that of two images of the batch."""
    with torch.no_grad():
        return (fake_BCHW.var(dim=0).mean() / x_BCHW.var(dim=0).mean().clamp(min=1e-12)).sqrt()
