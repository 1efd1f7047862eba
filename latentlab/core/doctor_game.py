"""Rules about the discriminator, what it does to the decoder, and the samples that come of it."""

from __future__ import annotations

import numpy as np

from latentlab.core.doctor_finding import Finding, change, scaled
from latentlab.core.doctor_latent import PATIENCE
from latentlab.core.doctor_record import Record
from latentlab.core.recipe_base import ADVERSARIAL

SPREAD, LEVEL = 0.16, 0.15
"""Spread and brightness of samples, as shares of the data's, below which they are one picture, or black."""
SURE, GUESSING = 0.985, 0.56
"""Accuracies of a discriminator that has won, and of one that has not begun."""
TURNS = 0.95
"""A discriminator whose accuracy falls below this now and then is still in the game."""
GROWTH = 20.0


def in_play(record: Record) -> bool:
    """Whether a discriminator teaches the decoder."""
    if record.kind == "cgan":
        return True
    objective = record.recipe.objective
    plays = objective.adversarial_weight > 0.0 and (objective.recon_fakes or objective.prior_fakes)
    return record.kind == "vaegan" and plays and record.step > objective.adversarial_delay + PATIENCE


def sample_collapse(record: Record) -> Finding | None:
    """Samples of the prior are all alike, or black, measurement after measurement."""
    spread, level = record.newest("test_sample_spread", 3), record.newest("test_sample_level", 3)
    if record.step < 1.5 * PATIENCE or min(len(spread), len(level)) < 3 or spread.max() > SPREAD:
        return None
    black = level.max() < LEVEL
    if not black and record.kind not in ADVERSARIAL and record.median("active_units", 2 / 3) == 0:
        return None  # That is posterior collapse, and said as such.
    what = "Samples have gone black" if black else "Samples have become one and the same picture"
    recipe = record.recipe
    if record.kind == "vaegan":
        fix = scaled(recipe, "objective.adversarial_weight", 0.1)
    elif record.kind == "cgan":
        fix = change(recipe, "objective.instance_noise", 0.1) or scaled(recipe, "training.discriminator_lr", 0.25)
    else:
        fix = scaled(recipe, "objective.initial_beta", 0.1)
    return Finding(
        "sample-collapse",
        int(record.step),
        f"{what}: whatever z is, the decoder paints the same.",
        f"spread {float(spread[-1]):.2g} and brightness {float(level[-1]):.2g} of the data's",
        fix,
    )


def discriminator_too_strong(record: Record) -> Finding | None:
    """The discriminator is always right and sure of it: the decoder has nothing left to learn from."""
    accuracy, fake = record.newest("d_accuracy", 20), record.newest("d_prob_fake", 20)
    fake = fake if len(fake) else record.newest("d_prob_recon", 20)
    if not in_play(record) or record.step < PATIENCE or len(accuracy) < 20 or accuracy.mean() < SURE:
        return None
    if accuracy.min() < TURNS:
        return None
    if len(fake) < 5 or np.median(fake) > 0.05 or (record.level("d_updates", 10) or 1.0) < 0.9:
        return None
    return Finding(
        "discriminator-too-strong",
        int(record.step),
        "The discriminator has won: it tells every picture from a real one, and the decoder learns nothing from it.",
        f"right on {accuracy.mean():.1%} of the images, D(fake) {float(np.median(fake)):.2g}",
        scaled(record.recipe, "training.discriminator_lr", 0.25),
    )


def discriminator_too_weak(record: Record) -> Finding | None:
    """The discriminator has guessed for a third of the run although pictures are far from real."""
    accuracy = record.values("d_accuracy", 2 / 3)
    if not in_play(record) or record.step < 1.5 * PATIENCE or len(accuracy) < 10 or accuracy.mean() > GUESSING:
        return None
    spread = record.level("test_sample_spread", 2)
    real, fake = record.level("d_prob_real", 5), record.level("d_prob_fake", 5) or record.level("d_prob_recon", 5)
    if real is None or fake is None or abs(real - fake) > 0.1 or spread is None or 0.7 < spread < 1.3:
        return None
    return Finding(
        "discriminator-too-weak",
        int(record.step),
        "The discriminator only guesses, although samples do not look like the data: it teaches the decoder nothing.",
        f"right on {accuracy.mean():.0%}, D(real) {real:.2f}, D(fake) {fake:.2f}, samples' spread {spread:.2g}",
        scaled(record.recipe, "training.discriminator_lr", 4.0),
    )


def exploding_features(record: Record) -> Finding | None:
    """Features of the discriminator grow without bound, and linear feature matching with them."""
    if record.kind != "vaegan" or record.recipe.objective.normalise_features or record.step < PATIENCE:
        return None
    for level in range(6, 0, -1):
        name = f"feature_rms_{level}"
        start, before, now = record.values(name, 0.0, 0.1), record.median(name, 0.5, 0.75), record.level(name, 5)
        if not len(start) or before is None or now is None:
            continue
        first = max(float(np.median(start[:5])), 1e-6)
        if now > GROWTH * first and now > 1.1 * before:
            return Finding(
                "exploding-features",
                int(record.step),
                "The discriminator's features explode, and feature matching, which is not normalised, with them.",
                f"level {level}: RMS {now:.3g}, {now / first:.0f} times the first ones, and still growing",
                change(record.recipe, "objective.normalise_features", True),
            )
    return None
