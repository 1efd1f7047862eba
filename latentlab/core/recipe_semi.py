"""Settings of ``[objective]`` for semi-supervised learning: what unlabelled images do, and the Gumbel-softmax."""

from __future__ import annotations

from typing import Any, Literal

from latentlab.core.recipe_base import Section, setting

_SAMPLED: dict[str, Any] = {"kinds": ["ssvae"], "when": {"unlabelled": ["gumbel", "straight-through"]}}


class SemiSupervisedSettings(Section):
    """What images without a label contribute to a semi-supervised model."""

    unlabelled: Literal["marginal", "gumbel", "straight-through"] = setting(
        "marginal",
        "Class of an image without a label: marginal sums over all classes, gumbel samples a soft class, "
        "straight-through samples a hard one with the soft one's gradient.",
        kinds=["ssvae"],
    )
    classification_weight: float = setting(
        0.1,
        "Weight alpha of the labelled images' -log q(y|x) beside the bound per image; Kingma et al. 2014 use 0.1.",
        ge=0.0,
        le=1e6,
        live=True,
        kinds=["ssvae"],
    )
    features_steps: int = setting(
        5000,
        "Steps that M1 learns for, where model.features_dim asks for one; from then on only M2 learns.",
        ge=0,
        unit="steps",
        kinds=["ssvae"],
        advanced=True,
    )
    temperature_start: float = setting(
        1.0, "Temperature of the Gumbel-softmax at the first step.", gt=0.0, le=100.0, live=True, **_SAMPLED
    )
    temperature_minimum: float = setting(
        0.5, "The temperature never falls below this.", gt=0.0, le=100.0, live=True, **_SAMPLED
    )
    temperature_rate: float = setting(
        3e-5,
        "The temperature falls as exp(-rate x step); 0 keeps it.",
        ge=0.0,
        le=1.0,
        live=True,
        advanced=True,
        **_SAMPLED,
    )
    temperature_every: int = setting(
        1000, "Steps between changes of the temperature.", ge=1, unit="steps", live=True, advanced=True, **_SAMPLED
    )
    gumbel_draws: int = setting(
        1,
        "Noises that lead to the hard class, over which its gradient is averaged; more make it vary less "
        "(Paulus et al. 2021).",
        ge=1,
        le=1000,
        live=True,
        advanced=True,
        kinds=["ssvae"],
        when={"unlabelled": ["straight-through"]},
    )
