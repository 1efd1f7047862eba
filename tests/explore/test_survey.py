from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from replica_fakes import info_of, snapshot_of
from video_clips import write_clip

from latentlab.core.errors import Cancelled, InputError, LatentLabError
from latentlab.core.messages import ModelInfo, Progress, ReconstructRequest
from latentlab.core.recipe_data import DataConfig
from latentlab.data.catalog import load_dataset
from latentlab.explore.session import ExploreSession
from latentlab.explore.survey import Surveyor, survey_limit

COUNT = 90


def pictures_info(tmp_path: Path, kind: str = "vae", **data: object) -> ModelInfo:
    """Return a model of random pictures in an npz."""
    rng = np.random.default_rng(0)
    labels = np.arange(COUNT) % 3
    labels[:5] = -1
    path = tmp_path / "pictures.npz"
    np.savez(path, images=rng.integers(0, 256, (COUNT, 16, 20), dtype=np.uint8), labels=labels)
    info = info_of(kind)
    config = DataConfig(spec=f"npz:{path}", size=(16, 20), **data)
    return replace(info, recipe=info.recipe.model_copy(update={"data": config}))


def surveyed(info: ModelInfo, piece: int = 25) -> Surveyor:
    surveyor = Surveyor()
    surveyor.begin(snapshot_of(info))
    while surveyor.piece(piece):
        pass
    return surveyor


@pytest.mark.parametrize("kind", ["vae", "ae"])
def test_a_survey_holds_what_the_session_answers_for_every_picture(tmp_path, kind):
    info = pictures_info(tmp_path, kind)
    survey = surveyed(info).result()
    data = load_dataset(info.recipe.data, seed=info.recipe.training.seed)
    session = ExploreSession()
    session.load(snapshot_of(info))
    expected = session.run(ReconstructRequest(data.images))
    np.testing.assert_array_equal(survey.rows, np.arange(COUNT))
    np.testing.assert_allclose(survey.mu, expected.mu, atol=1e-5)
    np.testing.assert_allclose(survey.pixel, expected.pixel, rtol=1e-4)
    assert (survey.logvar is None) == (kind == "ae")
    np.testing.assert_array_equal(survey.labels, data.labels)
    np.testing.assert_array_equal(np.flatnonzero(survey.test), data.test_index)
    assert (survey.step, survey.total, survey.complete, survey.time) == (7, COUNT, True, None)


def test_the_beginning_of_a_survey_is_a_sorted_sample_of_the_whole(tmp_path):
    surveyor = Surveyor()
    surveyor.begin(snapshot_of(pictures_info(tmp_path)))
    assert surveyor.piece(40)
    part = surveyor.result()
    assert (len(part), surveyor.done, surveyor.total, part.complete) == (40, 40, COUNT, False)
    assert (np.diff(part.rows) > 0).all()
    kept = part.mu.copy()
    while surveyor.piece(40):
        pass
    whole = surveyor.result()
    np.testing.assert_array_equal(whole.mu[part.rows], kept)
    np.testing.assert_array_equal(part.mu, kept)


def test_a_model_of_classes_surveys_the_pictures_that_have_one_hidden_or_not(tmp_path):
    info = pictures_info(tmp_path, "cvae", labelled_per_class=2)
    survey = surveyed(info).result()
    assert survey.rows.tolist() == list(range(5, COUNT))
    assert survey.total == COUNT
    assert survey.labels.min() >= 0
    data = load_dataset(info.recipe.data, seed=info.recipe.training.seed)
    session = ExploreSession()
    session.load(snapshot_of(info))
    expected = session.run(ReconstructRequest(data.images[5:], data.truth[5:]))
    np.testing.assert_allclose(survey.mu, expected.mu, atol=1e-5)


def test_pictures_come_at_the_model_s_size_or_smaller(tmp_path):
    surveyor = surveyed(pictures_info(tmp_path))
    whole = surveyor.pictures(np.array([3, 80]))
    assert whole.shape == (2, 16, 20, 1)
    assert surveyor.pictures(np.array([3]), 10).shape == (1, 8, 10, 1)
    np.testing.assert_array_equal(surveyor.pictures(np.array([3]), 64)[0], whole[0])
    with pytest.raises(InputError, match="no row 90"):
        surveyor.pictures(np.array([COUNT]))
    surveyor.release()
    with pytest.raises(InputError, match="no data set"):
        surveyor.pictures(np.array([3]))


def test_data_that_are_gone_are_said_to_be_in_one_sentence(tmp_path):
    info = pictures_info(tmp_path)
    (tmp_path / "pictures.npz").unlink()
    with pytest.raises(InputError, match="The data set of this run cannot be read") as caught:
        Surveyor().begin(snapshot_of(info))
    assert caught.value.where.endswith("pictures.npz")
    assert caught.value.hint


def test_data_that_changed_are_refused(tmp_path):
    info = replace(pictures_info(tmp_path), image_shape=(16, 20, 3))
    with pytest.raises(InputError, match="another one by now"):
        Surveyor().begin(snapshot_of(info))


def test_a_model_without_an_encoder_is_refused(tmp_path):
    with pytest.raises(InputError, match="no encoder"):
        Surveyor().begin(snapshot_of(pictures_info(tmp_path, "cgan")))


def test_means_that_are_not_finite_end_a_survey(tmp_path):
    snapshot = snapshot_of(pictures_info(tmp_path))
    for tensor in snapshot.state.values():
        tensor.mul_(float("nan"))
    surveyor = Surveyor()
    surveyor.begin(snapshot)
    with pytest.raises(LatentLabError, match="not finite"):
        surveyor.piece(10)


def test_loading_can_be_cancelled(tmp_path):
    def refuse(_: Progress) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        Surveyor().begin(snapshot_of(pictures_info(tmp_path)), refuse)


def test_frames_know_their_film_and_their_time_in_it(tmp_path):
    for name in ("a", "b"):
        write_clip(tmp_path / f"{name}.mp4", frames=30, rate=10)
    info = info_of(channels=3)
    config = DataConfig(spec=f"video:{tmp_path}/*.mp4", size=(16, 20), stride=3)
    survey = surveyed(replace(info, recipe=info.recipe.model_copy(update={"data": config}))).result()
    assert survey.film.tolist() == [0] * 10 + [1] * 10
    assert survey.film_names == ("a.mp4", "b.mp4")
    np.testing.assert_allclose(survey.time[:10], np.arange(10) * 0.3, atol=1e-3)
    np.testing.assert_allclose(survey.time[10:], survey.time[:10], atol=1e-3)
    assert survey.factors["frame"][:3].tolist() == [0, 3, 6]


def test_a_survey_takes_at_least_a_hundred_thousand_images():
    assert [survey_limit(dim) for dim in (2, 256, 512, 1024)] == [200_000, 200_000, 100_000, 100_000]
