"""SSIM, diversity and Fréchet distance against scipy and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from evaluation_fakes import LinearGaussian, subject_of
from scipy import linalg, ndimage
from scipy.spatial import distance
from training_fakes import make_data, make_recipe

from latentlab.core.messages import ModelInfo
from latentlab.models.base import LatentModel, Posterior
from latentlab.training.evaluation import features
from latentlab.training.evaluation.frechet import frechet_distance, measure_frechet
from latentlab.training.evaluation.reconstruction import measure_reconstruction, ssim
from latentlab.training.evaluation.samples import measure_samples

C1, C2 = 1e-4, 9e-4


def ssim_by_scipy(a: np.ndarray, b: np.ndarray) -> float:
    """Return SSIM of (H, W, C) pictures with scipy's Gaussian filter, cut to where the window fits."""
    values = []
    for channel in range(a.shape[2]):
        x, y = a[:, :, channel].astype(np.float64), b[:, :, channel].astype(np.float64)

        def smooth(picture):
            return ndimage.gaussian_filter(picture, 1.5, truncate=3.5)[5:-5, 5:-5]

        mx, my = smooth(x), smooth(y)
        vx, vy, cov = smooth(x * x) - mx**2, smooth(y * y) - my**2, smooth(x * y) - mx * my
        values.append(((2 * mx * my + C1) * (2 * cov + C2) / ((mx**2 + my**2 + C1) * (vx + vy + C2))).mean())
    return float(np.mean(values))


@pytest.mark.parametrize("shape", [(16, 16, 1), (33, 20, 3)])
def test_ssim_of_random_pictures(shape) -> None:
    rng = np.random.default_rng(2)
    a = rng.random((3, *shape)).astype(np.float32)
    b = np.clip(a + 0.2 * rng.normal(size=a.shape), 0, 1).astype(np.float32)
    found = ssim(torch.tensor(a).permute(0, 3, 1, 2), torch.tensor(b).permute(0, 3, 1, 2))
    assert found.numpy() == pytest.approx([ssim_by_scipy(x, y) for x, y in zip(a, b, strict=True)], abs=1e-4)


def test_ssim_in_closed_form() -> None:
    picture = torch.rand(2, 3, 20, 24, generator=torch.Generator().manual_seed(0))
    assert ssim(picture, picture).numpy() == pytest.approx(1.0, abs=1e-6)
    a, b = 0.3, 0.8
    flat = ssim(torch.full((1, 1, 16, 16), a), torch.full((1, 1, 16, 16), b))
    assert float(flat) == pytest.approx((2 * a * b + C1) / (a * a + b * b + C1), abs=1e-3)
    # The negative about grey: same luminance, opposite structure.
    wave = 0.5 + 0.4 * torch.sin(torch.arange(32.0)).repeat(32, 1)[None, None]
    assert float(ssim(wave, 1.0 - wave)) < -0.9


def test_ssim_of_pictures_smaller_than_the_window() -> None:
    picture = torch.rand(1, 1, 4, 6, generator=torch.Generator().manual_seed(0))
    assert float(ssim(picture, picture)) == pytest.approx(1.0, abs=1e-6)


class Fixed(LatentModel):
    """Paints the same picture for every z; or, given pictures, one of them by chance."""

    def __init__(self, data, pictures: np.ndarray | None, kind: str = "vae") -> None:
        recipe = make_recipe(model__kind=kind, model__latent_dim=2)
        super().__init__(ModelInfo(recipe, data.image_shape, data.num_classes, data.class_names))
        self.encoder = self.decoder = torch.nn.Identity()
        self.pictures = None if pictures is None else torch.tensor(pictures / 255.0).permute(0, 3, 1, 2).float()

    def encode(self, x_BCHW, y_B=None):
        return Posterior(torch.zeros(len(x_BCHW), 2), torch.zeros(len(x_BCHW), 2))

    def decode(self, z_BD, y_B=None):
        if self.pictures is None:
            return torch.full((len(z_BD), 1, 16, 16), 0.5)
        place = (0.5 * (1.0 + torch.erf(z_BD[:, 0] / 2**0.5)) * len(self.pictures)).long()
        return self.pictures[place.clamp(max=len(self.pictures) - 1)]

    def parameter_groups(self):
        return {}

    def training_step(self, batch, context):
        raise NotImplementedError


def test_diversity_is_that_of_scipy() -> None:
    model, data = LinearGaussian(), make_data(60, side=4, classes=0)
    subject = subject_of(model, data, np.arange(60))
    drawn = torch.cat([x for x, _ in subject.samples(60, "samples")]).flatten(1).numpy()
    real = data.images.reshape(60, -1) / 255.0
    expected = distance.pdist(drawn).mean() / distance.pdist(real).mean()
    found = measure_samples(subject, {"sample_diversity"}).values
    assert found["sample_diversity"] == pytest.approx(expected, rel=1e-4)
    cross = distance.cdist(drawn, real).mean()
    energy = 2 * cross - distance.pdist(drawn).mean() - distance.pdist(real).mean()
    assert found["energy_distance"] == pytest.approx(energy / distance.pdist(real).mean(), rel=1e-4)


