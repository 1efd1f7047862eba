"""Which module computes which measures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set

from latentlab.core.measures import Measure
from latentlab.training.evaluation.bound import measure_bound
from latentlab.training.evaluation.classes import measure_classes
from latentlab.training.evaluation.frechet import measure_frechet
from latentlab.training.evaluation.importance import measure_importance
from latentlab.training.evaluation.latents import measure_latents
from latentlab.training.evaluation.principal import measure_principal
from latentlab.training.evaluation.probe import measure_probe
from latentlab.training.evaluation.reconstruction import measure_reconstruction
from latentlab.training.evaluation.samples import measure_samples
from latentlab.training.evaluation.subject import Findings, Subject

FAMILIES: dict[str, Callable[[Subject, Set[str]], Findings]] = {
    "reconstruction": measure_reconstruction,
    "bound": measure_bound,
    "importance": measure_importance,
    "latents": measure_latents,
    "principal": measure_principal,
    "samples": measure_samples,
    "frechet": measure_frechet,
    "probe": measure_probe,
    "classes": measure_classes,
}


def measure_all(subject: Subject, measures: Iterable[Measure]) -> Findings:
    """Return everything found, the values in the order of ``measures``; what cannot be measured here is left out."""
    measures = list(measures)
    together = Findings()
    for family, compute in FAMILIES.items():
        wanted = {measure.name for measure in measures if measure.family == family}
        if not wanted:
            continue
        found = compute(subject, wanted)
        together.values |= found.values
        together.details |= found.details
        together.notes += found.notes
    together.values = {m.name: together.values[m.name] for m in measures if m.name in together.values}
    return together
