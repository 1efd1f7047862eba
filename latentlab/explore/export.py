"""Pictures on disk that know where they come from."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from latentlab.core.errors import InputError
from latentlab.core.messages import Floats, Images, Ints, ModelInfo
from latentlab.core.recipe_io import recipe_toml

KEYWORD = "latentlab"
FORMAT = 1


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
    """

    run: str = ""
    step: int = -1
    recipe: str = ""
    z: list[list[float]] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    seed: int | None = None
    columns: int = 1
    losses: dict[str, float] = field(default_factory=dict)

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
            run=str(info.run or ""),
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


def write_png(path: Path, picture: Images, origin: Origin | None = None) -> None:
    """Write a picture (H,W,1 or 3) uint8 as PNG with its origin in a text chunk; whole or not at all.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    chunk = PngInfo()
    if origin is not None:
        chunk.add_itxt(KEYWORD, json.dumps({"format": FORMAT, **asdict(origin)}), zip=True)
    image = Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture)
    part = path.with_name(path.name + ".part")
    try:
        image.save(part, format="PNG", pnginfo=chunk)
        os.replace(part, path)
    except OSError as error:
        raise InputError(f"{path.name} cannot be written: {error.strerror or error}", where=str(path)) from None
    finally:
        part.unlink(missing_ok=True)


def read_origin(path: Path) -> Origin | None:
    """Return where a picture came from; None for a picture that latentlab did not write.

    Raises
    ------
    InputError
        If ``path`` is not a picture, or its origin is damaged or of a newer version.
    """
    try:
        with Image.open(path) as image:
            image.load()
            text = image.info.get(KEYWORD)
    except (OSError, UnidentifiedImageError) as error:
        raise InputError(f"{path.name} is not a picture: {error}", where=str(path)) from None
    if text is None:
        return None
    try:
        values = json.loads(str(text))
        if values.pop("format") > FORMAT:
            raise InputError(f"{path.name} was written by a newer latentlab", where=str(path), hint="Update latentlab.")
        return Origin(**values)
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path.name} has a damaged origin: {error}", where=str(path)) from None
