"""Pictures from the prior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latentlab.core.errors import InputError
from latentlab.core.messages import Floats, Images, Ints, ModelInfo
from latentlab.explore.arrays import decode
from latentlab.explore.session import ExploreSession


@dataclass(frozen=True)
class Samples:
    """Pictures (N,H,W,C) uint8, the z (N,D) float32 they were decoded from, and their classes (N,) or None."""

    images: Images
    z: Floats
    labels: Ints | None


def draw_z(seed: int, count: int, dim: int) -> Floats:
    """Return ``count`` draws of z ~ N(0, I), (count, D) float32, the same for the same seed on every machine.

    The first row is what the app's Explore page shows for that seed.
    """
    return np.random.Generator(np.random.PCG64(seed)).standard_normal((count, dim), dtype=np.float32)


def classes_for(info: ModelInfo, count: int, wanted: int | None) -> Ints | None:
    """Return the class of each of ``count`` samples: the wanted one, or all in turn; None without classes.

    Raises
    ------
    InputError
        If a class is wanted of a model without classes, or one that does not exist.
    """
    if not info.conditional:
        if wanted is not None:
            raise InputError(
                f"A {info.kind} is not conditioned on classes",
                where="--class",
                hint="Leave --class out, or train a cvae or a cgan.",
            )
        return None
    if wanted is None:
        return np.arange(count, dtype=np.int64) % info.num_classes
    if not 0 <= wanted < info.num_classes:
        raise InputError(
            f"There is no class {wanted}: this model has {info.num_classes}",
            where="--class",
            hint=f"Classes are 0 to {info.num_classes - 1}: {', '.join(info.class_names[:20])}.",
        )
    return np.full(count, wanted, dtype=np.int64)


def sample(session: ExploreSession, count: int, *, seed: int = 0, label: int | None = None) -> Samples:
    """Decode ``count`` samples of the prior.

    Parameters
    ----------
    session
        With weights loaded.
    seed
        Seed of z; the same seed and weights give the same pictures.
    label
        Class of all samples; None shows the classes in turn where the model has any.

    Raises
    ------
    InputError
        If the model has no prior (a plain auto-encoder), no such class, or no weights.
    """
    info = session.info
    if info is None:
        raise InputError("There are no weights yet", hint="Train, or open a run that has a checkpoint.")
    if info.kind == "ae":
        raise InputError(
            "A plain auto-encoder has no prior to sample from",
            where=str(info.run or ""),
            hint="Use latentlab reconstruct, or train a vae.",
        )
    labels = classes_for(info, count, label)
    z = draw_z(seed, count, info.latent_dim)
    return Samples(decode(session, z, labels), z, labels)
