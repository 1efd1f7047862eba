"""Team colours: pairs of hues that are told apart at a glance, by colour-blind eyes too where hues allow."""

from __future__ import annotations

import colorsys

import numpy as np

# Hue a, hue b in turns: orange-blue, magenta-green, yellow-violet, cyan-red, lime-purple, teal-pink, gold-azure and
# rose-mint.
PAIRS = (
    (0.070, 0.620),
    (0.890, 0.330),
    (0.145, 0.740),
    (0.510, 0.000),
    (0.230, 0.780),
    (0.470, 0.930),
    (0.120, 0.570),
    (0.950, 0.410),
)
JITTER = 0.012
SATURATION, VALUE = 0.86, 0.94

Rgb = tuple[float, float, float]


def battle_hues(rng: np.random.Generator) -> tuple[float, float]:
    """Return the hues of team a and b, in turns: one of the pairs, either way round, slightly off."""
    a, b = PAIRS[int(rng.integers(len(PAIRS)))]
    if rng.random() < 0.5:
        a, b = b, a
    off = rng.uniform(-JITTER, JITTER, 2)
    return float((a + off[0]) % 1.0), float((b + off[1]) % 1.0)


def ink_colour(hue: float) -> Rgb:
    """Return the ink of a hue as red, green, blue, 0 to 255."""
    red, green, blue = colorsys.hsv_to_rgb(hue, SATURATION, VALUE)
    return red * 255, green * 255, blue * 255


def mix(colour: Rgb, other: Rgb, share: float) -> Rgb:
    """Return ``colour`` with ``share`` of ``other`` mixed in."""
    a, b, c = (p * (1 - share) + q * share for p, q in zip(colour, other, strict=True))
    return a, b, c
