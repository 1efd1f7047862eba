"""What an exported picture says about itself: the text that lets it be traced, made again, and gone back to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from latentlab.core.errors import InputError
from latentlab.core.messages import Floats, Ints, ModelInfo
from latentlab.core.recipe_io import recipe_toml

KEYWORD = "latentlab"
FORMAT = 2


@dataclass(frozen=True)
class Origin:
    """Everything needed to say how a picture came about, and to make it again.

    Attributes
    ----------
    run
        The run folder, as text; empty when the weights were never saved.
    step
        Training step of the weights.
    recipe
        The recipe as TOML.
    z
        Latent points, one list per picture; empty for pictures that are not decoded from points.
    labels
        Class of each picture; empty without classes.
    seed
        Seed that z was drawn with; None when it was not drawn.
    columns
        Pictures per row of the sheet.
    losses
        Metrics of that step by name.
    fingerprint
        Of the weights (``latentlab.models.weights.fingerprint_of``); empty where nobody took it.
    page
        Object name of the app's page that was exported; empty for pictures of the command line.
    view
        What else that page needs to show the same again.
    """

    run: str = ""
    step: int = -1
    recipe: str = ""
    z: list[list[float]] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    seed: int | None = None
    columns: int = 1
    losses: dict[str, float] = field(default_factory=dict)
    fingerprint: str = ""
    page: str = ""
    view: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        info: ModelInfo,
        step: int,
        *,
        z_BD: Floats | None = None,
        labels: Ints | None = None,
        seed: int | None = None,
        columns: int = 1,
        losses: Mapping[str, float] | None = None,
    ) -> Origin:
        """Return the origin of pictures made by ``info``'s model with the weights of ``step``."""
        return cls(
            run=str(info.run.resolve()) if info.run else "",
            step=step,
            recipe=recipe_toml(info.recipe),
            # float32 widens to float64 exactly and JSON keeps float64 exactly: z returns bit by bit.
            z=[] if z_BD is None else np.asarray(z_BD, dtype=np.float64).tolist(),
            labels=[] if labels is None else [int(label) for label in labels],
            seed=seed,
            columns=columns,
            losses={name: float(value) for name, value in (losses or {}).items()},
        )

    def points(self) -> Floats:
        """Return z as (B, D) float32."""
        return np.asarray(self.z, dtype=np.float32)

    def text(self) -> str:
        """Return the text for a PNG's chunk, ASCII on one line."""
        return json.dumps({"format": FORMAT, **asdict(self)})


def parse_origin(text: str, name: str, where: str) -> Origin:
    """Return the origin that the text of picture ``name`` tells.

    Raises
    ------
    InputError
        If it is damaged or of a newer version.
    """
    try:
        values = json.loads(text)
        if values.pop("format") > FORMAT:
            raise InputError(f"{name} was written by a newer latentlab", where=where, hint="Update latentlab.")
        origin = Origin(**values)
        points = origin.points()
        if points.size and (points.ndim != 2 or not np.isfinite(points).all()):
            raise ValueError(f"z of shape {points.shape}")
        if not isinstance(origin.run, str) or not isinstance(origin.step, int) or not isinstance(origin.view, dict):
            raise TypeError("run, step or view make no sense")
        return origin
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{name} has a damaged origin: {error}", where=where) from None
