"""What a map is coloured by: class, split, film, error, time, a known cause, or how crowded it is."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QColor

from latentlab.core.latent_map import MapLayout
from latentlab.core.latent_survey import LatentSurvey
from latentlab.core.point_raster import Pixels
from latentlab.ui import style
from latentlab.ui.widgets.class_picker import class_names

CLASS, SPLIT, FILM, ERROR, TIME, DENSITY, PLAIN = "class", "split", "film", "error", "time", "density", "none"
FACTOR, ATTRIBUTE = "factor ", "attribute "
STEPS = 256
DENSITY_BINS = 160
_NAMED = ("pixel", "active", "discriminator", "feature", "beta", "accent", "generator", "kld", "neutral")


@dataclass(frozen=True)
class Legend:
    """What colours mean: ``entries`` of (name, colour) where they are few, else a ramp between two numbers."""

    title: str = ""
    entries: tuple[tuple[str, QColor], ...] = ()
    low: str = ""
    high: str = ""


@dataclass(frozen=True, eq=False)
class Colouring:
    """Colours of a layout's points, (M,) uint32 0xAARRGGBB, and what they mean."""

    pixels: Pixels
    legend: Legend


def choices(survey: LatentSurvey) -> list[tuple[str, str]]:
    """Return (key, words) of everything that a survey can be coloured by."""
    found = [(CLASS, "Class")] if survey.labels is not None else []
    if survey.film is not None and len(survey.film_names) > 1:
        found.append((FILM, "Film"))
    if survey.time is not None:
        found.append((TIME, "Time in the film"))
    if survey.pixel is not None:
        found.append((ERROR, "Error"))
    if survey.test is not None:
        found.append((SPLIT, "Train or test"))
    found += [(ATTRIBUTE + name, name) for name in survey.attribute_names if survey.attributes is not None]
    found += [(FACTOR + name, name.replace("_", " ")) for name in survey.factors]
    return [*found, (DENSITY, "Density"), (PLAIN, "One colour")]


def colour_points(layout: MapLayout, key: str) -> Colouring:
    """Return the colours of a layout's points; a key that the survey does not know gives one colour."""
    survey, index = layout.survey, layout.index
    if key == CLASS and survey.labels is not None:
        labels = survey.labels[index]
        names = class_names(survey.class_names, int(labels.max(initial=-1)) + 1)
        return _by_kind("Class", labels, names)
    if key == FILM and survey.film is not None:
        return _by_kind("Film", survey.film[index], survey.film_names)
    if key == SPLIT and survey.test is not None:
        return _by_kind("Split", survey.test[index].astype(np.int64), ("train", "test"))
    if key.startswith(ATTRIBUTE) and survey.attributes is not None:
        name = key.removeprefix(ATTRIBUTE)
        if name in survey.attribute_names:
            values = survey.attributes[:, survey.attribute_names.index(name)][index]
            return _by_kind(name, values.astype(np.int64), ("no", "yes"))
    if key == ERROR and survey.pixel is not None:
        return _by_number("Error (MSE)", survey.pixel[index])
    if key == TIME and survey.time is not None:
        return _by_number("Time in the film", survey.time[index], seconds=True)
    if key.startswith(FACTOR) and key.removeprefix(FACTOR) in survey.factors:
        name = key.removeprefix(FACTOR)
        return _by_number(name.replace("_", " "), survey.factors[name][index])
    if key == DENSITY:
        return _by_number("Images nearby", crowding(layout.points), logarithm=True)
    return Colouring(np.full(len(index), _packed(style.colour("pixel")), dtype=np.uint32), Legend())


