"""Encodes the whole data set of a run, a piece at a time: what a latent survey is made of.

Shape suffixes: N images, B batch, C channels, H height, W width, D latent dimensions.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace

import numpy as np
import torch

from latentlab.core.errors import InputError, LatentLabError
from latentlab.core.latent_survey import LatentSurvey
from latentlab.core.messages import Floats, Images, Ints, ModelInfo, Progress, ProgressSink, WeightSnapshot
from latentlab.data.catalog import load_dataset
from latentlab.data.dataset import Dataset
from latentlab.data.pictures import resize
from latentlab.data.progress import ignore
from latentlab.data.source import spread
from latentlab.data.spec import parse_spec
from latentlab.data.video import VideoReader
from latentlab.data.video_source import find_videos
from latentlab.explore.pixels import to_tensor
from latentlab.explore.session import ExploreSession

LEAST_IMAGES, MOST_IMAGES = 100_000, 200_000
NUMBERS = 51_200_000
"""A survey's means and its log variances are at most this many numbers each (205 MB), but for ``LEAST_IMAGES``."""
BLOCK = 32
"""Neighbouring rows that are encoded together: a film on disk is read in stretches, not frame by frame."""


def survey_limit(latent_dim: int) -> int:
    """Return how many images a survey encodes at most: 200,000, or 100,000 above 256 latent dimensions or so."""
    return min(MOST_IMAGES, max(LEAST_IMAGES, NUMBERS // latent_dim))


@dataclass(frozen=True)
class SurveyData:
    """A run's data set and which rows of it are to be encoded: evenly spread where there are too many."""

    data: Dataset
    rows: Ints
    time: Floats | None
    film: Ints | None
    film_names: tuple[str, ...]

    @property
    def truth(self) -> Ints | None:
        """(N,) classes, those that the recipe hid from the training included."""
        return self.data.truth if self.data.truth is not None else self.data.labels


class Surveyor:
    """Encodes the images of a run in an order in which any beginning is a fair sample.

    The eval replica is its own. Data are loaded once per run and kept, for pictures on request.
    Thread: one, whichever makes it.
    """

    def __init__(self, session: ExploreSession | None = None) -> None:
        self._session = session or ExploreSession()
        device = self._session.policy.device
        # A stream of its own: on the default one every piece would wait for the steps that are queued there.
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None  # type: ignore[no-untyped-call]
        self._known: SurveyData | None = None
        self._key: object = None
        self._snapshot: WeightSnapshot | None = None
        self._order: Ints = np.empty(0, dtype=np.int64)
        self._done = 0
        self._mu: Floats | None = None
        self._logvar: Floats | None = None
        self._pixel: Floats | None = None

    @property
    def done(self) -> int:
        """Images encoded with the weights of the last ``begin``."""
        return self._done

    @property
    def total(self) -> int:
        """Images to encode."""
        return len(self._order)

    def begin(self, snapshot: WeightSnapshot, progress: ProgressSink = ignore) -> None:
        """Take these weights, load the data set of their run if it is not there yet, and start over.

        Raises
        ------
        InputError
            If the model has no encoder, or its data set is gone, has changed or has no image that it can encode.
        Cancelled
            When ``progress`` says so.
        """
        info = snapshot.info
        if not info.has_encoder:
            raise InputError(
                f"A {info.kind} has no encoder, so its data set has no place in latent space", where="model.kind"
            )
        known = self._load_data(info, progress)
        self._session.load(snapshot)
        self._snapshot = snapshot
        count, dim = len(known.rows), info.latent_dim
        blocks = np.array_split(np.arange(count), max(1, -(-count // BLOCK)))
        order = np.random.default_rng(0).permutation(len(blocks))
        self._order = np.concatenate([blocks[i] for i in order]).astype(np.int64)
        self._done = 0
        self._mu = np.empty((count, dim), dtype=np.float32)
        self._logvar = None if info.kind == "ae" else np.empty((count, dim), dtype=np.float32)
        self._pixel = np.empty(count, dtype=np.float32)

    def piece(self, count: int) -> bool:
        """Encode and decode the next ``count`` images; return whether more are left.

        Raises
        ------
        LatentLabError
            If the weights gave a mean that is not finite.
        """
        assert self._known is not None
        assert self._mu is not None
        assert self._pixel is not None
        places = np.sort(self._order[self._done : self._done + count])
        if not len(places):
            return False
        mu, logvar, pixel = self._encode(self._known, self._known.rows[places])
        if not np.isfinite(mu).all():
            raise LatentLabError(
                "The encoder gives means that are not finite", where="weights", hint="Go back to an earlier checkpoint."
            )
        self._mu[places], self._pixel[places] = mu, pixel
        if logvar is not None and self._logvar is not None:
            self._logvar[places] = logvar
        self._done += len(places)
        return self._done < len(self._order)

    def result(self) -> LatentSurvey:
        """Return what has been encoded so far, rows ascending; once complete, the arrays are handed over."""
        assert self._known is not None
        assert self._mu is not None
        assert self._snapshot is not None
        whole = LatentSurvey(
            self._snapshot.step, self._snapshot.info, self._known.rows, self._mu, self._logvar, pixel=self._pixel
        )
        complete = self._done == len(self._order)
        found = whole if complete else whole.rows_where(np.sort(self._order[: self._done]))
        return _with_facts(found, self._known, complete)

    def pictures(self, rows: Ints, side: int | None = None) -> Images:
        """Return pictures (B, H, W, C) uint8 of rows of the data set, at the model's size.

        Parameters
        ----------
        side
            Shrink them so that the longer side has this many pixels; smaller ones stay as they are.

        Raises
        ------
        InputError
            If no data set is loaded or it has no such row.
        """
        if self._known is None:
            raise InputError("There is no data set to take pictures from", hint="Take a survey first.")
        images = self._known.data.images
        if len(rows) and not (rows.min() >= 0 and rows.max() < len(images)):
            raise InputError(f"The data set has no row {rows.max()}", where="rows")
        chosen: Images = np.ascontiguousarray(images[rows])
        height, width = chosen.shape[1:3]
        if side is None or max(height, width) <= side or not len(rows):
            return chosen
        scale = side / max(height, width)
        small = max(1, round(height * scale)), max(1, round(width * scale))
        return np.stack([resize(image, *small) for image in chosen])

    def release(self) -> None:
        """Let go of the data and the arrays; the networks stay until other ones are needed."""
        self._known = self._key = self._snapshot = None
        self._mu = self._logvar = self._pixel = None
        self._order, self._done = np.empty(0, dtype=np.int64), 0

    def _load_data(self, info: ModelInfo, progress: ProgressSink) -> SurveyData:
        recipe = info.recipe
        key = (recipe.data.model_dump_json(), recipe.training.seed, info.image_shape, info.needs_labels)
        if self._known is None or self._key != key:
            self.release()
            self._known = load_survey_data(info, progress)
            self._key = key
        return self._known

    def _encode(self, known: SurveyData, rows: Ints) -> tuple[Floats, Floats | None, Floats]:
        model = self._session.model
        assert model is not None
        policy = self._session.policy
        labels = known.data.labels if model.info.kind == "ssvae" else known.truth
        with torch.inference_mode(), torch.cuda.stream(self._stream):  # None changes nothing.
            x_BCHW = policy.place_images(to_tensor(known.data.images[rows]))
            told_B = None
            if model.info.conditional and labels is not None:
                told_B = torch.from_numpy(labels[rows]).to(policy.device)
            y_B = model.classes_of(x_BCHW, told_B)
            mu_BD, logvar_BD = model.encode(x_BCHW, y_B)
            error_B = (model.decode(mu_BD, y_B).float() - x_BCHW).square().mean(dim=(1, 2, 3))
            logvar = None if logvar_BD is None else logvar_BD.float().cpu().numpy()
            return mu_BD.float().cpu().numpy(), logvar, error_B.cpu().numpy()


def load_survey_data(info: ModelInfo, progress: ProgressSink = ignore) -> SurveyData:
    """Return the data set of a run and the rows of it that its model can encode.

    Raises
    ------
    InputError
        In one sentence: the data set is gone, is another one by now, or has nothing for this model.
    """
    recipe = info.recipe
    try:
        data = load_dataset(recipe.data, seed=recipe.training.seed, progress=progress)
    except InputError as error:
        raise InputError(
            f"The data set of this run cannot be read: {error.what}",
            where=recipe.data.spec,
            hint=error.hint or "Bring it back to where it was; everything else of the run works without it.",
        ) from None
    if data.image_shape != info.image_shape:
        raise InputError(
            f"The data set is another one by now: pictures of {data.image_shape}, not {info.image_shape}",
            where=recipe.data.spec,
        )
    rows = np.arange(len(data.images), dtype=np.int64)
    truth = data.truth if data.truth is not None else data.labels
    if info.needs_labels:
        rows = rows[truth >= 0] if truth is not None else rows[:0]
    if not len(rows):
        raise InputError(f"{data.name} has no image with a class, and this model needs one", where=recipe.data.spec)
    rows = rows[spread(len(rows), survey_limit(info.latent_dim))]
    return SurveyData(data, rows, *_film_times(info, data, progress))


def _film_times(
    info: ModelInfo, data: Dataset, progress: ProgressSink
) -> tuple[Floats | None, Ints | None, tuple[str, ...]]:
    """Return seconds into its film and film of every picture, and the films' names, where the data is video."""
    spec = parse_spec(info.recipe.data.spec)
    if spec.kind != "video" or not {"file", "frame"} <= data.factors.keys():
        return None, None, ()
    film = np.asarray(data.factors["file"], dtype=np.int64)
    frame = np.asarray(data.factors["frame"], dtype=np.int64)
    files = find_videos(spec.argument)
    time = np.full(len(film), np.nan, dtype=np.float32)
    for number in np.unique(film):
        progress(Progress("Reading the films' times", int(number), len(files)))
        with contextlib.suppress(LatentLabError, IndexError), VideoReader(files[number]) as reader:
            times, mine = reader.times_s, film == number
            time[mine] = times[np.minimum(frame[mine], len(times) - 1)]
    return time, film, tuple(file.name for file in files)


def _with_facts(found: LatentSurvey, known: SurveyData, complete: bool) -> LatentSurvey:
    """Return the survey with everything that is known about its rows."""
    data, rows = known.data, found.rows
    factors = {
        name: np.asarray(values[rows], dtype=np.float32)
        for name, values in data.factors.items()
        if name != "file" and values.ndim == 1 and np.issubdtype(values.dtype, np.number)
    }
    return replace(
        found,
        labels=None if known.truth is None or not data.num_classes else known.truth[rows],
        attributes=None if data.attributes is None else data.attributes[rows],
        time=None if known.time is None else known.time[rows],
        film=None if known.film is None else known.film[rows],
        film_names=known.film_names,
        test=np.isin(rows, data.test_index),
        factors=factors,
        total=len(data.images),
        complete=complete,
    )
