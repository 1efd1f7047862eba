"""The edit of a film as the video thread applies it to the frame it shows."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from latentlab.core.errors import InputError
from latentlab.core.messages import Floats, Images, Ints
from latentlab.core.video_edit import EditedFilm
from latentlab.runtime.video_latent_worker import FrameSource

if TYPE_CHECKING:
    from latentlab.explore.video_inference import FrameReconstructor

KEPT = 256


class FilmEditor:
    """Decodes frames after an edit in latent space. Immutable but for what it remembers; one for each change.

    The latents of neighbours that a window needs are encoded by the same weights as the frame, and
    remembered until the weights change, so that playing costs one encoding a frame. Neighbours that are
    not prepared yet are bridged in a straight line.

    Thread: GUI to make one, video to ``edit``.

    Parameters
    ----------
    edit
        What to do.
    source
        Returns the prepared frames.
    before
        The editor this one takes the place of: the latents it remembers stay useful.
    """

    def __init__(
        self, edit: EditedFilm, source: Callable[[], FrameSource | None], before: FilmEditor | None = None
    ) -> None:
        self.description = edit
        self._source = source
        self._known: _Known = before._known if before is not None else _Known()

    @property
    def title(self) -> str:
        """What the pane is called."""
        return self.description.describe()

    def edit(self, model: FrameReconstructor, index: int, original: Images) -> Images:
        """Return the edited frame, (H, W, C) uint8.

        Raises
        ------
        InputError
            If there are no weights, or the direction is of another model.
        """
        info = model.info
        if info is None or not info.has_encoder:
            raise InputError("There is no model that could edit the film", hint="Train one, or open a run.")
        from latentlab.explore.video_latent import apply_edit, bridged
        from latentlab.explore.video_latent_measure import decode_frames, encode_frames

        clip, edit = self._source(), self.description
        numbers = self._window(clip, index, edit.radius)
        self._known.belong(model, clip)
        missing = self._known.missing(numbers)
        if len(missing):
            own = len(missing) == 1 and missing[0] == index
            frames = original[None] if own or clip is None else _read(clip, missing, index, original)
            self._known.add(missing, encode_frames(model.session, frames))
        z_TD = bridged(self._known.latents(numbers), numbers)
        place = index - int(numbers[0])
        picture: Images = decode_frames(model.session, apply_edit(z_TD, edit)[place : place + 1])[0]
        return picture

    def _window(self, clip: FrameSource | None, index: int, radius: int) -> Ints:
        """Return the frame and its prepared neighbours within ``radius``, in order."""
        if clip is None or not radius:
            return np.array([index], dtype=np.int64)
        first = max(0, index - radius)
        present = np.array(clip.present[first : index + radius + 1])
        present[index - first] = True
        return np.flatnonzero(present).astype(np.int64) + first


def _read(clip: FrameSource, numbers: Ints, index: int, original: Images) -> Images:
    """Return frames by number; the one that is shown need not be prepared."""
    others = numbers[numbers != index]
    frames = np.empty((len(numbers), *original.shape), dtype=np.uint8)
    frames[numbers != index] = clip.read_many(others)
    frames[numbers == index] = original
    return frames


class _Known:
    """Latents by frame, of one set of weights and one clip."""

    def __init__(self) -> None:
        self._owner: tuple[object, ...] = ()
        self._latents: OrderedDict[int, Floats] = OrderedDict()

    def belong(self, model: FrameReconstructor, clip: FrameSource | None) -> None:
        """Forget everything unless it is of these weights and this clip."""
        owner = (model, model.step, model.taken_at, clip)
        if owner != self._owner:
            self._owner = owner
            self._latents.clear()

    def missing(self, numbers: Ints) -> Ints:
        """Return those of the frames that are not known."""
        return np.array([number for number in numbers.tolist() if number not in self._latents], dtype=np.int64)

    def add(self, numbers: Ints, mu_BD: Floats) -> None:
        """Remember latents; the oldest are forgotten."""
        self._latents.update(zip(numbers.tolist(), mu_BD, strict=True))
        while len(self._latents) > KEPT:
            self._latents.popitem(last=False)

    def latents(self, numbers: Ints) -> Floats:
        """Return the latents of known frames, (len(numbers), D)."""
        return np.stack([self._latents[number] for number in numbers.tolist()])
