"""latentlab from Python: a trained model whose pictures and latents are numpy arrays. See docs/api.md.

import latentlab
model = latentlab.load("runs/digits")
images = model.sample(16, seed=1).images
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from latentlab.core.eigenvectors import Loadings, principal_loadings
from latentlab.core.errors import InputError
from latentlab.core.messages import Floats, Images, Ints, ModelInfo
from latentlab.core.run_folder import LAST
from latentlab.core.weights_kept import kept_steps
from latentlab.data.catalog import load_dataset
from latentlab.data.dataset import Dataset
from latentlab.explore import arrays
from latentlab.explore.arrays import Codes
from latentlab.explore.sample import Samples, sample
from latentlab.explore.session import ExploreSession
from latentlab.explore.traverse import SPAN, traversal
from latentlab.models.device import choose_device
from latentlab.models.weights import read_snapshot

Numbers = npt.ArrayLike
ALL_DIMENSIONS = 16


@dataclass(frozen=True)
class Reconstructions:
    """Pictures (N,H,W,C) uint8 decoded from the posterior means, and the MSE of each in [0,1] units, (N,) float32."""

    images: Images
    pixel: Floats


def load(run: str | Path, which: str | int = LAST, *, device: str = "auto") -> Model:
    """Load the weights of a run.

    Parameters
    ----------
    run
        Run folder, as ``latentlab train`` makes it.
    which
        Checkpoint: ``last``, ``best`` or e.g. ``step_00000500``; or a step that the run kept (see ``steps``), as a
        number. Runs with a moving average give that.
    device
        ``auto`` (CUDA where there is any), ``cpu`` or ``cuda``.

    Raises
    ------
    InputError
        If ``run`` is no run folder, has no such checkpoint, or the device is not there.
    """
    session = ExploreSession(choose_device(device, "fp32"))
    session.load(read_snapshot(Path(run), f"step_{which:08d}" if isinstance(which, int) else which))
    return Model(session)


def steps(run: str | Path) -> tuple[int, ...]:
    """Return the steps of a run whose weights can be loaded, ascending: its checkpoints and its history."""
    return kept_steps(Path(run))


class Model:
    """A trained model, in float32. What it is given may be lists or arrays; what it returns are numpy arrays.

    Pictures are uint8 (N,H,W,C), or floats in [0,1], of any size (they are resized); a single picture is taken as
    one of one. Latents are (N, D), a single one (D,). Classes are numbers from 0, one for all or one for each.
    Thread: the one that loaded it.
    """

    def __init__(self, session: ExploreSession) -> None:
        self._session = session

    @property
    def info(self) -> ModelInfo:
        """Recipe, image shape (H, W, C), classes, run folder."""
        info = self._session.info
        assert info is not None
        return info

    @property
    def step(self) -> int:
        """Training step of the weights."""
        return self._session.step

    def __repr__(self) -> str:
        height, width, channels = self.info.image_shape
        shape = f"{height}x{width}x{channels}"
        return f"<{self.info.kind} of {shape} pictures, {self.info.latent_dim} latent dimensions, step {self.step}>"

    def data(self) -> Dataset:
        """Return the data set that the run was trained on: ``images``, ``labels``, ``train_index``, ``test_index``.

        Raises
        ------
        InputError
            If it is no longer where it was.
        """
        return load_dataset(self.info.recipe.data, seed=self.info.recipe.training.seed)

    def encode(self, images: Numbers, labels: Numbers | None = None) -> Codes:
        """Return mean ``mu`` and log variance ``logvar`` of q(z|x), (N, D) float32; a plain auto-encoder has no second.

        Raises
        ------
        InputError
            If these are no pictures, or the model has no encoder or no such class.
        """
        pictures = as_pictures(images)
        return arrays.encode(self._session, pictures, _classes(labels, len(pictures)))

    def loadings(self, images: Numbers, labels: Numbers | None = None) -> Loadings:
        """Return how much each latent dimension has of each principal direction of the pictures' codes.

        ``variance_D`` is the variance of the means of q(z|x) along each direction, the largest first;
        ``share_DD[i, j]`` is |v_ij|^2 of direction i and dimension j, from eigenvalues alone (see
        ``latentlab.core.eigenvectors``).

        Raises
        ------
        InputError
            As ``encode``, and for fewer than two pictures.
        """
        codes = self.encode(images, labels).mu
        if len(codes) < 2:
            raise InputError("Principal directions need at least two pictures", where="images")
        return principal_loadings(codes)

    def decode(self, z: Numbers, labels: Numbers | None = None) -> Images:
        """Return pictures (N,H,W,C) uint8 of points of latent space.

        ``labels`` may also be shares of the classes, floats (K,) or (N, K) from 0 to 1: a mixture of classes.

        Raises
        ------
        InputError
            If the points do not fit, or the model needs a class and is given none, or one that does not exist.
        """
        points = np.atleast_2d(np.asarray(z, dtype=np.float32))
        array: npt.NDArray[Any] = np.asarray(labels)
        if labels is not None and array.dtype.kind == "f" and array.ndim in (1, 2):
            shares = np.broadcast_to(array.astype(np.float32), (len(points), array.shape[-1]))
            return arrays.decode(self._session, points, shares=shares)
        return arrays.decode(self._session, points, _classes(labels, len(points)))

    def reconstruct(self, images: Numbers, labels: Numbers | None = None) -> Reconstructions:
        """Encode pictures and decode the means."""
        pictures = as_pictures(images)
        return Reconstructions(*arrays.reconstruct(self._session, pictures, _classes(labels, len(pictures))))

    def sample(self, count: int = 1, *, seed: int = 0, label: int | None = None) -> Samples:
        """Return ``images``, ``z`` and ``labels`` of samples from the prior; without a label, all classes in turn.

        Raises
        ------
        InputError
            If the model has no prior (a plain auto-encoder) or no such class.
        """
        return sample(self._session, count, seed=seed, label=label)

    def traverse(
        self,
        z: Numbers | None = None,
        dims: Sequence[int] | None = None,
        *,
        count: int = 9,
        span: float = SPAN,
        label: int | None = None,
    ) -> Images:
        """Return pictures (len(dims), count, H, W, C) uint8 that move one dimension at a time, from -span to span.

        Parameters
        ----------
        z
            The point to start from, (D,); None is the origin.
        dims
            Dimensions to move; None is the first 16.

        Raises
        ------
        InputError
            If the point or a dimension does not fit the model.
        """
        size = self.info.latent_dim
        start = np.zeros(size, np.float32) if z is None else np.asarray(z, dtype=np.float32).reshape(-1)
        dims = range(min(size, ALL_DIMENSIONS)) if dims is None else dims
        wrong = [dim for dim in dims if not 0 <= dim < size]
        if wrong or start.shape != (size,):
            what = f"There is no dimension {wrong[0]}" if wrong else f"z must be ({size},), not {start.shape}"
            raise InputError(what, where="traverse", hint=f"Dimensions are 0 to {size - 1}.")
        pictures = self.decode(traversal(start, dims, count, span), label)
        return pictures.reshape(len(dims), count, *pictures.shape[1:])


def as_pictures(images: Numbers) -> Images:
    """Return pictures as (N,H,W,C) uint8: one or many, grey without a channel axis, floats in [0,1].

    Raises
    ------
    InputError
        If the numbers are no pictures.
    """
    array: npt.NDArray[Any] = np.asarray(images)
    if array.ndim == 2 or (array.ndim == 3 and array.shape[2] not in (1, 3)):
        array = array[..., None]
    if array.ndim == 3:
        array = array[None]
    if array.ndim != 4 or array.shape[3] not in (1, 3):
        raise InputError(f"Pictures are (N, H, W, 1 or 3), not {array.shape}", where="images")
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind != "f" or not np.isfinite(array).all() or array.min() < 0.0 or array.max() > 1.0:
        raise InputError("Pictures are uint8, or floats from 0 to 1", where="images")
    return (array * 255.0).round().astype(np.uint8)


def _classes(labels: Numbers | None, count: int) -> Ints | None:
    """Return one class per picture; a single one goes for all."""
    if labels is None:
        return None
    array: npt.NDArray[Any] = np.asarray(labels)
    if array.dtype.kind not in "iu":
        raise InputError("Classes are whole numbers from 0", where="labels")
    return np.full(count, array, np.int64) if array.ndim == 0 else array.astype(np.int64)
