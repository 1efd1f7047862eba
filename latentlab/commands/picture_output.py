"""Decoded pictures as a sheet (.png) or as arrays (.npz), as ``sample`` and ``decode`` write them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentlab.core.errors import InputError

if TYPE_CHECKING:
    from latentlab.core.messages import Images, ModelInfo
    from latentlab.explore.arrays import Points

MAX_SHEET = 10_000


def check_folder(path: Path) -> None:
    """Refuse a file whose folder is not there."""
    if not path.parent.is_dir():
        raise InputError(f"There is no folder {path.parent}", where="-o", hint="Make it first.")


def check_output(path: Path) -> None:
    """Refuse what cannot be written before the weights are read."""
    if path.suffix.lower() not in (".png", ".npz"):
        raise InputError(f"{path.name} is neither .png nor .npz", where="-o", hint="For example: -o samples.png")
    check_folder(path)


def check_count(path: Path, count: int, where: str) -> None:
    """Refuse a sheet of more pictures than a viewer opens."""
    if path.suffix.lower() == ".png" and count > MAX_SHEET:
        raise InputError(
            f"A sheet of {count:,} pictures is too large", where=where, hint=f"Use at most {MAX_SHEET:,}, or -o F.npz."
        )


def write_pictures(
    path: Path,
    images: Images,
    points: Points,
    info: ModelInfo,
    step: int,
    *,
    columns: int | None = None,
    seed: int | None = None,
    fingerprint: str = "",
) -> None:
    """Write pictures (N,H,W,C) uint8 and the points they were decoded from.

    A sheet remembers run, step, z, recipe and the fingerprint of its weights; ``columns`` None makes it as square as
    can be.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    if path.suffix.lower() == ".npz":
        from latentlab.explore.arrays import write_npz

        arrays: dict[str, Any] = {"images": images, "z": points.z}
        if points.labels is not None:
            arrays["labels"] = points.labels
        write_npz(path, arrays, compressed=True)
        return
    from latentlab.explore.export import Origin, write_png
    from latentlab.explore.mosaic import mosaic, square_columns

    columns = min(columns or square_columns(images), len(images))
    origin = Origin.of(info, step, z_BD=points.z, labels=points.labels, seed=seed, columns=columns)
    write_png(path, mosaic(images, columns), replace(origin, fingerprint=fingerprint))
