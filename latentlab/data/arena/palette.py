"""Team colours: pairs of hues that are told apart at a glance, by colour-blind eyes too where hues allow."""

from __future__ import annotations

import colorsys

import numpy as np

# Hue a, hue b in turns: orange-blue, magenta-green, cyan-red, yellow-violet. Few, so that a small model learns all.
PAIRS = ((0.070, 0.610), (0.880, 0.380), (0.500, 0.010), (0.145, 0.740))
JITTER = 0.012
SATURATION, VALUE = 0.84, 0.97

Rgb = tuple[float, float, float]


def battle_hues(rng: np.random.Generator, choice: int) -> tuple[float, float]:
    """Return the hues of team a and b, in turns: pair number ``choice``, slightly off.

    Choices run through the pairs, then through the pairs the other way round, and so on.
    """
    a, b = PAIRS[choice % len(PAIRS)]
    if choice // len(PAIRS) % 2:
        a, b = b, a
    off = rng.uniform(-JITTER, JITTER, 2)
    return float((a + off[0]) % 1.0), float((b + off[1]) % 1.0)


def ink_colour(hue: float) -> Rgb:
    """Return the ink of a hue as red, green, blue, 0 to 255; hues that the eye sees as bright are held back."""
    red, green, blue = colorsys.hsv_to_rgb(hue, SATURATION, VALUE)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    dim = 255 * (1 - 0.3 * max(luma - 0.45, 0.0))
    return red * dim, green * dim, blue * dim


def mix(colour: Rgb, other: Rgb, share: float) -> Rgb:
    """Return ``colour`` with ``share`` of ``other`` mixed in."""
    a, b, c = (p * (1 - share) + q * share for p, q in zip(colour, other, strict=True))
    return a, b, c
