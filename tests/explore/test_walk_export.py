from __future__ import annotations

import json

import av
import numpy as np
import pytest
import torch
from PIL import Image
from replica_fakes import info_of, snapshot_of

from latentlab.core.class_mixture import one_class
from latentlab.core.errors import Cancelled, InputError
from latentlab.core.latent_walk import Keyframe, Walk, WalkPlan
from latentlab.core.messages import DecodeRequest
from latentlab.explore.session import ExploreSession
from latentlab.explore.walk_export import export_walk
from latentlab.models.device import choose_device
from latentlab.runtime.chunks import join, piece_of


@pytest.fixture(scope="module")
def snapshot():
    return snapshot_of(info_of("cvae"))


def walk(**values):
    rng = np.random.default_rng(2)
    keys = tuple(Keyframe(rng.standard_normal(4).astype(np.float32), label) for label in (0, 2, 1))
    return Walk(keys, **{"seconds": 1.0, "rate": 12.0, **values})


def cpu():
    return choose_device("cpu", "fp32")


def test_a_film_has_a_constant_rate_and_every_frame(snapshot, tmp_path):
    told = []
    plan = WalkPlan(tmp_path / "w.mp4", walk(), scale=2)
    summary = export_walk(plan, snapshot, policy=cpu(), progress=told.append)
    assert (summary.written, summary.step) == (36, snapshot.step)
    with av.open(str(plan.output)) as film:
        stream = film.streams.video[0]
        times = [frame.time for frame in film.decode(stream)]
        facts = json.loads(film.metadata["comment"])["latentlab"]
    np.testing.assert_allclose(np.diff(times), 1 / 12, atol=1e-3)
    assert len(times) == 36
    assert len(facts["walk"]["keyframes"]) == 3
    assert told[-1].done == told[-1].total == 36


def test_numbered_pictures_are_the_decoded_points_to_the_bit(snapshot, tmp_path):
    plan = WalkPlan(tmp_path / "frames", walk(loop=False, easing="linear"), scale=1)
    export_walk(plan, snapshot, policy=cpu())
    files = sorted(plan.output.iterdir())
    assert len(files) == 25
    session = ExploreSession(cpu())
    session.load(snapshot)
    z, labels, shares = plan.walk.points(3)
    images = session.run(DecodeRequest(z, labels, shares=shares)).images
    for image, file in zip(images, files, strict=True):
        shown = np.asarray(Image.open(file))
        np.testing.assert_array_equal(shown, image[:, :, 0] if image.shape[2] == 1 else image)


def test_a_gif_loops_with_all_frames(snapshot, tmp_path):
    plan = WalkPlan(tmp_path / "w.gif", walk(rate=10.0), scale=1)
    export_walk(plan, snapshot, policy=cpu())
    with Image.open(plan.output) as gif:
        assert gif.info["loop"] == 0
        durations = []
        for frame in range(gif.n_frames):
            gif.seek(frame)
            durations.append(gif.info["duration"])
    assert sum(durations) == pytest.approx(3000, abs=100)


@pytest.mark.parametrize("name", ["w.mp4", "w.gif", "w"])
def test_a_cancelled_walk_leaves_nothing_and_what_was_there_stays(snapshot, tmp_path, name):
    def stop(progress):
        raise Cancelled

    if "." in name:
        (tmp_path / name).write_text("before")
    with pytest.raises(Cancelled):
        export_walk(WalkPlan(tmp_path / name, walk()), snapshot, policy=cpu(), progress=stop)
    left = [path.name for path in tmp_path.iterdir()]
    assert left == ([name] if "." in name else [])
    if left:
        assert (tmp_path / name).read_text() == "before"


def test_keyframes_of_another_model_and_missing_folders_are_told(snapshot, tmp_path):
    other = Walk((Keyframe(np.zeros(7, np.float32)), Keyframe(np.ones(7, np.float32))))
    with pytest.raises(InputError, match="7 dimensions, the model 4"):
        export_walk(WalkPlan(tmp_path / "w.mp4", other), snapshot, policy=cpu())
    with pytest.raises(InputError, match="no folder"):
        export_walk(WalkPlan(tmp_path / "no" / "w.mp4", walk()), snapshot, policy=cpu())


@pytest.mark.parametrize("kind", ["cvae", "ssvae", "cgan"])
def test_shares_of_one_class_decode_as_the_class_and_mixtures_as_neither(kind):
    session = ExploreSession(cpu())
    session.load(snapshot_of(info_of(kind)))
    z = np.zeros((3, 4), np.float32)
    plain = session.run(DecodeRequest(z, np.array([0, 1, 2]))).images
    shares = np.stack([one_class(k, 3) for k in range(3)])
    np.testing.assert_array_equal(session.run(DecodeRequest(z, shares=shares)).images, plain)
    with torch.inference_mode():
        both = session.decode(z[:1], shares_BK=np.array([[0.5, 0.5, 0.0]], np.float32))
        for label in (0, 1):
            assert float((both - session.decode(z[:1], np.array([label]))).abs().max()) > 1e-5


@pytest.mark.parametrize("shares", [np.ones((1, 2)), np.full((1, 3), np.nan), np.array([[2.0, 0, 0]])])
def test_shares_that_make_no_sense_are_told(snapshot, shares):
    session = ExploreSession(cpu())
    session.load(snapshot)
    result = session.run(DecodeRequest(np.zeros((1, 4), np.float32), shares=shares.astype(np.float32)))
    assert "hares of classes" in result.error.what


def test_big_requests_are_cut_with_their_shares(snapshot):
    session = ExploreSession(cpu())
    session.load(snapshot)
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(3), 10).astype(np.float32)
    request = DecodeRequest(rng.standard_normal((10, 4)).astype(np.float32), shares=shares)
    parts = [session.run(piece_of(request, start, 4)) for start in (0, 4, 8)]
    np.testing.assert_array_equal(join(request, parts).images, session.run(request).images)
