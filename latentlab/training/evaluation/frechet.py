"""The Fréchet distance between pictures, by the features of a network of our own (after Heusel et al. 2017)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set

import torch
from torch import Tensor

from latentlab.core.messages import Ints
from latentlab.training.evaluation.features import FeatureNet, feature_net
from latentlab.training.evaluation.subject import Findings, Subject

PICTURES = 5_000


def frechet_distance(a_NF: Tensor, b_MF: Tensor) -> float:
    """Return |m_a - m_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2)) of Gaussians fitted to rows (Dowson & Landau 1982).

    The trace of the root is the sum of the roots of the eigenvalues of S_a^(1/2) S_b S_a^(1/2), which is symmetric
    and so needs no complex root. At least two rows each.
    """
    a_NF, b_MF = a_NF.double(), b_MF.double()
    covariance_a, covariance_b = torch.cov(a_NF.T), torch.cov(b_MF.T)
    values, vectors = torch.linalg.eigh(covariance_a)
    root_a = (vectors * values.clamp(min=0.0).sqrt()) @ vectors.T
    mixed = torch.linalg.eigvalsh(root_a @ covariance_b @ root_a).clamp(min=0.0).sqrt().sum()
    gap = (a_NF.mean(0) - b_MF.mean(0)).square().sum()
    return max(0.0, float(gap + covariance_a.trace() + covariance_b.trace() - 2.0 * mixed))


def measure_frechet(subject: Subject, wanted: Set[str]) -> Findings:
    """Measure samples, reconstructions and training images against the images of the split."""
    net = feature_net(subject)
    rows = subject.some(subject.rows, PICTURES, "frechet")
    training = subject.some(subject.training_rows(), len(rows), "frechet training")
    if min(len(rows), len(training)) < 2:
        return Findings()
    train_NF = _of_rows(subject, net, training, "Features of training images")
    real_NF = _of_rows(subject, net, rows, "Features of images")
    others: dict[str, Callable[[], Tensor]] = {
        "frechet_data": lambda: train_NF,
        "frechet_reconstructions": lambda: _features(net, _reconstructions(subject, rows)),
        "frechet_samples": lambda: _features(net, (x for x, _ in subject.samples(len(rows), "frechet samples"))),
    }
    # In units of the training images' own spread, so that no feature counts more for its scale.
    scale_F = train_NF.std(0).clamp(min=1e-6)
    values = {
        name: frechet_distance(features() / scale_F, real_NF / scale_F)
        for name, features in others.items()
        if name in wanted
    }
    return Findings(values, {"frechet_images": len(rows)})


def _features(net: FeatureNet, pictures: Iterable[Tensor]) -> Tensor:
    with torch.no_grad():
        return torch.cat([net(x_BCHW).double().cpu() for x_BCHW in pictures])


def _of_rows(subject: Subject, net: FeatureNet, rows: Ints, what: str) -> Tensor:
    return _features(net, (images.x_BCHW for images in subject.batches(what, rows)))


def _reconstructions(subject: Subject, rows: Ints) -> Iterable[Tensor]:
    for images in subject.batches("Features of reconstructions", rows):
        yield subject.reconstruct(images)[1]
