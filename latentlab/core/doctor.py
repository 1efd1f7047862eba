"""The doctor: says in one plain sentence what goes wrong in a training, with the evidence and a fix.

Pure functions of a run's metrics and recipe, so that a training can be watched and a run on disk examined alike.
The rules are in ``doctor_latent`` and ``doctor_game``; thresholds stand beside the rules, and
``scripts/doctor_table.py`` shows for each rule a training that provokes it and that no healthy recipe does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from latentlab.core import doctor_game, doctor_latent, doctor_loss
from latentlab.core.doctor_finding import Finding, Fix
from latentlab.core.doctor_record import Record

__all__ = ["RULES", "Finding", "Fix", "Record", "Rule", "diagnose", "replay"]


@dataclass(frozen=True)
class Rule:
    """One rule: its name, what it is called on screen, and the function that looks."""

    name: str
    title: str
    look: Callable[[Record], Finding | None]
    severity: Literal["warning", "note"] = "warning"


RULES: tuple[Rule, ...] = (
    Rule("nan-ahead", "Numbers about to overflow", doctor_loss.nan_ahead),
    Rule("posterior-collapse", "Posterior collapse", doctor_latent.posterior_collapse),
    Rule("exploding-kld", "Exploding KLD", doctor_latent.exploding_kld),
    Rule("prior-mismatch", "Prior mismatch", doctor_latent.prior_mismatch),
    Rule("beta-saturated", "β saturated", doctor_latent.beta_saturated),
    Rule("sample-collapse", "Samples collapse", doctor_game.sample_collapse),
    Rule("discriminator-too-strong", "Discriminator too strong", doctor_game.discriminator_too_strong),
    Rule("discriminator-too-weak", "Discriminator too weak", doctor_game.discriminator_too_weak),
    Rule("exploding-features", "Exploding features", doctor_game.exploding_features),
    Rule("weight-out-of-scale", "A weight out of scale", doctor_loss.weight_out_of_scale),
    Rule("overfitting", "Overfitting", doctor_loss.overfitting),
    Rule("plateau", "Plateau", doctor_loss.plateau, "note"),
)


def diagnose(record: Record) -> list[Finding]:
    """Return what is wrong at the record's newest step, the most urgent first."""
    return [finding for rule in RULES if (finding := rule.look(record)) is not None]


def replay(record: Record, looks: int = 100) -> dict[str, Finding]:
    """Examine a run as if it were watched: return, by rule, the first finding of each."""
    found: dict[str, Finding] = {}
    last = record.step
    for step in np.linspace(last / looks, last, looks) if last > 0 else ():
        for finding in diagnose(record.until(float(step))):
            found.setdefault(finding.rule, finding)
    return found
