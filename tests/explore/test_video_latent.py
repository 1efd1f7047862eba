from __future__ import annotations

import csv

import numpy as np
import pytest
from scipy import ndimage
from sklearn.decomposition import PCA

from latentlab.core.directions import Direction
from latentlab.core.errors import InputError
from latentlab.core.video_curves import FrameCurves, PathView
from latentlab.core.video_edit import EditedFilm
from latentlab.explore import video_latent
from latentlab.explore.video_latent import apply_edit, bridged, jitter, principal_directions, spread_along
from latentlab.explore.video_latent_csv import write_curves
from latentlab.explore.video_latent_path import PathMaker, column_means, column_ranges


@pytest.fixture
def walk():
    return np.random.default_rng(3).normal(size=(200, 5)).cumsum(axis=0).astype(np.float32)


def test_nothing_to_do_changes_nothing(walk):
    edited = apply_edit(walk, EditedFilm())
    assert np.array_equal(edited, walk)
    assert edited is not walk


def test_gaussian_smoothing_is_scipys(walk):
    edited = apply_edit(walk, EditedFilm("gaussian", 13))
    filtered = {"sigma": 2.0, "radius": 6, "axis": 0, "mode": "constant"}
    expected = ndimage.gaussian_filter1d(walk.astype(np.float64), **filtered)
    mass = ndimage.gaussian_filter1d(np.ones((200, 1)), **filtered)  # what is left of the window at the ends
    assert np.allclose(edited, expected / mass, atol=1e-4)


def test_median_smoothing_is_scipys_inside_and_of_what_is_left_at_the_ends(walk):
    edited = apply_edit(walk, EditedFilm("median", 9))
    assert np.allclose(edited[4:-4], ndimage.median_filter(walk, size=(9, 1))[4:-4])
    assert np.allclose(edited[0], np.median(walk[:5], axis=0))
    assert np.allclose(edited[198], np.median(walk[194:], axis=0))


@pytest.mark.parametrize("kind", ["gaussian", "median"])
@pytest.mark.parametrize("frames", [1, 2, 5, 8, 9])
def test_clips_shorter_than_the_window(walk, kind, frames):
    edited = apply_edit(walk[:frames], EditedFilm(kind, 17))
    assert edited.shape == (frames, 5)
    if kind == "median":
        middle = frames // 2
        assert np.allclose(edited[middle], np.median(walk[:frames], axis=0))
    assert np.allclose(apply_edit(np.ones((frames, 2), np.float32), EditedFilm(kind, 17)), 1.0)


def test_moving_adds_the_direction_so_many_times(walk):
    direction = (0.5, 0.0, -2.0, 0.0, 1.0)
    edited = apply_edit(walk, EditedFilm(direction=direction, strength=-1.5))
    assert np.allclose(edited, walk + np.array([-0.75, 0, 3, 0, -1.5]), atol=1e-5)
    with pytest.raises(InputError, match="5"):
        apply_edit(walk, EditedFilm(direction=(1.0,), strength=1.0))


@pytest.mark.parametrize("kind", ["gaussian", "median"])
def test_one_frame_with_its_neighbours_is_the_frame_of_the_whole(walk, kind, monkeypatch):
    edit = EditedFilm(kind, 11, (1.0, 0, 0, 0, 0), 2.0)
    whole = apply_edit(walk, edit)
    for frame in (0, 3, 100, 198, 199):
        first = max(0, frame - edit.radius)
        alone = apply_edit(walk[first : frame + edit.radius + 1], edit)[frame - first]
        assert np.allclose(alone, whole[frame], atol=1e-5)
    monkeypatch.setattr(video_latent, "ROWS", 17)  # pieces must not show
    assert np.allclose(apply_edit(walk, edit), whole, atol=1e-5)


def test_principal_directions_are_sklearns(walk, monkeypatch):
    monkeypatch.setattr(video_latent, "ROWS", 64)
    found = principal_directions(walk, count=3)
    pca = PCA(n_components=5, svd_solver="full").fit(walk.astype(np.float64))
    for k in range(3):
        assert abs(float(found.vectors_KD[k] @ pca.components_[k])) == pytest.approx(1.0, abs=1e-5)
    assert np.allclose(found.explained_K, pca.explained_variance_ratio_[:3], atol=1e-5)
    assert np.allclose(found.sigma_K**2, pca.explained_variance_[:3] * 199 / 200, rtol=1e-4)
    scores = found.scores(walk, (2, 0))
    assert np.allclose(np.abs(scores), np.abs(pca.transform(walk.astype(np.float64))[:, [2, 0]]), atol=1e-3)
    assert np.allclose(found.variance_D, walk.var(axis=0), rtol=1e-4)


