from __future__ import annotations

import cv2
import numpy as np
import pytest

from latentlab.explore.video_scenes import changes, find_scenes, thumbnails


def film(cuts: list[int], frames: int = 200, *, pan: float = 0.0, seed: int = 0) -> np.ndarray:
    """A film (frames, 36, 64, 3) with another picture from each cut on, that pans and has grain."""
    chooser = np.random.default_rng(seed)
    grounds = [chooser.integers(0, 256, (4, 36, 3)).astype(np.float32) for _ in range(len(cuts) + 1)]
    scenes = [cv2.resize(ground, (400, 36), interpolation=cv2.INTER_LINEAR) for ground in grounds]
    made = np.empty((frames, 36, 64, 3), np.uint8)
    for n in range(frames):
        scene = scenes[int(np.searchsorted(cuts, n, side="right"))]
        left = int(n * pan)
        grain = chooser.integers(-6, 7, (36, 64, 3))
        made[n] = np.clip(scene[:, left : left + 64] + grain, 0, 255)
    return made


def change_of(frames: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], changes(thumbnails(frames))]).astype(np.float32)


@pytest.mark.parametrize("pan", [0.0, 0.5, 1.0])
def test_cuts_are_found_and_pans_are_not(pan):
    cuts = [23, 60, 61 + 40, 170]
    assert find_scenes(change_of(film(cuts, pan=pan))).tolist() == cuts


def test_a_film_without_cuts_has_no_scenes():
    assert len(find_scenes(change_of(film([], pan=1.0)))) == 0
    assert len(find_scenes(np.zeros(1, np.float32))) == 0


def test_a_flash_is_at_most_where_it_begins_and_unknown_frames_are_no_cut():
    change = change_of(film([50]))
    change[100:120] = np.nan
    assert find_scenes(change).tolist() == [50]


def test_grey_frames_work_as_coloured_ones_do():
    frames = film([40])
    assert find_scenes(change_of(frames[..., :1])).tolist() == [40]
    assert thumbnails(frames[:2]).shape == thumbnails(frames[:2, ..., :1]).shape == (2, 432)
