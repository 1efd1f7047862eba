"""Latents as files for other programs: arrays (.npz) or a table (.csv)."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from latentlab.core.errors import InputError, cannot_write
from latentlab.core.messages import Floats, Ints

ENDINGS = (".npz", ".csv")


def write_latents(path: Path, z_ND: Floats, labels: Ints | None = None, *, run: str = "", step: int = -1) -> None:
    """Write points of latent space; whole or not at all.

    An .npz holds ``z`` (N, D) float32, ``labels`` (N,) int64 where there are classes, ``run`` and ``step``; it is
    what ``latentlab decode`` reads. A .csv has a row for each point: ``z0``, ``z1``, ... with as many digits as bring
    the same float32 back, and ``label``.

    Raises
    ------
    InputError
        If the name ends in neither, or the file cannot be written.
    """
    if path.suffix.lower() not in ENDINGS:
        raise InputError(f"{path.name} ends in neither .npz nor .csv", where=str(path), hint="For example: latents.npz")
    part = path.with_name(f".{path.name}.part")
    try:
        if path.suffix.lower() == ".csv":
            part.write_text(_table(z_ND, labels), encoding="utf-8")
        else:
            arrays = {"z": z_ND, "run": np.array(run), "step": np.array(step)}
            if labels is not None:
                arrays["labels"] = np.asarray(labels, dtype=np.int64)
            with part.open("wb") as file:
                np.savez(file, allow_pickle=False, **arrays)
        os.replace(part, path)
    except OSError as error:
        raise cannot_write(path, error) from None
    finally:
        part.unlink(missing_ok=True)


def _table(z_ND: Floats, labels: Ints | None) -> str:
    names = [f"z{i}" for i in range(z_ND.shape[1])] + ([] if labels is None else ["label"])
    rows = [
        [*(f"{value:.9g}" for value in z), *([] if labels is None else [str(int(labels[i]))])]
        for i, z in enumerate(z_ND)
    ]
    return "\n".join(",".join(row) for row in [names, *rows]) + "\n"
