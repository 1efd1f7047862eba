"""Rules about the loss as a whole: overflow ahead, weights out of scale, overfitting, plateau."""

from __future__ import annotations

import numpy as np

from latentlab.core.doctor_finding import Finding, Fix, scaled
from latentlab.core.doctor_latent import PATIENCE
from latentlab.core.doctor_record import Record
from latentlab.core.metrics import TEST_PREFIX
from latentlab.core.metrics_signals import SHARE_TERMS, share_name
from latentlab.core.recipe_base import ADVERSARIAL

SUDDEN, HUGE = 100.0, 1e5
"""Growth over the last values, and a size, after which float arithmetic soon gives up."""
DROWNS = 0.975
"""Share of one term in a gradient beside which the others do not count."""
WORSE = 1.12
"""How much worse than its best the test error may be."""
BETTER = 0.003
"""Relative improvement over a third of the run that is still one."""
_WATCHED = ("loss", "kld_nats", "reconstruction", "feature_matching", "z_var", "z_std_max", "z_mean_max")
_FLOORS = {"kld_nats": 2.0, "loss": 1.0, "reconstruction": 1.0}
"""Values below which a growth means nothing yet: a KLD begins at 0, a log-likelihood crosses it."""
_WEIGHTS = {
    ("encoder", "pixel"): "pixel_weight",
    ("encoder", "feature"): "feature_weight",
    ("decoder", "pixel"): "pixel_weight",
    ("decoder", "feature"): "feature_weight",
    ("decoder", "feature_prior"): "prior_feature_weight",
    ("decoder", "g_recon"): "adversarial_weight",
    ("decoder", "g_fake"): "adversarial_weight",
    ("decoder", "attributes"): "decoder_attribute_weight",
    ("discriminator", "attributes"): "attribute_weight",
    ("discriminator", "r1"): "r1_weight",
    ("classifier", "class_loss"): "classification_weight",
}


def nan_ahead(record: Record) -> Finding | None:
    """A loss has jumped by orders of magnitude, or a value is so large that its square is none."""
    for name in _WATCHED:
        values = np.abs(record.newest(name, 60))
        if len(values) < 15:
            continue
        before, now = float(np.median(values[:-5])), float(np.median(values[-3:]))
        usual = float(np.median(np.abs(record.values(name))))
        rising = now > SUDDEN * max(before, usual, _FLOORS.get(name, 1e-3)) and values[-1] >= values[-4]
        if not rising and now < HUGE:
            continue
        if not rising and name in ("loss", "reconstruction") and now < 3.0 * before:
            continue  # Sums over a large image are large from the start.
        return Finding(
            "nan-ahead",
            int(record.step),
            "The training is about to break: a value runs away, and soon it will not be a number.",
            f"{name} is {now:.3g}, it was {before:.3g} shortly before",
            scaled(record.recipe, "training.lr", 0.2),
        )
    return None


def weight_out_of_scale(record: Record) -> Finding | None:
    """One weighted term drowns all others in the gradient of a network, measurement after measurement."""
    for network, terms in SHARE_TERMS.items():
        known = [term for term in terms if len(record.newest(share_name(network, term), 3)) == 3]
        for term in known if len(known) > 1 else ():
            share = record.newest(share_name(network, term), 3)
            weight = _WEIGHTS.get((network, term))
            if weight is None or share.min() < DROWNS:
                continue
            times = float(share[-1] / max(1.0 - share[-1], 1e-4))
            return Finding(
                "weight-out-of-scale",
                int(record.step),
                f"{term.replace('_', ' ').capitalize()} drowns everything else that the {network} should learn.",
                f"{share[-1]:.1%} of the {network}'s gradient, {times:.0f} times all other terms together; "
                f"objective.{weight} is {getattr(record.recipe.objective, weight):g}",
                scaled(record.recipe, f"objective.{weight}", 1.0 / min(max(times, 10.0), 1000.0)),
            )
    return None


def overfitting(record: Record) -> Finding | None:
    """The test error was clearly better before, while the training error goes on falling."""
    for name in ("reconstruction", "pixel"):
        tested = record.series.get(TEST_PREFIX + name)
        if record.kind in ADVERSARIAL or tested is None or len(tested[0]) < 8:
            continue
        steps, values = tested
        smooth = np.convolve(values, np.ones(3) / 3, mode="valid")
        best = int(np.argmin(smooth))
        at = float(steps[best + 1])
        if at > 0.7 * record.step or _gap(smooth[-1], smooth[best], name) < WORSE:
            continue
        share = at / record.step
        then, now = record.median(name, 0.9 * share, 1.1 * share), record.median(name, 0.9)
        if then is None or now is None or now >= then:
            continue
        return Finding(
            "overfitting",
            int(record.step),
            "The model learns the training images by heart: on test images it gets worse.",
            f"test {name} {values[-1]:.4g} now, {smooth[best]:.4g} around step {at:.0f}; in training {now:.4g} "
            f"after {then:.4g}",
            Fix("Stop and keep the run: the best checkpoint is in it", action="stop"),
        )
    return None


def _gap(now: float, best: float, name: str) -> float:
    """Return how many times worse ``now`` is; a log-likelihood may be negative, and is compared by nats per tenth."""
    return now / best if best > 0 else 1.0 + (now - best) / max(abs(best), 1e-9)


def plateau(record: Record) -> Finding | None:
    """For a third of the run nothing got better, on test images or in training."""
    name = "pixel" if record.kind == "vaegan" else "loss" if record.kind != "cgan" else ""
    tested = record.series.get("test_pixel")
    if not name or tested is None or len(tested[0]) < 12 or record.step < 5 * PATIENCE:
        return None
    if record.recipe.training.lr_schedule != "constant":
        return None
    steps, values = tested
    late = steps > 2 / 3 * record.step
    before, now = values[~late], values[late]
    train_before, train_now = record.median(name, 0.4, 0.6), record.median(name, 0.85)
    if len(now) < 4 or len(before) < 6 or train_before is None or train_now is None:
        return None
    better = 1.0 - float(np.median(now)) / float(np.median(before[-len(now) :]))
    learns = (train_before - train_now) / max(abs(train_before), 1e-9)
    if better > BETTER or learns > BETTER or better < -0.05:
        return None
    return Finding(
        "plateau",
        int(record.step),
        "Nothing has improved for a third of the run: a smaller learning rate may still find something.",
        f"test pixel loss {float(np.median(now)):.4g}, before {float(np.median(before[-len(now) :])):.4g}",
        scaled(record.recipe, "training.lr", 0.3),
    )
