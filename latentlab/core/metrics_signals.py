"""The catalogue of metrics that say why a training goes as it does: bands, gradient shares, verdicts, latent health."""

from __future__ import annotations

from latentlab.core.metric import Metric

QUANTILES: dict[str, float] = {"q02": 0.0228, "q16": 0.1587, "q50": 0.5, "q84": 0.8413, "q98": 0.9772}
"""Suffixes of banded metrics and the quantiles they stand for: two and one standard deviations of a normal."""

SHARE_PREFIX, GRADIENT_PREFIX = "share_", "grad_norm_"
NETWORKS = ("encoder", "decoder", "discriminator", "classifier")
SHARE_TERMS: dict[str, tuple[str, ...]] = {
    "encoder": ("reconstruction", "pixel", "feature", "kld"),
    "decoder": ("reconstruction", "pixel", "feature", "g_recon", "g_fake", "feature_prior", "attributes"),
    "discriminator": ("d_real", "d_recon", "d_fake", "r1", "attributes"),
    "classifier": ("reconstruction", "kld", "class_kld", "class_loss"),
}
"""Loss terms that may pull at each network."""
TERM_NAMES = {
    "reconstruction": "the likelihood of the pixels",
    "pixel": "the weighted pixel loss",
    "feature": "the weighted feature matching",
    "feature_prior": "the weighted feature matching of samples",
    "kld": "the KLD times β",
    "g_recon": "the weighted adversarial loss on reconstructions",
    "g_fake": "the weighted adversarial loss on samples",
    "d_real": "the loss on real images",
    "d_recon": "the loss on reconstructions",
    "d_fake": "the loss on samples",
    "r1": "the R1 penalty",
    "attributes": "the weighted attributes",
    "class_kld": "KL(q(y|x) ‖ p(y))",
    "class_loss": "the weighted classification loss",
}
_TERM_COLOURS = {
    "reconstruction": "pixel",
    "pixel": "pixel",
    "feature": "feature",
    "feature_prior": "feature",
    "kld": "kld",
    "g_recon": "generator",
    "g_fake": "generator",
    "attributes": "beta",
    "class_kld": "kld",
}


def share_name(network: str, term: str) -> str:
    """Return the name of the metric that says how much of a network's gradient is a term's."""
    return f"{SHARE_PREFIX}{network}_{term}"


def is_measured_rarely(name: str) -> bool:
    """Whether a metric comes at the interval of the gradient shares instead of at every logged step."""
    return name.startswith((SHARE_PREFIX, GRADIENT_PREFIX))


def _shares() -> tuple[Metric, ...]:
    return tuple(
        Metric(
            share_name(network, term),
            f"{network.capitalize()}: {term.replace('_', ' ')}",
            "share",
            f"Norm of the gradient that {TERM_NAMES[term]} gives the {network}, divided by the sum of these norms over "
            "all terms; measured every training.gradient_shares_every steps.",
            _TERM_COLOURS.get(term, "discriminator"),
        )
        for network, terms in SHARE_TERMS.items()
        for term in terms
    )


def _gradient_norms() -> tuple[Metric, ...]:
    colours = {"encoder": "kld", "decoder": "generator", "discriminator": "discriminator", "classifier": "beta"}
    return tuple(
        Metric(
            f"{GRADIENT_PREFIX}{network}",
            f"Gradient norm, {network}",
            "",
            f"Euclidean norm of the gradient of all that the {network} minimises, over all of its weights; measured "
            "with the gradient shares.",
            colours[network],
            log=True,
        )
        for network in NETWORKS
    )


def _bands() -> tuple[Metric, ...]:
    what = {
        "z_mean": ("z mean", "posterior mean", False),
        "z_std": ("z std", "posterior standard deviation", True),
    }
    return tuple(
        Metric(
            f"{name}_{suffix}",
            f"{label}, {share * 100:.0f} %",
            "",
            f"{share * 100:.4g} % of the batch's {meaning}s, images and dimensions together, lie below this at the "
            "logged step.",
            "neutral",
            log,
        )
        for name, (label, meaning, log) in what.items()
        for suffix, share in QUANTILES.items()
    )


def _verdicts() -> tuple[Metric, ...]:
    shown = {"real": "real images", "recon": "reconstructions", "fake": "samples of the prior"}
    return tuple(
        Metric(
            f"d_prob_{kind}",
            f"D({kind})",
            "probability",
            f"Mean over the batch of the probability of being real, sigmoid(logit), that the discriminator gives "
            f"{images}; at the logged step. Not with relativistic pairs.",
            "discriminator" if kind == "real" else "generator",
        )
        for kind, images in shown.items()
    )


_HEALTH = (
    Metric(
        "mutual_information",
        "Mutual information",
        "nats",
        "I(x; z) under q, on the test images: mean of log q(z|x) - log 1/N Σ q(z|x'), at most log N (6.2 nats of 512 "
        "images; Hoffman & Johnson 2016).",
        "kld",
    ),
    Metric(
        "prior_gap",
        "Prior gap",
        "nats/dim",
        "KL from N(0, 1) of the moments of z over all test images, averaged over dimensions: 0 where all posteriors "
        "together have the prior's mean and variance.",
        "kld",
    ),
    Metric(
        "z_norm_mean",
        "Length of z",
        "of the prior's",
        "Mean length of z ~ q(z|x) on the test images, divided by that of z ~ N(0, I) (chi distribution).",
        "neutral",
    ),
    Metric(
        "sample_level",
        "Sample brightness",
        "of the data's",
        "Mean pixel of samples of the prior, divided by that of the test images: towards 0 the samples are black.",
        "generator",
    ),
)

SIGNALS = (*_bands(), *_HEALTH, *_shares(), *_gradient_norms(), *_verdicts())
