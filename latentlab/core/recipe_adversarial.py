"""Settings of ``[objective]`` that concern a discriminator: losses, labels, features, and who trains when."""

from __future__ import annotations

from latentlab.core.recipe_base import ADVERSARIAL, Section, setting


class AdversarialSettings(Section):
    """Feature matching, adversarial loss, and what keeps the two networks in balance."""

    feature_weight: float = setting(
        1.0,
        "Weight of feature matching in the encoder's and decoder's loss.",
        ge=0.0,
        le=1e4,
        live=True,
        kinds=["vaegan"],
    )
    pixel_weight: float = setting(
        0.0,
        "Weight of the pixel loss beside feature matching; 0 as in the texts.",
        ge=0.0,
        le=1e4,
        live=True,
        kinds=["vaegan"],
    )
    adversarial_weight: float = setting(
        1.0,
        "Weight of the generator's adversarial loss in the decoder's loss.",
        ge=0.0,
        le=1e4,
        live=True,
        kinds=["vaegan"],
    )
    recon_fakes: bool = setting(True, "Show reconstructions to the discriminator as fakes.", kinds=["vaegan"])
    prior_fakes: bool = setting(
        True, "Show samples decoded from the prior to the discriminator as fakes.", kinds=["vaegan"]
    )
    normalise_features: bool = setting(
        True,
        "Divide features by their running RMS before matching, so that their scale cannot explode.",
        kinds=["vaegan"],
    )
    label_smoothing: float = setting(0.0, "Real label becomes 1 - s.", ge=0.0, le=0.5, live=True, kinds=["vaegan"])
    separate_batches: bool = setting(
        False,
        "Show the discriminator real images of another batch than the one that was reconstructed.",
        kinds=ADVERSARIAL,
        advanced=True,
    )
    instance_noise: float = setting(
        0.0,
        "Standard deviation of noise added to the discriminator's inputs.",
        ge=0.0,
        le=1.0,
        live=True,
        kinds=["vaegan"],
    )
