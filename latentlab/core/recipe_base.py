"""How a recipe's settings are declared: one field each, with bounds, an explanation, and what the form needs.

Field metadata (``json_schema_extra``) carries ``unit``, ``live`` (may be changed while training runs),
``kinds`` (models it applies to) and ``when`` (values of its neighbours for which it applies, e.g.
``{"beta": ["adaptive"]}``).
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

ModelKind = Literal["ae", "vae", "cvae", "ssvae", "vaegan", "cgan"]
LIKELIHOOD = ["ae", "vae", "cvae", "ssvae"]
"""Kinds whose reconstruction is a likelihood of the pixels."""
PROBABILISTIC = ["vae", "cvae", "ssvae", "vaegan"]
"""Kinds with a posterior, and so with a KLD and its weight."""
ADVERSARIAL = ["vaegan", "cgan"]
"""Kinds with a discriminator."""
CONDITIONAL = ["cvae", "ssvae", "cgan"]
"""Kinds whose decoder is told a class."""
ENCODING = ["ae", "vae", "cvae", "ssvae", "vaegan"]
"""Kinds with an encoder."""


def setting(default: Any, description: str, **more: Any) -> Any:
    """Declare a recipe field; ``unit``, ``live``, ``kinds`` and ``advanced`` go to its metadata."""
    keys = ("unit", "live", "kinds", "advanced", "when")
    extra = {key: more.pop(key) for key in keys if key in more}
    return Field(default, description=description, json_schema_extra=extra, **more)


class Section(BaseModel):
    """A recipe section: unknown keys are refused and every change is validated."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True, frozen=False)
