"""The health of the latents against closed forms, and its way through the run folder."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal
from training_fakes import Memory, make_data, make_recipe

from latentlab.core.metrics import METRICS
from latentlab.core.vectors import Z_BINS, z_edges
from latentlab.models.base import Posterior
from latentlab.training.fit import fit
from latentlab.training.latent_health import LatentHealth, mixture_histogram
from latentlab.training.metrics_db import MetricsWriter, read_metrics
from latentlab.training.vectors_db import VectorsWriter, read_vectors


def health(mu: torch.Tensor, logvar: torch.Tensor):
    watched = LatentHealth()
    for part in torch.arange(len(mu)).split(5):
        watched.add(Posterior(mu[part], logvar[part]))
    return watched.result()


def test_the_mixture_is_that_of_the_posteriors():
    generator = torch.Generator().manual_seed(1)
    mu, logvar = 2.0 * torch.randn(11, 3, generator=generator), torch.randn(11, 3, generator=generator)
    bins = mixture_histogram(mu, logvar).reshape(3, Z_BINS)
    edges = torch.tensor(z_edges(), dtype=torch.float32)
    cdf = Normal(mu[..., None], (0.5 * logvar)[..., None].exp()).cdf(edges).mean(0)
    expected = cdf.diff(dim=1)
    assert torch.allclose(bins[:, 1:-1].float(), expected[:, 1:-1], atol=1e-6)
    assert torch.allclose(bins.sum(1).float(), torch.ones(3), atol=1e-6)


def test_posteriors_that_are_the_prior_say_nothing_and_have_no_gap():
    scalars, vectors = health(torch.zeros(600, 4), torch.zeros(600, 4))
    assert scalars["mutual_information"] == pytest.approx(0.0, abs=1e-9)
    assert scalars["prior_gap"] == pytest.approx(0.0, abs=1e-6)
    assert scalars["z_norm_mean"] == pytest.approx(1.0, abs=0.05)
    assert vectors["kld_dim"].tolist() == [0.0] * 4
    assert vectors["z_norm_hist"].sum() == pytest.approx(1.0)


def test_posteriors_far_apart_tell_images_apart_completely():
    mu = torch.arange(40.0)[:, None] * 10.0
    scalars, vectors = health(mu, torch.zeros(40, 1))
    assert scalars["mutual_information"] == pytest.approx(math.log(40), abs=1e-6)
    assert scalars["prior_gap"] > 100
    assert vectors["variance_dim"][0] == pytest.approx(float(mu.var()), rel=1e-5)
    assert vectors["std_dim"][0] == pytest.approx(math.sqrt(float(mu.var()) + 1.0), rel=1e-5)


@pytest.mark.parametrize("kind", ["ae", "vae", "vaegan", "cvae", "cgan"])
def test_a_training_leaves_its_vectors_in_the_run(kind: str, new_run, data):
    recipe = make_recipe(model__kind=kind, training__gradient_shares_every=4, training__steps=8)
    run, sink = new_run(recipe, data), Memory()
    fit(recipe, data, sink, run=run, device="cpu")
    found = read_vectors(run.metrics)
    told = {name for step in sink.steps for name in step.vectors}
    assert set(found) == told
    if kind != "cgan":
        assert found["mean_dim"][0] == [4, 8]
        assert found["mean_dim"][1][-1].shape == (4,)
    assert ("d_real_hist" in found) == (kind in ("vaegan", "cgan"))
    series = read_metrics(run.metrics)
    known = {name.removeprefix("test_") for name in series} - {"elapsed_s"}
    assert known <= set(METRICS), known - set(METRICS)
    assert ("z_mean_q50" in series) == (kind != "cgan")
    assert ("d_prob_real" in series) == (kind in ("vaegan", "cgan"))
    assert series["grad_norm_decoder"][0].tolist() == [4.0, 8.0]
    assert ("test_sample_level" in series) == (kind != "ae")
    if kind not in ("ae", "cgan"):
        low, high = series["z_mean_q02"][1], series["z_mean_q98"][1]
        assert (low <= high).all()


def test_the_file_stays_small_and_a_resumed_run_drops_what_came_after(tmp_path):
    path = tmp_path / "metrics.db"
    writer = MetricsWriter(path)
    vectors = VectorsWriter(writer)
    row = np.zeros(1 << 16, dtype=np.float32)  # A quarter of a megabyte: 16 rows are kept.
    for step in range(1, 101):
        vectors.append(step, {"z_hist": row, "kld_dim": row[:4]})
        vectors.flush()
    writer.close()
    found = read_vectors(path)
    assert len(found["z_hist"][0]) <= 16
    assert found["z_hist"][0][-1] == 100
    assert len(found["kld_dim"][0]) == 100
    assert read_vectors(path, after=97)["kld_dim"][0] == [98, 99, 100]
    writer = MetricsWriter(path)
    VectorsWriter(writer, truncate_after=50)
    writer.close()
    assert max(read_vectors(path)["kld_dim"][0]) == 50


def test_bands_and_shares_do_not_depend_on_a_resume(new_run):
    data = make_data()
    recipe = make_recipe(model__kind="vaegan", training__gradient_shares_every=3, training__checkpoint_every=6)
    whole, parts = new_run(recipe, data), new_run(recipe, data)
    fit(recipe, data, Memory(), run=whole, device="cpu")
    fit(recipe, data, Memory({6: Memory.quit}), run=parts, device="cpu")
    fit(recipe, data, Memory(), run=parts, device="cpu", resume=True)
    a, b = read_metrics(whole.metrics), read_metrics(parts.metrics)
    assert a.keys() == b.keys()
    for name in a:
        if name not in ("elapsed_s", "images_per_s"):
            common = np.isin(b[name][0], a[name][0])  # The stop measured once more.
            assert a[name][1].tolist() == b[name][1][common].tolist(), name
    first, second = read_vectors(whole.metrics), read_vectors(parts.metrics)
    for name, (steps, rows) in first.items():
        wanted = [i for i, step in enumerate(second[name][0]) if step in steps]
        assert all(np.array_equal(rows[steps.index(second[name][0][i])], second[name][1][i]) for i in wanted)
