"""A walk through latent space as keyframes, and the points of every frame in between."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Literal, get_args

import numpy as np

from latentlab.core.class_mixture import one_class
from latentlab.core.errors import InputError
from latentlab.core.interpolate import Path, lerp, slerp
from latentlab.core.messages import Floats, Ints
from latentlab.core.video_export import MAX_GIF_RATE, QUALITIES, ExportKind, Quality, kind_of

Easing = Literal["linear", "smooth", "spline"]
EASINGS: tuple[Easing, ...] = get_args(Easing)
WALK_SCALES = (1, 2, 4, 8)
MOST_FRAMES = 100_000


@dataclass(frozen=True, eq=False)
class Keyframe:
    """A point (D,) of latent space and its class (ignored by models without)."""

    z: Floats
    label: int = 0


@dataclass(frozen=True, eq=False)
class Walk:
    """From keyframe to keyframe.

    Attributes
    ----------
    seconds
        Time from one keyframe to the next.
    easing
        ``linear``: at one speed, with a turn at each keyframe; ``smooth``: at rest at each keyframe, t² (3 - 2t)
        between; ``spline``: through the keyframes without a stop (Catmull and Rom 1974), on a curve of its own.
    path
        Straight (``lerp``) or on the arc that keeps the length (``slerp``); a spline has its own.
    loop
        Whether the last keyframe leads back to the first.
    rate
        Frames per second.
    """

    keyframes: tuple[Keyframe, ...]
    seconds: float = 2.0
    easing: Easing = "smooth"
    path: Path = "slerp"
    loop: bool = True
    rate: float = 30.0

    def __post_init__(self) -> None:
        """Refuse what is no walk."""
        if len({keyframe.z.shape for keyframe in self.keyframes}) > 1:
            raise InputError("The keyframes are of different models", where="keyframes", hint="Begin anew.")
        if len(self.keyframes) < 2:
            raise InputError("A walk needs two keyframes at least", where="keyframes", hint="Add the point shown.")
        if not (0.05 <= self.seconds <= 600 and 1 <= self.rate <= 120):
            raise InputError("0.05 to 600 seconds and 1 to 120 frames per second are possible", where="recording")
        if self.frames > MOST_FRAMES:
            raise InputError(f"{self.frames:,} frames are too many", where="recording", hint=f"At most {MOST_FRAMES:,}")

    @property
    def legs(self) -> int:
        """Ways from a keyframe to the next."""
        return len(self.keyframes) - (0 if self.loop else 1)

    @property
    def duration_s(self) -> float:
        """How long the walk takes."""
        return self.legs * self.seconds

    @property
    def frames(self) -> int:
        """How many frames there are; a loop does not show its first keyframe twice."""
        return max(2, round(self.duration_s * self.rate)) + (0 if self.loop else 1)

    def at(self, place: float) -> tuple[Floats, int, int, float]:
        """Return z (D,), the two classes and how far it is from one to the other, at ``place`` in legs from 0."""
        count = len(self.keyframes)
        place = place % self.legs if self.loop else min(max(place, 0.0), float(self.legs))
        leg = min(int(place), self.legs - 1)
        t = place - leg
        a, b = self.keyframes[leg], self.keyframes[(leg + 1) % count]
        share = t * t * (3.0 - 2.0 * t) if self.easing == "smooth" else t
        return self._between(leg, share), a.label, b.label, share

    def _between(self, leg: int, t: float) -> Floats:
        count = len(self.keyframes)
        a, b = self.keyframes[leg].z, self.keyframes[(leg + 1) % count].z
        if self.easing == "spline":
            before = self.keyframes[(leg - 1) % count].z if self.loop or leg > 0 else a
            after = self.keyframes[(leg + 2) % count].z if self.loop or leg + 2 < count else b
            return catmull_rom(before, a, b, after, t)
        way = slerp if self.path == "slerp" else lerp
        z: Floats = way(a, b, np.array([t], dtype=np.float32))[0]
        return z

    def points(self, classes: int = 0) -> tuple[Floats, Ints | None, Floats | None]:
        """Return z of every frame (N, D), and labels (N,) and shares (N, K) for a model of ``classes`` classes.

        Between keyframes of different classes the class is a mixture that changes over with the easing.
        """
        step = self.legs / (self.frames if self.loop else self.frames - 1)
        found = [self.at(frame * step) for frame in range(self.frames)]
        z = np.ascontiguousarray(np.stack([z for z, *_ in found]), dtype=np.float32)
        if not classes:
            return z, None, None
        shares = np.stack([(1.0 - t) * one_class(a, classes) + t * one_class(b, classes) for _, a, b, t in found])
        return z, shares.argmax(axis=1).astype(np.int64), np.clip(shares, 0.0, 1.0).astype(np.float32)


def catmull_rom(p0: Floats, p1: Floats, p2: Floats, p3: Floats, t: float) -> Floats:
    """Return the point at ``t`` in [0, 1] between ``p1`` and ``p2`` of the uniform spline through all four, (D,)."""
    a, b, c, d = (np.asarray(p, dtype=np.float64) for p in (p0, p1, p2, p3))
    point = 2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    return np.asarray(0.5 * point, dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class WalkPlan:
    """What to write of a walk, and how.

    Attributes
    ----------
    output
        A film ending in .mp4, .mkv, .mov or .gif; a name without a suffix is a folder of numbered pictures.
    scale
        How many pixels of the file each pixel of a picture becomes along each side.
    quality
        How much H.264 may lose.
    """

    output: FilePath
    walk: Walk
    scale: int = 4
    quality: Quality = "high"

    def __post_init__(self) -> None:
        """Refuse what nothing could be written from."""
        if self.kind == "sheet":
            hint = "Try .mp4, .gif, or a name without an ending for a folder of pictures."
            raise InputError(f"A walk is not written as {self.output.suffix}", where=str(self.output), hint=hint)
        if self.scale not in WALK_SCALES or self.quality not in QUALITIES:
            raise InputError(f"{self.scale} times, {self.quality} is not possible", where="recording")
        if self.kind == "gif" and self.walk.rate > MAX_GIF_RATE:
            hint = f"At most {MAX_GIF_RATE:g} frames per second."
            raise InputError("A GIF cannot be that fast", where="rate", hint=hint)

    @property
    def kind(self) -> ExportKind:
        """What is written, by the name of the output."""
        return kind_of(self.output)
