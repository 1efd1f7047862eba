"""How the samples of a class-conditional model compare with real images of the same class, pixel for pixel.

What a model without an encoder can be measured by: it has no reconstruction and no posterior.
"""

from __future__ import annotations

import torch
from torch import Tensor

from latentlab.core.messages import Ints
from latentlab.models.base import LatentModel
from latentlab.models.device import DevicePolicy
from latentlab.training.batches import Pictures, labels_at

BATCH = 128
# The points of the prior are the same at every measurement, so that only the weights move the numbers.
_SEED = 0xD1CE


def distances_within(x_ND: Tensor) -> Tensor:
    """Return the mean Euclidean distance of two different rows, (N, D) with N of at least 2."""
    count = len(x_ND)
    # A row is at distance 0 from itself; leaving these out makes the mean unbiased.
    return torch.cdist(x_ND, x_ND, compute_mode="donot_use_mm_for_euclid_dist").sum() / (count * (count - 1))


def distances_between(a_ND: Tensor, b_MD: Tensor) -> Tensor:
    """Return the mean Euclidean distance of a row of ``a_ND`` from a row of ``b_MD``."""
    return torch.cdist(a_ND, b_MD, compute_mode="donot_use_mm_for_euclid_dist").mean()


def compare(real_ND: Tensor, samples_ND: Tensor, y_N: Tensor) -> dict[str, float]:
    """Compare samples with real images, class by class, and average over the classes.

    ``sample_diversity``: E|s - s'| / E|x - x'|, the mean distance of two samples of a class as a share of that
    of two of its images. 1 is the data's; 0 is a class that is always the same picture (mode collapse).
    ``energy_distance``: (2 E|x - s| - E|x - x'| - E|s - s'|) / E|x - x'| (Székely & Rizzo 2013, eq. 5, divided by
    its data term). 0 where the two distributions agree and above 0 otherwise; as all means are unbiased, the
    estimate may fall a little below 0. It sees pictures that are wrong as well as pictures that are all alike.

    Parameters
    ----------
    real_ND, samples_ND
        Images and samples as rows of pixels in [0,1]; row n of both is of class ``y_N[n]``.
    y_N
        Classes, int64 from 0. Classes with fewer than two rows, or with two equal images, are left out.

    Returns
    -------
    dict
        Both metrics; empty where no class can be compared.
    """
    shares = []
    for label in sorted(set(y_N.tolist())):
        real, samples = real_ND[y_N == label], samples_ND[y_N == label]
        spread = distances_within(real) if len(real) > 1 else real.new_zeros(())
        if spread > 0.0:
            alike = distances_within(samples)
            apart = 2.0 * distances_between(real, samples) - spread - alike
            shares.append(torch.stack([alike, apart]) / spread)
    if not shares:
        return {}
    diversity, energy = torch.stack(shares).mean(dim=0).tolist()
    return {"sample_diversity": diversity, "energy_distance": energy}


def measure_samples(
    model: LatentModel, pictures: Pictures, rows: Ints, labels: Ints, policy: DevicePolicy
) -> dict[str, float]:
    """Compare a sample for each of some rows of a data set, of the row's class, with the images of these rows.

    Parameters
    ----------
    model
        Class-conditional, in evaluation mode, on the policy's device.
    rows
        Row numbers with a known class.
    labels
        Labels of the whole data set.

    Returns
    -------
    dict
        The metrics of ``compare``.
    """
    y_N = labels_at(labels, rows, policy.device)
    assert y_N is not None
    generator = torch.Generator().manual_seed(_SEED)
    z_ND = torch.randn(len(rows), model.info.latent_dim, generator=generator).to(policy.device)
    real, samples = [], []
    with torch.no_grad(), policy.autocast():
        for start in range(0, len(rows), BATCH):
            part = slice(start, start + BATCH)
            real.append(pictures.at(rows[part]).flatten(1))
            samples.append(model.decode(z_ND[part], y_N[part]).float().flatten(1))
    with torch.no_grad():
        return compare(torch.cat(real), torch.cat(samples), y_N)