def kind_colour(number: int) -> QColor:
    """Return the colour of a class: nine that keep apart for most eyes, then hues by the golden section."""
    if number < 0:
        return style.colour("faint")
    if number < len(_NAMED):
        return style.colour(_NAMED[number])
    if number == len(_NAMED):
        return style.mix(style.colour("accent"), style.colour("feature"), 0.5)
    light = 0.62 if style.current_theme() == "dark" else 0.42
    red, green, blue = colorsys.hls_to_rgb(number * 0.61803 % 1.0, light, 0.6)
    return QColor(round(red * 255), round(green * 255), round(blue * 255))


def ramp(share: float) -> QColor:
    """Return the colour of a number between the lowest (0: blue) and the highest (1: amber)."""
    first, middle, last = style.colour("pixel"), style.colour("feature"), style.colour("beta")
    return style.mix(first, middle, share * 2) if share < 0.5 else style.mix(middle, last, share * 2 - 1)


def dimmed(pixels: Pixels, kept: npt.NDArray[np.bool_]) -> Pixels:
    """Return colours of which those not ``kept`` are faded towards the ground."""
    ground = style.colour("ground")
    table = np.array([ground.blue(), ground.green(), ground.red(), 255], dtype=np.float32)
    channels = pixels.view(np.uint8).reshape(-1, 4).copy()
    away = ~kept
    channels[away] = (0.22 * channels[away] + 0.78 * table).astype(np.uint8)
    faded: Pixels = channels.reshape(-1).view(np.uint32)
    return faded


def crowding(points: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return, for each point (M, 2), how many share its bin and, less, the bins beside it."""
    low, high = np.quantile(points, [0.001, 0.999], axis=0)
    span = np.maximum(high - low, 1e-9)
    bins = np.clip((points - low) / span * DENSITY_BINS, 0, DENSITY_BINS - 1).astype(np.int64)
    flat = bins[:, 1] * DENSITY_BINS + bins[:, 0]
    counts = np.bincount(flat, minlength=DENSITY_BINS**2).reshape(DENSITY_BINS, DENSITY_BINS).astype(np.float64)
    for axis in (0, 1):
        padded = np.pad(counts, [(1, 1) if a == axis else (0, 0) for a in (0, 1)])
        before, after = (np.take(padded, np.arange(DENSITY_BINS) + shift, axis=axis) for shift in (0, 2))
        counts = 0.5 * counts + 0.25 * (before + after)
    crowd: npt.NDArray[np.float64] = counts.reshape(-1)[flat]
    return crowd


def _packed(colour: QColor) -> int:
    return int(colour.rgb()) | 0xFF000000


def _by_kind(title: str, kinds: npt.NDArray[np.int64], names: tuple[str, ...] | list[str]) -> Colouring:
    table = np.array([_packed(kind_colour(number)) for number in range(-1, len(names))], dtype=np.uint32)
    entries = tuple((name, kind_colour(number)) for number, name in enumerate(names))
    if len(kinds) and kinds.min() < 0:
        entries += (("unknown", kind_colour(-1)),)
    return Colouring(table[np.clip(kinds, -1, len(names) - 1) + 1], Legend(title, entries))


def _by_number(title: str, values: npt.NDArray[Any], *, seconds: bool = False, logarithm: bool = False) -> Colouring:
    known = np.isfinite(values)
    if not known.any():
        return _by_kind(title, np.full(len(values), -1), ())
    low, high = (float(value) for value in np.quantile(values[known], [0.01, 0.99]))
    scaled = np.nan_to_num(values.astype(np.float64), nan=low)
    if logarithm:
        shares = np.log1p(scaled - low if low < 0 else scaled) / max(np.log1p(high), 1e-9)
    else:
        shares = (scaled - low) / max(high - low, 1e-12)
    table = np.array([_packed(ramp(i / (STEPS - 1))) for i in range(STEPS)], dtype=np.uint32)
    pixels = table[np.clip(shares * (STEPS - 1), 0, STEPS - 1).astype(np.int64)]
    pixels[~known] = _packed(kind_colour(-1))
    words = style.format_duration if seconds else style.format_value
    return Colouring(pixels, Legend(title, (), words(low), words(high)))
