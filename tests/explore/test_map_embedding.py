from __future__ import annotations

import numpy as np
import pytest

from latentlab.core.errors import Cancelled
from latentlab.core.messages import Progress
from latentlab.explore import map_embedding
from latentlab.explore.map_embedding import embed, nearest_neighbours, sample


def clusters(count: int = 120, dim: int = 6) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (rng.standard_normal((count, dim)) + 12 * (np.arange(count) % 3)[:, None]).astype(np.float32)


def ignore(*_: object) -> None:
    pass


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(map_embedding, "EARLY", 100)
    monkeypatch.setattr(map_embedding, "LATE", 100)


def test_neighbours_are_those_of_a_plain_search():
    codes = clusters(700, 4)
    numbers, distances = nearest_neighbours(codes, 5, ignore)
    every = np.linalg.norm(codes[:, None].astype(np.float64) - codes[None], axis=2)
    np.fill_diagonal(every, np.inf)
    np.testing.assert_allclose(distances, np.sort(every, axis=1)[:, :5], atol=2e-3)
    assert (numbers != np.arange(700)[:, None]).all()


@pytest.mark.parametrize("dim", [1, 6, 80])
def test_neighbours_stay_together(dim):
    told: list[Progress] = []
    seen: list[tuple[int, int]] = []
    places = embed(clusters(dim=dim), told.append, lambda points, step, steps: seen.append((step, steps)))
    assert places.shape == (120, 2)
    assert places.dtype == np.float32
    numbers, _ = nearest_neighbours(places, 5, ignore)
    assert (numbers % 3 == (np.arange(120) % 3)[:, None]).mean() > 0.95
    assert [progress.done for progress in told if progress.what == "t-SNE"] == list(range(25, 201, 25))
    assert seen[-1] == (200, 200)


def test_it_stops_when_told_to():
    def refuse(progress: Progress) -> None:
        if progress.done >= 50:
            raise Cancelled

    with pytest.raises(Cancelled):
        embed(clusters(), refuse, ignore)


def test_too_few_images_are_refused_in_words():
    with pytest.raises(ValueError, match="at least 8 images, and there are 5"):
        embed(clusters(5), ignore, ignore)
    assert embed(clusters(8), ignore, ignore).shape == (8, 2)


def test_a_sample_is_drawn_without_favour_and_repeats():
    assert sample(10, 20).tolist() == list(range(10))
    drawn = sample(1000, 100)
    assert len(np.unique(drawn)) == 100
    assert (np.diff(drawn) > 0).all()
    np.testing.assert_array_equal(drawn, sample(1000, 100))
