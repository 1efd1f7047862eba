"""Rules about the posterior, the prior, and the weight between them."""

from __future__ import annotations

from latentlab.core.doctor_finding import Finding, Fix, change, scaled
from latentlab.core.doctor_record import Record
from latentlab.core.recipe_base import PROBABILISTIC

PATIENCE = 200
"""Steps before any rule that is about a state, not about a sudden change: every training starts unsettled."""
COLLAPSED = 0.02
"""KLD per dimension, nats, below which a posterior says nothing."""
EXPLODING, FAR_ABOVE = 8.0, 10.0
"""KLD per dimension, nats, that no data asks for; and how many times its target is far."""
MISMATCH = 0.7
"""KL per dimension of the aggregate posterior's moments from the prior, nats: e.g. a spread of 2.1, or 1.2 off."""


def held(record: Record) -> bool:
    """Whether the rule of the weight steers to a target."""
    return record.recipe.objective.beta in ("adaptive", "pi") and record.recipe.objective.kld_form != "capacity"


def posterior_collapse(record: Record) -> Finding | None:
    """All dimensions are dead and the KLD is nothing, for a third of the run, while the KLD has a weight."""
    kld, active = record.values("kld_per_dim", 2 / 3), record.values("active_units", 2 / 3)
    if record.kind not in PROBABILISTIC or record.step < PATIENCE or min(len(kld), len(active)) < 5:
        return None
    beta = record.level("beta", 5) or 0.0
    if kld.max() > COLLAPSED or active.max() > 0 or beta <= 0.0:
        return None
    recipe, dim = record.recipe, record.recipe.model.latent_dim
    if held(record):
        fix = scaled(recipe, "objective.target_kld", 3.0)
    elif recipe.objective.kld_form == "capacity":
        fix = scaled(recipe, "objective.capacity", 2.0)
    else:
        fix = scaled(recipe, "objective.initial_beta", 0.1)
    return Finding(
        "posterior-collapse",
        int(record.step),
        "The latent space is ignored: every posterior is the prior, and the decoder paints the same for all images.",
        f"0 of {dim} dimensions active, KLD {float(kld.mean()) * dim:.2g} nats, β {beta:.3g}",
        fix,
    )


def exploding_kld(record: Record) -> Finding | None:
    """The KLD is far above its target, or beyond all measure, and still grows."""
    now = record.level("kld_per_dim", 5)
    before, early = record.median("kld_per_dim", 0.5, 0.75), record.median("kld_per_dim", 0.75, 0.9)
    if record.kind not in PROBABILISTIC or record.step < PATIENCE or now is None or before is None or early is None:
        return None
    target = record.recipe.objective.target_kld if held(record) else None
    high = now > EXPLODING if target is None else now > max(FAR_ABOVE * target, 1.0)
    beta = record.level("beta", 5) or 0.0
    if not high or not now > 1.1 * early > 1.1 * 1.1 * before or (beta <= 0.0 and target is None):
        return None
    wanted = f", target {target:g}" if target is not None else ""
    pull = record.level("share_encoder_feature", 1)
    evidence = f"KLD {now:.3g} nats per dimension, {now / before:.1f} times that of a third of the run ago{wanted}"
    evidence += f", β {beta:.3g}"
    if pull is not None and pull > 0.8:
        sentence = "The KLD explodes: feature matching drives the encoder out of the prior faster than β pulls it back."
        fix = scaled(record.recipe, "objective.feature_weight", 0.1)
        evidence += f"; feature matching makes {pull:.0%} of the encoder's gradient"
    else:
        sentence = "The KLD explodes: the posteriors move ever further away from the prior."
        adaptive = record.recipe.objective.beta == "adaptive"
        fix = scaled(record.recipe, "objective.beta_step" if adaptive else "objective.initial_beta", 10.0)
    return Finding("exploding-kld", int(record.step), sentence, evidence, fix)


def prior_mismatch(record: Record) -> Finding | None:
    """All posteriors together lie elsewhere than the prior, and stay there: samples come from where nothing is."""
    gap = record.newest("test_prior_gap", 4)
    if record.kind not in PROBABILISTIC or record.step < 2 * PATIENCE or len(gap) < 4 or gap.min() < MISMATCH:
        return None
    if gap[-1] < 0.8 * gap[0]:  # It is on its way.
        return None
    length = record.level("test_z_norm_mean", 2)
    told = "" if length is None else f"; z is {length:.2g} times as long as the prior's"
    recipe = record.recipe
    fix = scaled(recipe, "objective.target_kld", 0.5) if held(record) else scaled(recipe, "objective.initial_beta", 3.0)
    return Finding(
        "prior-mismatch",
        int(record.step),
        "The images' latents do not fill the prior: samples are drawn where the decoder has never been.",
        f"moments of z are {float(gap[-1]):.2g} nats per dimension away from N(0, 1){told}",
        fix,
    )


def beta_saturated(record: Record) -> Finding | None:
    """The rule for β has come to the end of its range, or turns it without an effect."""
    if record.kind not in PROBABILISTIC or not held(record) or record.step < 1.5 * PATIENCE:
        return None
    objective = record.recipe.objective
    beta, kld = record.values("beta", 2 / 3), record.values("kld_per_dim", 2 / 3)
    if min(len(beta), len(kld)) < 9:
        return None
    now, then = float(kld[-len(kld) // 3 :].mean()), float(kld[: len(kld) // 3].mean())
    target, low = objective.target_kld, 1e-5 if objective.beta == "pi" else 1e-9
    ahead = now + 4.5 * max(now - then, 0.0)  # As far as the KLD would come in as many steps again.
    if beta.max() <= low and kld.max() < target and ahead < target:
        lower = change(record.recipe, "objective.target_kld", 0.8 * now)
        return _saturated(record, "lies at the bottom of its range and the KLD stays below its target by itself", lower)
    up = beta.min() >= 0.9e6 if objective.beta == "pi" else bool(beta[-1] > 2.0 * beta[0] > 20.0)
    if up and now > 2.0 * target and now > 0.95 * then:
        raised = change(record.recipe, "objective.target_kld", now)
        return _saturated(record, "grows and grows and the KLD does not come down to its target", raised)
    return None


def _saturated(record: Record, what: str, fix: Fix | None) -> Finding:
    beta, kld = record.level("beta", 5), record.level("kld_per_dim", 5)
    evidence = f"β {beta:.2g}, KLD {kld:.3g} nats per dimension, target {record.recipe.objective.target_kld:g}"
    return Finding("beta-saturated", int(record.step), f"β {what}: it steers nothing.", evidence, fix)
