"""Team colours: pairs of hues that are told apart at a glance, by colour-blind eyes too where hues allow."""

from __future__ import annotations

import colorsys

import numpy as np

# Hue a, hue b in turns: orange-blue, magenta-green, yellow-violet, cyan-red, lime-purple, teal-pink, gold-azure and
# rose-mint.
PAIRS = (
    (0.070, 0.620),
    (0.880, 0.370),
    (0.145, 0.740),
    (0.500, 0.010),
    (0.230, 0.780),
    (0.470, 0.930),
    (0.120, 0.570),
    (0.950, 0.410),
)
JITTER = 0.012
SATURATION, VALUE = 0.84, 0.97

Rgb = tuple[float, float, float]


def battle_hues(rng: np.random.Generator) -> tuple[float, float]:
    """Return the hues of team a and b, in turns: one of the pairs, either way round, slightly off."""
    a, b = PAIRS[int(rng.integers(len(PAIRS)))]
    if rng.random() < 0.5:
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
