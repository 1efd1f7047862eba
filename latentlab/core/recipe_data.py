"""Settings of a recipe's ``[data]`` section."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from latentlab.core.recipe_base import Section, setting

MIN_SIDE, MAX_SIDE = 16, 256
Side = Annotated[int, Field(ge=MIN_SIDE, le=MAX_SIDE)]


class DataConfig(Section):
    """What to train on, and at which size."""

    spec: str = setting(
        "digits",
        "Data set: digits, arena, mnist[:DIR], fashion-mnist[:DIR], kmnist[:DIR], cifar10[:DIR], "
        "celeba[:DIR], folder:DIR, video:FILE or a pattern (several joined by |), npz:FILE.",
        min_length=1,
    )
    size: tuple[Side, Side] = setting((32, 32), "Height and width that every image is resized to.", unit="pixels")
    crop: tuple[int, int, int, int] | None = setting(
        None, "Region cut out of each frame before resizing: x, y, width, height.", unit="pixels", advanced=True
    )
    colour: Literal["auto", "grey", "rgb"] = setting("auto", "Colour channels; auto keeps what the source has.")
    stride: int = setting(1, "Keep every n-th video frame.", ge=1, le=10_000, unit="frames", advanced=True)
    keyframes_only: bool = setting(False, "Keep only the video's keyframes (I-frames).", advanced=True)
    dedup: float | None = setting(
        None,
        "Leave out video frames that stand still: whose mean absolute difference to the last frame kept of the same "
        "film, at the recipe's size, is below this.",
        gt=0.0,
        le=64.0,
        unit="levels of 255",
        advanced=True,
    )
    limit: int | None = setting(None, "Use at most this many images.", ge=2, unit="images", advanced=True)
    labelled_per_class: int | None = setting(
        None, "Keep the labels of this many training images per class and hide the others.", ge=1, advanced=True
    )
    labelled_fraction: float | None = setting(
        None,
        "Keep this share of each class's training labels, at least one, and hide the others.",
        gt=0.0,
        le=1.0,
        advanced=True,
    )
    test_fraction: float = setting(0.1, "Share of the images held out for testing.", ge=0.01, le=0.5)
    split: Literal["auto", "file", "blocks"] = setting(
        "auto",
        "How video is split: auto and file hold out whole files where there are several; blocks holds out "
        "contiguous stretches inside every file.",
        advanced=True,
    )
    flip: bool = setting(False, "Mirror half of the training images left to right.", advanced=True)
    shift: int = setting(
        0,
        "Move training images by up to this far, at random; borders repeat.",
        ge=0,
        le=32,
        unit="pixels",
        advanced=True,
    )
    hue: float = setting(
        0.0,
        "Turn the hue of training images by up to this share of the colour circle, at random; 0.5 is any hue.",
        ge=0.0,
        le=0.5,
        advanced=True,
    )
