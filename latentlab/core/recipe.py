"""The recipe: every setting of a training, with its bounds and its explanation.

One pydantic model validates TOML files, prints ``--help`` and builds the settings form, so a setting is
described once. The sections are declared in ``recipe_data``, ``recipe_model`` and, for the objective, in
``recipe_variational``, ``recipe_adversarial`` and ``recipe_semi``.
"""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

from pydantic import Field, model_validator
from pydantic.fields import FieldInfo

from latentlab.core.recipe_adversarial import AdversarialSettings
from latentlab.core.recipe_base import ADVERSARIAL, Section, setting
from latentlab.core.recipe_data import DataConfig
from latentlab.core.recipe_model import ModelConfig
from latentlab.core.recipe_semi import SemiSupervisedSettings
from latentlab.core.recipe_variational import VariationalSettings

Precision = Literal["auto", "fp32", "bf16"]


# pydantic lists the fields of the last base first: likelihood and KLD head the form.
class ObjectiveConfig(AdversarialSettings, SemiSupervisedSettings, VariationalSettings):
    """What is minimised. Loss names are defined in latentlab.core.metrics."""


class TrainingConfig(Section):
    """How long, how fast, and what is recorded."""

    steps: int = setting(2000, "Training steps (batches).", ge=1, le=100_000_000, unit="steps")
    batch_size: int = setting(64, "Images per step.", ge=2, le=8192, unit="images")
    labelled_batch_size: int = setting(
        50,
        "Labelled images per step, beside batch_size images whose labels are not used.",
        ge=1,
        le=8192,
        unit="images",
        kinds=["ssvae"],
    )
    lr: float = setting(1e-3, "Learning rate of Adam.", gt=0.0, le=1.0, live=True)
    lr_schedule: Literal["constant", "cosine"] = setting(
        "constant", "Learning rate over the run: constant, or falling along a cosine to 0 at the last step."
    )
    discriminator_lr: float | None = setting(
        None, "Learning rate of the discriminator; empty: the same as lr.", gt=0.0, le=1.0, live=True, kinds=ADVERSARIAL
    )
    ema_decay: float = setting(
        0.0,
        "Moving average of encoder and decoder weights, kept per step and used for previews, exploring and export; "
        "0 is off.",
        ge=0.0,
        le=0.99999,
    )
    seed: int = setting(0, "Seed of weights, batches and noise.", ge=0, le=2**31 - 1)
    precision: Precision = setting("auto", "Arithmetic: auto chooses bf16 where it pays on this device.")
    log_every: int = setting(10, "Steps between logged metrics.", ge=1, le=100_000, unit="steps", advanced=True)
    preview_every: int = setting(
        100, "Steps between preview pictures.", ge=1, le=1_000_000, unit="steps", advanced=True
    )
    test_every: int = setting(
        200, "Steps between measurements on the test images.", ge=1, le=1_000_000, unit="steps", advanced=True
    )
    gradient_shares_every: int = setting(
        200,
        "Steps between measurements of which loss term pulls how much at each network; 0 is never.",
        ge=0,
        le=1_000_000,
        unit="steps",
        live=True,
        advanced=True,
    )
    checkpoint_every: int = setting(500, "Steps between checkpoints.", ge=1, le=10_000_000, unit="steps", advanced=True)
    keep_checkpoints: int = setting(
        5, "Numbered checkpoints kept, besides last and best.", ge=1, le=10_000, advanced=True
    )
    history_mb: int = setting(
        200,
        "Room on disk for a history of the weights at steps 10, 13, 16, 20, ..., ten to a decade, which the step "
        "slider moves through; 0 keeps none.",
        ge=0,
        le=1_000_000,
        unit="MB",
        advanced=True,
    )


class Recipe(Section):
    """A complete set of settings. ``title``, ``story`` and ``group`` describe it to people."""

    title: str = setting("", "Name shown on cards and in lists.")
    story: str = setting("", "One line: what this recipe shows.")
    group: str = setting("", "Heading under which the recipe is listed.")
    data: DataConfig = Field(default_factory=DataConfig)
    model: ModelConfig = Field(default_factory=ModelConfig)
    objective: ObjectiveConfig = Field(default_factory=ObjectiveConfig)
    training: TrainingConfig = Field(default_factory=TrainingConfig)

    @model_validator(mode="after")
    def _crop_is_a_region(self) -> Recipe:
        crop = self.data.crop
        if crop is not None and (min(crop[:2]) < 0 or min(crop[2:]) < 1):
            raise ValueError("data.crop: x and y must be at least 0, width and height at least 1")
        return self


SECTIONS = ("data", "model", "objective", "training")


def setting_facts(key: str, field: FieldInfo) -> dict[str, Any]:
    """Describe one setting for ``--help``, documentation and tooltips: key, default, allowed, unit, live, kinds."""
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    return {
        "key": key,
        "description": field.description or "",
        "default": list(field.default) if isinstance(field.default, tuple) else field.default,
        "allowed": _allowed(field),
        "unit": extra.get("unit", ""),
        "live": bool(extra.get("live", False)),
        "kinds": extra.get("kinds", []),
        "advanced": bool(extra.get("advanced", False)),
    }


def _allowed(field: FieldInfo) -> str:
    """Return the allowed values as text: ``a, b or c`` or ``1 to 256``."""
    choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    if choices:
        return " | ".join(map(str, choices))
    low = high = ""
    for bound in field.metadata:
        for name, prefix in (("ge", ""), ("gt", "above ")):
            if hasattr(bound, name):
                low = f"{prefix}{getattr(bound, name):g}"
        for name, prefix in (("le", ""), ("lt", "below ")):
            if hasattr(bound, name):
                high = f"{prefix}{getattr(bound, name):g}"
    return f"{low} to {high}" if low and high else low and f"at least {low}"
