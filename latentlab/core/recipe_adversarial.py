"""Settings of ``[objective]`` that concern a discriminator: losses, labels, features, and who trains when."""

from __future__ import annotations

from typing import Literal

from latentlab.core.recipe_base import ADVERSARIAL, Section, setting

GanLoss = Literal["non-saturating", "saturating", "hinge", "relativistic"]
UpdateOrder = Literal["together", "sequential"]
FeatureLayer = Literal["all", "last", "1", "2", "3", "4", "5", "6"]
FeatureActivation = Literal["after", "before"]
VAEGAN = ["vaegan"]


class FeatureSettings(Section):
    """What the reconstruction is compared by: the discriminator's features, and pixels beside them."""

    feature_weight: float = setting(
        1.0,
        "Weight of feature matching in the encoder's and decoder's loss.",
        ge=0.0,
        le=1e4,
        live=True,
        kinds=VAEGAN,
    )
    encoder_feature_matching: bool = setting(
        True,
        "Feature matching teaches the encoder too; off: the decoder only, and the encoder learns from the KLD "
        "and the pixel loss.",
        live=True,
        kinds=VAEGAN,
        advanced=True,
    )
    prior_feature_weight: float = setting(
        0.0,
        "Weight of feature matching between prior samples and images in the decoder's loss "
        "(the first VAE-GAN text's second term).",
        ge=0.0,
        le=1e4,
        live=True,
        kinds=VAEGAN,
        advanced=True,
    )
    feature_layer: FeatureLayer = setting(
        "all",
        "Level of the discriminator whose features are matched: all, last, or a number from 1, the finest; "
        "a number beyond the last level means the last.",
        live=True,
        kinds=VAEGAN,
        advanced=True,
    )
    feature_activation: FeatureActivation = setting(
        "after",
        "Match features after or before each level's non-linearity.",
        live=True,
        kinds=VAEGAN,
        advanced=True,
    )
    normalise_features: bool = setting(
        True,
        "Divide features by their running RMS before matching, so that their scale cannot explode.",
        live=True,
        kinds=VAEGAN,
    )
    pixel_weight: float = setting(
        0.0,
        "Weight of the pixel loss beside feature matching; 0 as in the texts.",
        ge=0.0,
        le=1e4,
        live=True,
        kinds=VAEGAN,
    )
    attribute_weight: float = setting(
        0.0,
        "Weight of the attributes in the discriminator's loss: cross-entropy averaged, not summed, over "
        "attributes and the labels that are present.",
        ge=0.0,
        le=1e4,
        live=True,
        kinds=VAEGAN,
    )
    decoder_attribute_weight: float = setting(
        0.0,
        "Weight in the decoder's loss of the attributes that the discriminator reads from reconstructions.",
        ge=0.0,
        le=1e4,
        live=True,
        kinds=VAEGAN,
        advanced=True,
    )


class GameSettings(Section):
    """The game between discriminator and decoder: what they play for, and who moves when."""

    adversarial_weight: float = setting(
        1.0,
        "Weight of the generator's adversarial loss in the decoder's loss.",
        ge=0.0,
        le=1e4,
        live=True,
        kinds=VAEGAN,
    )
    gan_loss: GanLoss = setting(
        "non-saturating",
        "What discriminator and decoder play for: cross-entropy with the non-saturating or the saturating "
        "generator, hinge, or relativistic pairs.",
        live=True,
        kinds=ADVERSARIAL,
    )
    recon_fakes: bool = setting(True, "Show reconstructions to the discriminator as fakes.", live=True, kinds=VAEGAN)
    prior_fakes: bool = setting(
        True, "Show samples decoded from the prior to the discriminator as fakes.", live=True, kinds=VAEGAN
    )
    update_order: UpdateOrder = setting(
        "together",
        "together: all networks learn from one pass and step at once. sequential: a step per loss, each seen "
        "by the next (Part 3 of the splatoon texts); slower.",
        live=True,
        kinds=VAEGAN,
        advanced=True,
    )
    adversarial_delay: int = setting(
        0,
        "Steps before the discriminator plays a part; until then only pixels teach, with pixel_weight, or 1 "
        "where that is 0.",
        ge=0,
        unit="steps",
        live=True,
        kinds=VAEGAN,
        advanced=True,
    )
    r1_weight: float = setting(
        0.0,
        "Weight of the R1 penalty: half the squared gradient of the discriminator at real images in [-1,1].",
        ge=0.0,
        le=1e4,
        live=True,
        kinds=ADVERSARIAL,
        advanced=True,
    )
    r1_every: int = setting(
        1,
        "Apply R1 every so many steps, that much stronger (StyleGAN2's lazy regularisation).",
        ge=1,
        le=1000,
        unit="steps",
        live=True,
        kinds=ADVERSARIAL,
        advanced=True,
    )
    equilibrium: float = setting(
        0.0,
        "Discriminator loss per image around which the game is even (0.68 is usual); 0 is off. Where a loss is "
        "further below than the margin, the discriminator rests; further above, the decoder.",
        ge=0.0,
        le=10.0,
        unit="nats",
        live=True,
        kinds=ADVERSARIAL,
    )
    equilibrium_margin: float = setting(
        0.35,
        "How far from the equilibrium either loss may be before a network rests.",
        ge=0.0,
        le=10.0,
        unit="nats",
        live=True,
        kinds=ADVERSARIAL,
        advanced=True,
    )


class LabelSettings(Section):
    """What the discriminator is told and shown: soft, noisy and flipped labels, noise, batches."""

    label_smoothing: float = setting(
        0.0,
        "Label of real images becomes 1 - s.",
        ge=0.0,
        le=0.5,
        live=True,
        kinds=ADVERSARIAL,
    )
    fake_label_smoothing: float = setting(
        0.0,
        "Label of fake images becomes s.",
        ge=0.0,
        le=0.5,
        live=True,
        kinds=ADVERSARIAL,
        advanced=True,
    )
    label_noise: float = setting(
        0.0,
        "Move each label by a random amount of up to this much towards the other.",
        ge=0.0,
        le=0.5,
        live=True,
        kinds=ADVERSARIAL,
        advanced=True,
    )
    label_flip_every: int = setting(
        0,
        "Every so many steps the labels of real and fake are exchanged for a while; 0 is never.",
        ge=0,
        le=1_000_000,
        unit="steps",
        live=True,
        kinds=ADVERSARIAL,
        advanced=True,
    )
    label_flip_steps: int = setting(
        1,
        "How many steps the labels stay exchanged, at the end of each period of label_flip_every.",
        ge=1,
        le=100_000,
        unit="steps",
        live=True,
        kinds=ADVERSARIAL,
        advanced=True,
    )
    instance_noise: float = setting(
        0.0,
        "Standard deviation of noise added to the discriminator's inputs.",
        ge=0.0,
        le=1.0,
        live=True,
        kinds=ADVERSARIAL,
    )
    instance_noise_steps: int = setting(
        0,
        "Step at which the instance noise has faded to nothing, in a straight line; 0: it stays.",
        ge=0,
        unit="steps",
        live=True,
        kinds=ADVERSARIAL,
        advanced=True,
    )
    separate_batches: bool = setting(
        False,
        "Show the discriminator real images of another batch than the one that was reconstructed.",
        kinds=VAEGAN,
        advanced=True,
    )


# pydantic lists the fields of the last base first.
class AdversarialSettings(LabelSettings, GameSettings, FeatureSettings):
    """Feature matching, adversarial loss, and what keeps the two networks in balance."""