def test_signs_stay_from_one_measurement_to_the_next(walk):
    first = principal_directions(walk)
    turned = video_latent.Principal(first.mean_D, -first.vectors_KD, first.sigma_K, first.explained_K, first.variance_D)
    again = principal_directions(
        walk + np.random.default_rng(1).normal(0, 0.01, walk.shape).astype(np.float32), like=turned
    )
    assert (np.sum(again.vectors_KD * turned.vectors_KD, axis=1) > 0.99).all()


def test_jitter_of_a_straight_walk_is_its_step():
    z = np.arange(50, dtype=np.float32)[:, None] * np.array([[3.0, 4.0]], dtype=np.float32)
    found = jitter(z)
    assert np.isnan(found[0])
    assert np.allclose(found[1:], 5.0)
    z[20] = np.nan
    assert np.flatnonzero(np.isnan(jitter(z))).tolist() == [0, 20, 21]


def test_spread_along_an_axis_and_a_diagonal():
    z = np.array([[1, 1], [-1, -1]], dtype=np.float32).repeat(3, axis=0)
    assert spread_along(z, np.array([1, 0], np.float32)) == pytest.approx(1.0)
    assert spread_along(z, np.array([0.6, 0.8], np.float32)) == pytest.approx(1.4)


def test_gaps_are_bridged_in_a_straight_line():
    numbers = np.array([4, 5, 8, 10])
    z = np.array([[0.0], [1.0], [7.0], [5.0]], dtype=np.float32)
    assert bridged(z, numbers)[:, 0].tolist() == [0, 1, 3, 5, 7, 6, 5]
    assert bridged(z[:1], numbers[:1]).tolist() == [[0.0]]


def test_the_path_of_a_clip_half_known(walk):
    z = walk.copy()
    z[1::2] = np.nan
    view = PathView((0, 1), (4, 99), (Direction("d", (0.0, 3.0, 0, 0, 0)), Direction("short", (1.0,))), 20, 59)
    path = PathMaker().make(z, view, frames=200, stride=1)
    assert path.frames.tolist() == list(range(0, 200, 2))
    pca = PCA(n_components=2).fit(z[::2].astype(np.float64))
    assert np.allclose(np.abs(path.points), np.abs(pca.transform(z[::2].astype(np.float64))), atol=1e-3)
    assert path.order[0] == np.argmax(z[::2].var(axis=0))
    assert path.heat.shape == (5, 40)
    assert np.allclose(path.heat[:, 0], z[20, path.order])
    assert np.isnan(path.heat[:, 1]).all()
    assert list(path.curves) == [4]
    assert path.curves[4][0, 2] == path.curves[4][1, 2] == z[22, 4]
    assert path.spreads == {"d": pytest.approx(float(z[::2, 1].std()), rel=1e-4)}
    assert (path.first, path.last, path.known) == (20, 59, 100)


def test_the_path_of_every_fourth_frame(walk):
    path = PathMaker().make(walk[:50], PathView(), frames=200, stride=4)
    assert path.frames[-1] == 196
    assert len(path.jitter) == 200
    assert np.allclose(path.jitter[4::4], np.linalg.norm(np.diff(walk[:50], axis=0), axis=1), rtol=1e-4)
    assert np.isnan(path.jitter[5])


def test_columns_of_a_long_clip_are_means_and_ranges():
    z = np.random.default_rng(0).normal(size=(8000, 3)).astype(np.float32)
    means = column_means(z, np.array([2, 0]))
    assert means.shape == (2, 800)
    assert means[0, 7] == pytest.approx(float(z[70:80, 2].mean()), abs=1e-5)
    low, high = column_ranges(z[:, 1])
    assert (low[5], high[5]) == (z[50:60, 1].min(), z[50:60, 1].max())
    assert column_ranges(z[:0, 1]).shape == (2, 0)


def test_the_table_holds_what_is_known_and_leaves_the_rest_empty(tmp_path):
    pixel = np.array([0.01, np.nan, 0.1], dtype=np.float32)
    curves = FrameCurves({"kld_nats": np.ones(3, np.float32), "pixel": pixel}, 3, 2, 5)
    write_curves(tmp_path / "a.csv", np.array([1.0, 1.5, 2.0]), curves, np.array([np.nan, 2, 3], np.float32))
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert list(rows[0]) == ["frame", "time_s", "psnr_db", "pixel", "kld_nats", "jitter"]
    assert [row["time_s"] for row in rows] == ["0.000000", "0.500000", "1.000000"]
    assert [float(rows[0]["psnr_db"]), float(rows[2]["psnr_db"])] == pytest.approx([20.0, 10.0], abs=1e-4)
    assert (rows[1]["pixel"], rows[1]["psnr_db"], rows[0]["jitter"]) == ("", "", "")
    with pytest.raises(InputError, match="cannot be written"):
        write_curves(tmp_path / "none" / "a.csv", np.zeros(3), curves)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
