"""What ``latentlab evaluate`` can measure: one definition, unit, source and cost for each name it prints.

Training logs the first few of them on the test images under ``test_`` names; see ``latentlab.core.metrics``.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from latentlab.core.errors import InputError
from latentlab.core.metrics import METRICS
from latentlab.core.recipe_base import ENCODING, LIKELIHOOD, PROBABILISTIC

Cost = Literal["quick", "default", "long"]
Needs = Literal["", "classes", "attributes"]
BOUND = [kind for kind in LIKELIHOOD if kind in PROBABILISTIC]
"""Kinds with a likelihood and a posterior, and so with a bound on log p(x)."""
SAMPLING = [*PROBABILISTIC, "cgan"]
"""Kinds with a prior to sample from."""
SETS = ("quick", "default", "all")


@dataclass(frozen=True, slots=True)
class Measure:
    """A number that describes a trained model.

    ``family`` is the module of ``latentlab.training.evaluation`` that computes it, ``kinds`` the models it
    applies to, ``needs`` what the data must have, and ``cost`` the smallest set of metrics it belongs to.
    """

    name: str
    label: str
    unit: str
    definition: str
    family: str
    kinds: tuple[str, ...]
    cost: Cost = "default"
    needs: Needs = ""
    source: str = ""


def _shared(name: str, kinds: Sequence[str], more: str = "") -> Measure:
    """Return a measure that training logs too, with the definition it has there."""
    metric = METRICS[name]
    definition = f"{metric.definition} {more}".strip()
    return Measure(name, metric.label, metric.unit, definition, "reconstruction", tuple(kinds), "quick")


_RECONSTRUCTION = (
    _shared("pixel", ENCODING),
    _shared("psnr", ENCODING),
    Measure(
        "ssim",
        "SSIM",
        "",
        "Structural similarity of images and reconstructions (from the mean of q(z|x)), averaged over images, channels "
        "and the positions where the whole window fits: Gaussian window 11x11 of sigma 1.5, K1 0.01, K2 0.03, range 1.",
        "reconstruction",
        tuple(ENCODING),
        "quick",
        source="Wang et al. 2004, eq. 13",
    ),
    _shared("reconstruction", LIKELIHOOD, "Here over the whole split and from the mean of q(z|x)."),
    _shared("kld_nats", PROBABILISTIC, "Here the moments of the whole split, without the moving ones of training."),
    _shared("kld_per_dim", PROBABILISTIC),
    _shared("kld_moving", [kind for kind in PROBABILISTIC if kind != "ssvae"], "Only where training used it."),
    _shared("active_units", ENCODING, "Here over the whole split."),
)

_BOUND = (
    Measure(
        "distortion",
        "Distortion",
        "nats/image",
        "-E_q(z|x) log p(x|z), summed over the image, averaged over images, by --posterior-samples draws of z each.",
        "bound",
        tuple(BOUND),
        "quick",
        source="Alemi et al. 2018",
    ),
    Measure(
        "rate",
        "Rate",
        "nats/image",
        "E_x KL(q(z|x) || p(z)), summed over dimensions; M2 adds KL(q(y|x) || uniform). Also where training "
        "constrained the batch's moments only: no other KL makes distortion + rate a bound.",
        "bound",
        tuple(PROBABILISTIC),
        "quick",
        source="Alemi et al. 2018",
    ),
    Measure(
        "negative_elbo",
        "-ELBO",
        "nats/image",
        "distortion + rate, an upper bound on -log p(x) whatever beta was. With the bernoulli likelihood on MNIST and "
        "one draw it is the test loss of pytorch/examples vae.",
        "bound",
        tuple(BOUND),
        "quick",
        source="Kingma & Welling 2013, eq. 3",
    ),
    Measure(
        "bits_per_dim",
        "Bits per dimension",
        "bits/element",
        "negative_elbo / (elements ln 2). Gaussian and l1 likelihoods are densities on [0,1]: add 8 for bits per 8-bit "
        "value.",
        "bound",
        tuple(BOUND),
        "quick",
    ),
    Measure(
        "iw_nll",
        "NLL by importance",
        "nats/image",
        "-log 1/K sum_k p(x,z_k) / q(z_k|x) with K draws from q(z|x) (--importance-samples), averaged over images: "
        "a tighter upper bound on -log p(x), exact as K grows.",
        "importance",
        tuple(BOUND),
        "long",
        source="Burda et al. 2016, eq. 8",
    ),
    Measure(
        "iw_bits_per_dim",
        "Bits by importance",
        "bits/element",
        "iw_nll / (elements ln 2); see bits_per_dim.",
        "importance",
        tuple(BOUND),
        "long",
    ),
)

_LATENTS = (
    Measure(
        "kld_moments",
        "KL of the moments",
        "nats",
        "KL(N(m, v) || N(0, 1)) summed over dimensions, with mean m and variance v of z ~ q(z|x) over the whole split: "
        "what the batch KLD constrains.",
        "latents",
        tuple(PROBABILISTIC),
        "quick",
        source="splatoon text, Part 7",
    ),
    Measure(
        "z_norm_mean",
        "|z| mean",
        "",
        "Mean length of z ~ q(z|x), one draw per image. The prior's is that of the chi distribution with D degrees of "
        "freedom: prior_norm_mean.",
        "latents",
        tuple(PROBABILISTIC),
        "quick",
    ),
    Measure(
        "z_norm_std", "|z| std", "", "Standard deviation of the lengths.", "latents", tuple(PROBABILISTIC), "quick"
    ),
    Measure(
        "prior_norm_mean",
        "|z| mean of the prior",
        "",
        "sqrt(2) Gamma((D+1)/2) / Gamma(D/2).",
        "latents",
        tuple(PROBABILISTIC),
        "quick",
    ),
    Measure(
        "prior_norm_std",
        "|z| std of the prior",
        "",
        "sqrt(D - prior_norm_mean^2).",
        "latents",
        tuple(PROBABILISTIC),
        "quick",
    ),
    Measure(
        "z_norm_ks",
        "|z| distance to the prior",
        "",
        "Kolmogorov-Smirnov distance between the lengths of z ~ q(z|x) and the chi distribution: 0 is the same, 1 is "
        "disjoint.",
        "latents",
        tuple(PROBABILISTIC),
        "quick",
    ),
    Measure(
        "mutual_information",
        "Mutual information",
        "nats",
        "E log q(z|x) - E log q(z), with q(z) the mixture of the posteriors of N images of the split (at most 10,000). "
        "Cannot exceed log N: near it, a lower bound.",
        "latents",
        tuple(PROBABILISTIC),
        source="Hoffman & Johnson 2016",
    ),
    Measure(
        "aggregate_kl",
        "Aggregate KL",
        "nats",
        "KL(q(z) || p(z)) = rate - mutual_information, on the same N images; an upper bound where mutual_information "
        "is at its cap.",
        "latents",
        tuple(PROBABILISTIC),
        source="Hoffman & Johnson 2016",
    ),
)

_SAMPLES = (
    Measure(
        "sample_diversity",
        "Sample diversity",
        "of the data's",
        "Mean Euclidean distance of two samples of the prior, divided by that of two images of the split (at most "
        "1,000 of each): near 0 when samples collapse to one picture. For conditional models within each class, "
        "averaged over classes, as training logs it for a cgan.",
        "samples",
        tuple(SAMPLING),
    ),
    Measure(
        "energy_distance",
        "Energy distance",
        "of the data's",
        "2 E|x - s| - E|x - x'| - E|s - s'| of images x and samples s, in pixels, divided by E|x - x'|: 0 where both "
        "have one distribution. For conditional models within each class, averaged over classes.",
        "samples",
        tuple(SAMPLING),
        source="Székely & Rizzo 2013, eq. 5",
    ),
    Measure(
        "frechet_samples",
        "Frechet, samples",
        "own features²",
        "Frechet distance of Gaussians fitted to the features of prior samples and of images of the split, as many of "
        "each (at most 5,000). The 64 features are those of a small network that latentlab trains on the training "
        "split; NOT comparable with FID, nor between data sets.",
        "frechet",
        tuple(SAMPLING),
        "long",
        source="Heusel et al. 2017 (other features)",
    ),
    Measure(
        "frechet_reconstructions",
        "Frechet, reconstructions",
        "own features²",
        "The same between reconstructions and images.",
        "frechet",
        tuple(ENCODING),
        "long",
    ),
    Measure(
        "frechet_data",
        "Frechet, training images",
        "own features²",
        "The same between training images and images of the split: what perfect samples would score.",
        "frechet",
        (*ENCODING, "cgan"),
        "long",
    ),
)

_PRINCIPAL = (
    Measure(
        "principal_share",
        "First principal direction",
        "share",
        "Share of the variance of the means of q(z|x) along their first principal direction. The details list the "
        "latent dimensions that load on each direction, |v|^2.",
        "principal",
        tuple(ENCODING),
        source="Denton, Parke, Tao & Zhang 2019, eq. 2",
    ),
    Measure(
        "principal_dimensions",
        "Dimensions per direction",
        "dimensions",
        "How many latent dimensions a principal direction is made of, 1 / sum_j |v_j|^4, averaged over directions by "
        "their variance: 1 where every direction is a dimension, D where each mixes all.",
        "principal",
        tuple(ENCODING),
    ),
)

_LABELS = (
    Measure(
        "probe_accuracy",
        "Linear probe",
        "share",
        "Accuracy on the split of a logistic regression on standardised means of q(z|x), fitted to at most 10,000 "
        "labelled training images. For models conditioned on the class: what z still says about it.",
        "probe",
        tuple(ENCODING),
        needs="classes",
    ),
    Measure(
        "attribute_probe_accuracy",
        "Attribute probe",
        "share",
        "The same for each binary attribute, as the mean of its hit rates on present and absent (0.5 is chance), "
        "averaged over attributes.",
        "probe",
        tuple(ENCODING),
        needs="attributes",
    ),
    Measure(
        "accuracy",
        "Accuracy",
        "share",
        "Share of the labelled images of the split whose class is the most probable one of q(y|x).",
        "classes",
        ("ssvae",),
        "quick",
        needs="classes",
        source="Kingma et al. 2014",
    ),
    Measure(
        "class_entropy",
        "Entropy of q(y|x)",
        "nats",
        "Mean entropy of q(y|x): 0 is certain, log K undecided.",
        "classes",
        ("ssvae",),
        "quick",
    ),
)

MEASURES: dict[str, Measure] = {
    measure.name: measure for measure in (*_RECONSTRUCTION, *_BOUND, *_LATENTS, *_PRINCIPAL, *_SAMPLES, *_LABELS)
}


def named(wanted: str | Sequence[str]) -> list[str]:
    """Return the names in a list of names, or in one text separated by commas."""
    return [name.strip() for name in wanted.split(",")] if isinstance(wanted, str) else list(wanted)


def choose(wanted: str | Sequence[str], kind: str) -> list[Measure]:
    """Return the measures that are meant, in the catalogue's order.

    Parameters
    ----------
    wanted
        Names, as a list or separated by commas. ``quick``, ``default`` and ``all``, each holding the one before
        it, stand for whatever applies to the kind.
    kind
        Model family.

    Raises
    ------
    InputError
        If a name is unknown or does not apply to the kind.
    """
    chosen: set[str] = set()
    for name in named(wanted):
        if name in SETS:
            costs = ("quick", "default", "long")[: SETS.index(name) + 1]
            chosen |= {m.name for m in MEASURES.values() if kind in m.kinds and m.cost in costs}
        else:
            _check(name, kind)
            chosen.add(name)
    return [measure for measure in MEASURES.values() if measure.name in chosen]


def _check(name: str, kind: str) -> None:
    if name not in MEASURES:
        near = difflib.get_close_matches(name, [*MEASURES, *SETS], n=1)
        hint = f"Did you mean {near[0]}?" if near else "latentlab evaluate --help lists them all."
        raise InputError(f"There is no metric {name!r}", where="--metrics", hint=hint)
    if kind not in MEASURES[name].kinds:
        kinds = ", ".join(MEASURES[name].kinds)
        raise InputError(f"{name} does not apply to a {kind}", where="--metrics", hint=f"It applies to: {kinds}.")
