"""Settings of ``[objective]`` that make a VAE: likelihood of the pixels, KLD, and the weight between them."""

from __future__ import annotations

from typing import Literal

from latentlab.core.recipe_base import LIKELIHOOD, PROBABILISTIC, Section, setting

Reconstruction = Literal["bernoulli", "gaussian", "unit-gaussian", "optimal-gaussian", "l1"]
KldEstimator = Literal["single-point", "batch"]
KldForm = Literal["plain", "capacity", "free-bits"]
BetaSchedule = Literal["fixed", "linear", "sigmoid", "cyclical", "adaptive", "pi"]

_SINGLE_KLD = ["vae", "cvae", "vaegan"]
"""Kinds with one posterior per image; a semi-supervised model has one for every class."""
_WEIGHED = ["plain", "free-bits"]
"""Forms of the KLD that beta weighs; a capacity has a weight of its own."""


class VariationalSettings(Section):
    """Reconstruction, KLD and the weight between them."""

    reconstruction: Reconstruction = setting(
        "gaussian",
        "Likelihood of the pixels: bernoulli, gaussian (of a given sigma), unit-gaussian (sigma 1: half the squared "
        "error), optimal-gaussian (the best sigma for each batch, as in sigma-VAE) or l1.",
        kinds=LIKELIHOOD,
    )
    sigma: float = setting(
        0.1,
        "Standard deviation of the gaussian and l1 likelihoods, in [0,1] image units.",
        gt=0.0,
        le=10.0,
        when={"reconstruction": ["gaussian", "l1"]},
        kinds=LIKELIHOOD,
    )
    kld: KldEstimator = setting(
        "single-point", "KL divergence per image (single-point) or of the batch's moments (batch).", kinds=_SINGLE_KLD
    )
    kld_momentum: float = setting(
        0.0,
        "Weight of the past in the moving moments of the batch KLD.",
        ge=0.0,
        le=0.99,
        live=True,
        when={"kld": ["batch"]},
        kinds=_SINGLE_KLD,
    )
    kld_form: KldForm = setting(
        "plain",
        "What of the KLD is minimised: plain (all of it), capacity (its distance from a capacity that grows, Burgess "
        "et al. 2018) or free-bits (only what exceeds a free share in each dimension, Kingma et al. 2016).",
        kinds=PROBABILISTIC,
    )
    free_bits: float = setting(
        0.1,
        "KLD that each dimension has for free.",
        ge=0.0,
        le=100.0,
        unit="nats/dim",
        live=True,
        when={"kld_form": ["free-bits"]},
        kinds=PROBABILISTIC,
    )
    capacity: float = setting(
        25.0,
        "KLD that the capacity grows to, over all dimensions.",
        ge=0.0,
        le=1e5,
        unit="nats",
        live=True,
        when={"kld_form": ["capacity"]},
        kinds=PROBABILISTIC,
    )
    capacity_steps: int = setting(
        10_000,
        "Steps over which the capacity grows linearly from 0.",
        ge=1,
        unit="steps",
        live=True,
        when={"kld_form": ["capacity"]},
        kinds=PROBABILISTIC,
    )
    capacity_weight: float = setting(
        100.0,
        "Weight of the distance between KLD and capacity, in place of beta.",
        gt=0.0,
        le=1e6,
        live=True,
        when={"kld_form": ["capacity"]},
        kinds=PROBABILISTIC,
    )
    beta: BetaSchedule = setting(
        "fixed",
        "How the weight of the KLD moves: fixed, linear, sigmoid, cyclical, adaptive (dual ascent) or pi.",
        when={"kld_form": _WEIGHED},
        kinds=PROBABILISTIC,
    )
    initial_beta: float = setting(
        1.0,
        "Weight of the KLD; for schedules the end value, for adaptive and pi the first value.",
        ge=0.0,
        le=1e6,
        live=True,
        when={"kld_form": _WEIGHED},
        kinds=PROBABILISTIC,
    )
    beta_step: float = setting(
        0.01,
        "Step of adaptive: beta grows by step x (KLD per dimension - target), never below 0.",
        gt=0.0,
        le=100.0,
        live=True,
        when={"kld_form": _WEIGHED, "beta": ["adaptive"]},
        kinds=PROBABILISTIC,
    )
    target_kld: float = setting(
        0.1,
        "KLD per latent dimension that adaptive and pi hold.",
        gt=0.0,
        le=100.0,
        unit="nats/dim",
        live=True,
        when={"kld_form": _WEIGHED, "beta": ["adaptive", "pi"]},
        kinds=PROBABILISTIC,
    )
    anneal_delay: int = setting(
        0,
        "Steps at beta 0 before annealing begins.",
        ge=0,
        unit="steps",
        advanced=True,
        when={"kld_form": _WEIGHED, "beta": ["linear", "sigmoid", "cyclical"]},
        kinds=PROBABILISTIC,
    )
    anneal_steps: int = setting(
        1000,
        "Steps from 0 to full beta, or one cycle.",
        ge=1,
        unit="steps",
        advanced=True,
        when={"kld_form": _WEIGHED, "beta": ["linear", "sigmoid", "cyclical"]},
        kinds=PROBABILISTIC,
    )

    @property
    def likelihood_sigma(self) -> float:
        """Standard deviation of the gaussian and l1 likelihoods in [0,1] image units: ``sigma``, or 1 for unit."""
        return 1.0 if self.reconstruction == "unit-gaussian" else self.sigma
