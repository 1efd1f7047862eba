"""Videos in the catalogue: which files, which settings count, and how they are split (``video_source`` decodes)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from latentlab.core.messages import Ints, ProgressSink
from latentlab.core.recipe_data import DataConfig
from latentlab.data.source import Contents, Source, Store, file_identity
from latentlab.data.video_source import decode_videos, find_videos
from latentlab.data.video_splits import split_video


class VideoSource(Source):
    """``video:FILE`` or a pattern; factors ``file`` and ``frame`` say where each picture is from."""

    uses = ("size", "crop", "colour", "limit", "stride", "keyframes_only", "dedup")

    def __init__(self, argument: str, config: DataConfig) -> None:
        super().__init__(argument, config)
        self.files: list[Path] = find_videos(argument)

    def identity(self) -> Any:
        """Return path, size and time of every file."""
        return [file_identity(path.resolve()) for path in self.files]

    def decode(self, store: Store, progress: ProgressSink) -> Contents:
        """Decode the frames that the recipe asks for."""
        frames = decode_videos(self.argument, self.config, store.append, progress)
        left_out = f"{frames.still:,} frames that stand still were left out (data.dedup)"
        return Contents(
            factors={"file": frames.file_of, "frame": frames.frame_of}, notes=(left_out,) if frames.still else ()
        )

    def split(self, contents: Contents, count: int, test_fraction: float, seed: int) -> tuple[Ints, Ints]:
        """Split as ``data.split`` says; the seed has no say, as neighbouring frames must stay together."""
        file_of = np.asarray(contents.factors["file"], dtype=np.int64)
        return split_video(file_of, test_fraction, self.config.split)