def test_collapsed_samples_and_the_data_itself() -> None:
    data = make_data(300)
    collapsed = measure_samples(subject_of(Fixed(data, None), data, np.arange(300)), set()).values
    assert collapsed["sample_diversity"] == 0.0
    assert collapsed["energy_distance"] > 0.3
    same = measure_samples(subject_of(Fixed(data, data.images), data, np.arange(300)), set()).values
    assert same["sample_diversity"] == pytest.approx(1.0, abs=0.03)
    assert same["energy_distance"] == pytest.approx(0.0, abs=0.02)


def test_conditional_samples_are_compared_within_classes() -> None:
    data = make_data(300)
    # All classes look like class 0: its own samples vary as they should, and all are as far apart as one class is.
    model = Fixed(data, data.images[data.labels == 0], kind="cvae")
    found = measure_samples(subject_of(model, data, np.arange(300)), set()).values
    real = data.images.reshape(300, -1) / 255.0
    shares = [
        distance.pdist(real[data.labels == 0]).mean() / distance.pdist(real[data.labels == k]).mean() for k in range(3)
    ]
    assert found["sample_diversity"] == pytest.approx(np.mean(shares), abs=0.02)
    assert found["energy_distance"] > 0.3


def with_moments(mean: np.ndarray, covariance: np.ndarray, seed: int) -> torch.Tensor:
    """Return rows whose sample mean and covariance are exactly these."""
    x = np.random.default_rng(seed).normal(size=(50, len(mean)))
    x = (x - x.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T))).T
    return torch.tensor(x @ np.linalg.cholesky(covariance).T + mean)


def test_frechet_of_gaussians_with_equal_axes() -> None:
    a, b = np.array([4.0, 1.0, 0.25]), np.array([1.0, 9.0, 0.04])
    shift = np.array([1.0, -2.0, 0.5])
    expected = (shift**2).sum() + ((np.sqrt(a) - np.sqrt(b)) ** 2).sum()
    found = frechet_distance(with_moments(np.zeros(3), np.diag(a), 0), with_moments(shift, np.diag(b), 1))
    assert found == pytest.approx(expected, rel=1e-9)


def test_frechet_of_gaussians_with_any_axes() -> None:
    rng = np.random.default_rng(5)
    a, b = (m @ m.T + 0.1 * np.eye(4) for m in rng.normal(size=(2, 4, 4)))
    expected = np.trace(a + b - 2.0 * linalg.sqrtm(a @ b).real)
    assert frechet_distance(with_moments(np.zeros(4), a, 0), with_moments(np.zeros(4), b, 1)) == pytest.approx(expected)


def test_frechet_of_a_set_with_itself_or_with_a_point() -> None:
    x = with_moments(np.zeros(3), np.diag([1.0, 2.0, 3.0]), 0)
    assert frechet_distance(x, x) == pytest.approx(0.0, abs=1e-6)
    assert frechet_distance(x, torch.zeros(5, 3)) == pytest.approx(6.0)


FRECHET = {"frechet_samples", "frechet_reconstructions", "frechet_data"}


def test_features_see_collapse_and_are_trained_once(monkeypatch) -> None:
    monkeypatch.setattr(features, "STEPS", 60)
    data, rows = make_data(800), np.arange(800)
    collapsed = measure_frechet(subject_of(Fixed(data, None), data, rows), FRECHET).values
    same = measure_frechet(subject_of(Fixed(data, data.images), data, rows), FRECHET).values
    assert set(same) == FRECHET
    assert collapsed["frechet_samples"] > 5.0 * same["frechet_samples"]
    assert collapsed["frechet_data"] == same["frechet_data"]

    def never(*_: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(features, "_train", never)
    assert measure_frechet(subject_of(Fixed(data, None), data, rows), FRECHET).values == collapsed


def test_a_damaged_feature_network_is_made_again(monkeypatch, own_folders) -> None:
    monkeypatch.setattr(features, "STEPS", 5)
    data = make_data(48)
    subject = subject_of(Fixed(data, None), data)
    before = features.feature_net(subject).state_dict()
    (file,) = (own_folders / "cache" / "features").iterdir()
    file.write_bytes(b"broken")
    after = features.feature_net(subject).state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert file.stat().st_size > 1000


def test_an_interrupt_leaves_no_half_trained_network(monkeypatch, own_folders) -> None:
    data = make_data(48)
    subject = subject_of(Fixed(data, None), data)

    def stop(progress) -> None:
        if progress.done:
            raise KeyboardInterrupt

    subject.progress = stop
    with pytest.raises(KeyboardInterrupt):
        features.feature_net(subject)
    assert not list((own_folders / "cache").rglob("*.*"))


def test_training_and_evaluation_measure_the_same_reconstructions() -> None:
    from latentlab.training.measure import measure

    data = make_data(60, side=4, classes=0)
    model = LinearGaussian()
    subject = subject_of(model, data)
    logged = measure(model, subject.pictures, data.test_index, None, subject.policy, model.info.recipe.objective)
    found = measure_reconstruction(subject, {"ssim"}).values
    assert {name: found[name] for name in logged} == logged
    assert 0.0 < found["ssim"] < 1.0
