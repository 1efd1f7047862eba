from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from latentlab.core.class_mixture import described, gumbel_softmax, is_one_class, one_class, with_share
from latentlab.core.errors import InputError
from latentlab.core.latent_files import write_latents
from latentlab.core.latent_walk import EASINGS, Keyframe, Walk, WalkPlan, catmull_rom


def keyframes(count=3, dim=4, classes=3):
    rng = np.random.default_rng(0)
    return tuple(Keyframe(rng.standard_normal(dim).astype(np.float32), i % classes) for i in range(count))


@pytest.mark.parametrize("easing", EASINGS)
@pytest.mark.parametrize("loop", [True, False])
@pytest.mark.parametrize("rate", [24.0, 30.0, 7.0])
def test_every_keyframe_is_met_exactly_and_frames_are_as_many_as_time_and_rate_say(easing, loop, rate):
    keys = keyframes(4)
    walk = Walk(keys, 2.0, easing, "slerp", loop, rate)
    z, labels, shares = walk.points(3)
    assert len(z) == walk.frames == round(walk.duration_s * rate) + (0 if loop else 1)
    for i, key in enumerate(keys):
        np.testing.assert_allclose(walk.at(i)[0], key.z, atol=1e-5)
        frame = round(i * 2.0 * rate)
        np.testing.assert_allclose(z[frame], key.z, atol=1e-5)
        assert labels[frame] == key.label
        np.testing.assert_allclose(shares[frame], one_class(key.label, 3), atol=1e-5)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)


def test_a_loop_goes_on_from_its_last_frame_to_its_first_as_between_any_two():
    walk = Walk(keyframes(3), 1.0, "linear", "lerp", True, 10.0)
    z, labels, shares = walk.points()
    assert (labels, shares) == (None, None)
    third = z[20:30]
    np.testing.assert_allclose(z[0] - third[-1], third[1] - third[0], atol=1e-5)


def test_smooth_rests_at_keyframes_and_a_spline_does_not():
    keys = keyframes(3)
    for easing, rests in (("smooth", True), ("spline", False)):
        walk = Walk(keys, 1.0, easing, "lerp", False, 30.0)
        speed = np.linalg.norm(walk.at(1.001)[0] - walk.at(0.999)[0]) / 0.002
        assert (speed < 0.1) == rests


def test_a_spline_has_no_kink():
    walk = Walk(keyframes(5), 1.0, "spline", "slerp", True, 30.0)
    for place in range(5):
        before = (walk.at(place + 5)[0] - walk.at(place + 5 - 1e-2)[0]) / 1e-2
        after = (walk.at(place + 1e-2)[0] - walk.at(place)[0]) / 1e-2
        np.testing.assert_allclose(before, after, atol=0.15)


def test_catmull_rom_is_the_line_on_a_line():
    points = [np.full(2, x, np.float32) for x in (0.0, 1.0, 2.0, 3.0)]
    np.testing.assert_allclose(catmull_rom(*points, 0.3), [1.3, 1.3], rtol=1e-6)


def test_slerp_keeps_the_length_between_keyframes():
    a, b = np.array([3.0, 0.0], np.float32), np.array([0.0, 3.0], np.float32)
    walk = Walk((Keyframe(a), Keyframe(b)), 1.0, "smooth", "slerp", False)
    np.testing.assert_allclose(np.linalg.norm(walk.points()[0], axis=1), 3.0, rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: Walk(keyframes(1)), "two keyframes"),
        (lambda: Walk((*keyframes(2), *keyframes(1, dim=5))), "different models"),
        (lambda: Walk(keyframes(2), seconds=600, rate=120), "too many"),
        (lambda: Walk(keyframes(2), rate=0), "frames per second"),
        (lambda: WalkPlan(Path("a.png"), Walk(keyframes(2))), "not written as .png"),
        (lambda: WalkPlan(Path("a.gif"), Walk(keyframes(2), rate=60)), "that fast"),
        (lambda: WalkPlan(Path("a.mp4"), Walk(keyframes(2)), scale=3), "not possible"),
    ],
)
def test_what_is_no_walk_is_a_sentence(make, what):
    with pytest.raises(InputError, match=what):
        make()


def test_shares_sum_to_one_whatever_is_set():
    rng = np.random.default_rng(1)
    shares = one_class(2, 5)
    assert is_one_class(shares)
    np.testing.assert_array_equal(with_share(shares, 2, 0.5), shares)  # Nobody to give to.
    for _ in range(200):
        label, share = int(rng.integers(5)), float(rng.uniform(-0.2, 1.2))
        shares = with_share(shares, label, share)
        assert abs(shares.sum() - 1) < 1e-5
        assert (shares >= 0).all()


def test_gumbel_samples_fall_on_each_class_as_often_as_its_share_at_any_temperature():
    shares = np.array([0.5, 0.3, 0.2, 0.0], np.float32)
    for temperature in (0.1, 1.0, 5.0):
        soft = gumbel_softmax(shares, temperature, 20_000, seed=3)
        np.testing.assert_allclose(soft.sum(axis=1), 1, rtol=1e-5)
        found = np.bincount(soft.argmax(axis=1), minlength=4) / 20_000
        np.testing.assert_allclose(found, shares, atol=0.012)
        assert soft[:, 3].max() == 0
    assert gumbel_softmax(shares, 0.05, 500, 0).max(axis=1).mean() > 0.95
    np.testing.assert_array_equal(gumbel_softmax(shares, 1.0, 5, 7), gumbel_softmax(shares, 1.0, 5, 7))


def test_shares_are_described_from_the_largest():
    assert described(np.array([0.1, 0.6, 0.3], np.float32), "abc") == "b 60 %, c 30 %, a 10 %"
    assert described(np.full(5, 0.2, np.float32), "abcde", 2) == "a 20 %, b 20 %, …"


def test_latents_are_written_whole_or_not_at_all(tmp_path):
    z = np.random.default_rng(0).standard_normal((3, 2)).astype(np.float32)
    write_latents(tmp_path / "a.npz", z, np.array([1, 0, 2]), run="r", step=7)
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays["z"].tobytes() == z.tobytes()
        assert arrays["labels"].tolist() == [1, 0, 2]
    write_latents(tmp_path / "a.csv", z, np.array([1, 0, 2]))
    table = np.loadtxt(tmp_path / "a.csv", delimiter=",", skiprows=1)
    assert table[:, :2].astype(np.float32).tobytes() == z.tobytes()
    assert (tmp_path / "a.csv").read_text().splitlines()[0] == "z0,z1,label"
    with pytest.raises(InputError, match=r"neither \.npz nor \.csv"):
        write_latents(tmp_path / "a.txt", z)
    with pytest.raises(InputError, match="cannot be written"):
        write_latents(tmp_path / "no" / "a.npz", z)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.npz"]
