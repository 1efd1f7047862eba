"""Videos in the catalogue: which files, which settings count, and how they are split (``video_source`` decodes)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from latentlab.core.messages import Ints, ProgressSink
from latentlab.core.recipe_data import DataConfig
from latentlab.data.source import Contents, Source, Store, file_identity
from latentlab.data.video_source import VideoFrames, decode_videos, find_videos, split_video


class VideoSource(Source):
    """``video:FILE`` or a pattern; factors ``file`` and ``frame`` say where each picture is from."""

    uses = ("size", "crop", "colour", "limit", "stride", "keyframes_only")

    def __init__(self, argument: str, config: DataConfig) -> None:
        super().__init__(argument, config)
        self.files: list[Path] = find_videos(argument)

    def identity(self) -> Any:
        """Return path, size and time of every file."""
        return [file_identity(path.resolve()) for path in self.files]

    def decode(self, store: Store, progress: ProgressSink) -> Contents:
        """Decode the frames that the recipe asks for."""
        frames = decode_videos(self.argument, self.config, progress)
        store.allocate(*frames.images.shape)[:] = frames.images
        return Contents(factors={"file": frames.file_of, "frame": frames.frame_of})

    def split(self, contents: Contents, count: int, test_fraction: float, seed: int) -> tuple[Ints, Ints]:
        """Split by file, or one file by contiguous blocks; the seed has no say, as neighbours must stay together."""
        shape = np.lib.stride_tricks.as_strided(np.zeros(1, np.uint8), (count, 1, 1, 1), (0, 0, 0, 0))
        file_of = np.asarray(contents.factors["file"], dtype=np.int64)
        frame_of = np.asarray(contents.factors["frame"], dtype=np.int64)
        return split_video(VideoFrames(shape, file_of, frame_of, self.files), test_fraction)
