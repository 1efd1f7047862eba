"""What is done to a film in latent space, as one value that the window, the export and a file share."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from latentlab.core.errors import InputError, cannot_write
from latentlab.core.messages import Floats

Smoothing = Literal["none", "gaussian", "median"]
SMOOTHINGS: tuple[Smoothing, ...] = get_args(Smoothing)
MAX_WINDOW = 61
MAX_STRENGTH = 3.0


@dataclass(frozen=True, slots=True)
class EditedFilm:
    """Smooth the latents of a film over time, then move every frame along a direction.

    Hashable and comparable, so it can be a key and travel between threads.

    Attributes
    ----------
    smoothing, window
        Kind of the temporal filter and how many frames it spans, odd, 1 to 61; 1 changes nothing.
    direction
        (D,) step in latent space for a strength of 1: the direction times its σ. Empty: none.
    strength
        How many of those steps every frame is moved, usually within ±3.
    name
        What the direction is called, for people.
    """

    smoothing: Smoothing = "none"
    window: int = 1
    direction: tuple[float, ...] = ()
    strength: float = 0.0
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse what no film can be edited by."""
        if self.smoothing not in SMOOTHINGS:
            raise InputError(f"{self.smoothing!r} is no smoothing", where="smoothing", hint=", ".join(SMOOTHINGS))
        if self.window not in range(1, MAX_WINDOW + 1, 2):
            hint = f"Choose an odd number of frames from 1 to {MAX_WINDOW}."
            raise InputError(f"A window of {self.window} frames is not possible", where="window", hint=hint)
        if not all(math.isfinite(value) for value in (self.strength, *self.direction)):
            raise InputError("Strength and direction must be finite", where="direction")

    @property
    def radius(self) -> int:
        """How many frames before and after one its edited latents depend on."""
        return self.window // 2 if self.smoothing != "none" else 0

    @property
    def moves(self) -> bool:
        """Whether frames are moved along a direction."""
        return self.strength != 0.0 and any(self.direction)

    @property
    def active(self) -> bool:
        """Whether anything is changed at all."""
        return self.radius > 0 or self.moves

    @property
    def shift(self) -> Floats:
        """(D,) float32 that every frame is moved by; empty when there is no direction."""
        return np.asarray(self.direction, dtype=np.float32) * np.float32(self.strength)

    def describe(self) -> str:
        """Return the edit in words, e.g. ``median over 9 frames · +1.5 σ along PC 1``."""
        parts = [f"{self.smoothing} over {self.window} frames"] if self.radius else []
        if self.moves:
            sign = "−" if self.strength < 0 else "+"
            parts.append(f"{sign}{abs(self.strength):.2g} σ along {self.name or 'a direction'}")
        return " · ".join(parts) or "not edited"

    def to_json(self) -> dict[str, object]:
        """Return the edit as values that JSON can hold."""
        return {
            "smoothing": self.smoothing,
            "window": self.window,
            "direction": list(self.direction),
            "strength": self.strength,
            "name": self.name,
        }

    @classmethod
    def from_json(cls, value: object) -> EditedFilm:
        """Return the edit that ``to_json`` described.

        Raises
        ------
        InputError
            If it is none.
        """
        try:
            if not isinstance(value, Mapping) or set(value) - set(cls.__slots__):
                raise TypeError("not the keys of an edit")
            return cls(
                smoothing=value.get("smoothing", "none"),
                window=int(value.get("window", 1)),
                direction=tuple(float(number) for number in value.get("direction", ())),
                strength=float(value.get("strength", 0.0)),
                name=str(value.get("name", "")),
            )
        except (TypeError, ValueError, OverflowError) as error:
            raise InputError(f"This describes no edited film: {error}", where="edit") from None


def read_edit(path: Path) -> EditedFilm:
    """Return the edit that a file holds.

    Raises
    ------
    InputError
        If the file cannot be read, or describes no edit.
    """
    try:
        return EditedFilm.from_json(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror or error}", where=str(path)) from None
    except InputError as error:
        raise InputError(error.what, where=str(path), hint=error.hint) from None
    except (UnicodeDecodeError, ValueError) as error:
        raise InputError(f"{path.name} is not JSON: {error}", where=str(path)) from None


def save_edit(path: Path, edit: EditedFilm) -> None:
    """Write an edit as JSON, for ``latentlab reconstruct --edit``; the file appears when it is whole.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(json.dumps(edit.to_json()), encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        raise cannot_write(path, error) from None
    finally:
        part.unlink(missing_ok=True)
