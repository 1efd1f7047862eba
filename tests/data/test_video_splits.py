from __future__ import annotations

import numpy as np
import pytest

from latentlab.core.errors import InputError
from latentlab.data.video_splits import split_video


def of_files(*lengths):
    return np.repeat(np.arange(len(lengths)), lengths)


@pytest.mark.parametrize(("lengths", "fraction"), [((5, 5), 0.1), ((5, 6, 7, 8, 9), 0.1), ((3, 3, 3, 3), 0.5)])
def test_several_files_are_split_between_files(lengths, fraction):
    file_of = of_files(*lengths)
    train, test = split_video(file_of, fraction)
    assert not set(file_of[train]) & set(file_of[test])
    assert len(set(file_of[test])) == max(1, round(fraction * len(lengths)))
    assert sorted([*train, *test]) == list(range(sum(lengths)))


@pytest.mark.parametrize("total", [5, 12, 100, 1000, 6752])
@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.5])
def test_one_file_is_split_in_blocks_that_no_neighbours_straddle(total, fraction):
    train, test = split_video(of_files(total), fraction)
    assert len(train)
    assert len(test) == max(1, round(fraction * total))
    assert not set(train) & set(test)
    distance = np.abs(test[:, None] - train[None]).min()
    assert distance > (30 if total >= 5000 else 1)
    if total == 6752:
        assert test.max() - test.min() > total / 2  # the test sees more than one scene


def test_two_frames_are_the_least_that_can_be_split():
    assert [part.tolist() for part in split_video(of_files(2), 0.1)] in ([[0], [1]], [[1], [0]])
    with pytest.raises(InputError, match="Only 1 video frame"):
        split_video(of_files(1), 0.1)


def test_blocks_hold_out_a_part_of_every_film():
    file_of = of_files(700, 1300, 400)
    train, test = split_video(file_of, 0.1, "blocks")
    for film, length in enumerate((700, 1300, 400)):
        assert np.count_nonzero(file_of[test] == film) == round(0.1 * length)
        here, there = test[file_of[test] == film], train[file_of[train] == film]
        assert np.abs(here[:, None] - there[None]).min() > 1


def test_one_film_cannot_be_split_by_file():
    with pytest.raises(InputError, match="by file"):
        split_video(of_files(50), 0.1, "file")
