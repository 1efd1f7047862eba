"""Settings of ``[objective]`` for semi-supervised learning: what unlabelled images do, and the Gumbel-softmax."""

from __future__ import annotations

from typing import Literal

from latentlab.core.recipe_base import Section, setting


class SemiSupervisedSettings(Section):
    """What images without a label contribute to a semi-supervised model."""

    unlabelled: Literal["marginal", "gumbel", "straight-through"] = setting(
        "marginal",
        "Class of an image without a label: marginal sums over all classes, gumbel samples a soft class, "
        "straight-through samples a hard one with the soft one's gradient.",
        kinds=["ssvae"],
    )
