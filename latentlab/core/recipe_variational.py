"""Settings of ``[objective]`` that make a VAE: likelihood of the pixels, KLD, and the weight between them."""

from __future__ import annotations

from typing import Literal

from latentlab.core.recipe_base import LIKELIHOOD, PROBABILISTIC, Section, setting

Reconstruction = Literal["bernoulli", "gaussian", "optimal-gaussian", "l1"]
KldEstimator = Literal["single-point", "batch"]
BetaSchedule = Literal["fixed", "linear", "sigmoid", "cyclical", "adaptive", "pi"]


class VariationalSettings(Section):
    """Reconstruction, KLD and the weight between them."""

    reconstruction: Reconstruction = setting(
        "gaussian",
        "Likelihood of the pixels: bernoulli, gaussian (fixed sigma), optimal-gaussian (sigma-VAE) or l1.",
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
        "single-point", "KL divergence per image (single-point) or of the batch's moments (batch).", kinds=PROBABILISTIC
    )
    kld_momentum: float = setting(
        0.0,
        "Weight of the past in the moving moments of the batch KLD.",
        ge=0.0,
        le=0.99,
        live=True,
        when={"kld": ["batch"]},
        kinds=PROBABILISTIC,
    )
    beta: BetaSchedule = setting(
        "fixed",
        "How the weight of the KLD moves: fixed, linear, sigmoid, cyclical, adaptive (dual ascent) or pi.",
        kinds=PROBABILISTIC,
    )
    initial_beta: float = setting(
        1.0,
        "Weight of the KLD; for schedules the end value, for adaptive and pi the first value.",
        ge=0.0,
        le=1e6,
        live=True,
        kinds=PROBABILISTIC,
    )
    beta_step: float = setting(
        0.01,
        "Step of adaptive: beta grows by step x (KLD per dimension - target), never below 0.",
        gt=0.0,
        le=100.0,
        live=True,
        when={"beta": ["adaptive"]},
        kinds=PROBABILISTIC,
    )
    target_kld: float = setting(
        0.1,
        "KLD per latent dimension that adaptive and pi hold.",
        gt=0.0,
        le=100.0,
        unit="nats/dim",
        live=True,
        when={"beta": ["adaptive", "pi"]},
        kinds=PROBABILISTIC,
    )
    anneal_delay: int = setting(
        0,
        "Steps at beta 0 before annealing begins.",
        ge=0,
        unit="steps",
        advanced=True,
        when={"beta": ["linear", "sigmoid", "cyclical"]},
        kinds=PROBABILISTIC,
    )
    anneal_steps: int = setting(
        1000,
        "Steps from 0 to full beta, or one cycle.",
        ge=1,
        unit="steps",
        advanced=True,
        when={"beta": ["linear", "sigmoid", "cyclical"]},
        kinds=PROBABILISTIC,
    )
