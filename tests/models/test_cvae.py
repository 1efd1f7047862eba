from __future__ import annotations

import pytest
import torch
from model_builders import blobs, make, make_info, train

from latentlab.core.errors import InputError
from latentlab.core.messages import ModelInfo
from latentlab.models.base import Batch
from latentlab.models.conditioning import one_hot
from latentlab.models.registry import build_model


def test_one_hot_rows_and_unknown_labels():
    rows = one_hot(torch.tensor([2, -1, 0]), 3, 4, torch.device("cpu"))
    assert rows.tolist() == [[0, 0, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0]]
    assert one_hot(None, 2, 4, torch.device("cpu")).tolist() == [[0] * 4] * 2


def test_data_without_classes_is_refused_with_a_hint():
    info = make_info("cvae")
    with pytest.raises(InputError, match="classes") as caught:
        build_model(ModelInfo(info.recipe, info.image_shape, 0))
    assert caught.value.hint


@pytest.mark.parametrize("network", ["conv", "residual", "mlp"])
def test_the_class_changes_both_encoding_and_decoding(network: str):
    model, context = make("cvae", network=network)
    train(model, context, blobs(6), 2)
    with torch.no_grad():
        z = torch.zeros(1, 4)
        assert not torch.equal(model.decode(z, torch.tensor([0])), model.decode(z, torch.tensor([1])))
        x = blobs(1)
        assert not torch.equal(model.encode(x, torch.tensor([0])).mu_BD, model.encode(x, torch.tensor([1])).mu_BD)


def test_unlabelled_images_train_and_count_as_no_class():
    model, context = make("cvae")
    metrics = model.training_step(Batch(blobs(4), torch.tensor([-1, -1, 0, 1])), context)
    assert all(value.isfinite() for value in metrics.values())
    with torch.no_grad():
        z = torch.ones(2, 4)
        torch.testing.assert_close(model.decode(z, None), model.decode(z, torch.tensor([-1, -1])))


@pytest.mark.parametrize("network", ["conv", "mlp"])
def test_z_keeps_what_the_class_does_not_say(network: str):
    """Brightness follows the class, position does not: after training z predicts position, hardly brightness."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(3, (96,), generator=generator)
    images = blobs(96) * (0.2 + 0.4 * labels)[:, None, None, None]
    model, context = make("cvae", network=network, width=8, latent_dim=4, lr=3e-3, sigma=0.1)
    for step in range(250):
        context.step = step
        model.training_step(Batch(images, labels), context)
    with torch.no_grad():
        mu = model.encode(images, labels).mu_BD
        pictures = [model.decode(mu[:16], torch.full((16,), k)).amax(dim=(1, 2, 3)).mean() for k in range(3)]
    design = torch.cat([mu, torch.ones(96, 1)], dim=1)

    def explained(target: torch.Tensor) -> float:
        fit = design @ torch.linalg.lstsq(design, target[:, None]).solution
        return 1.0 - ((target - fit[:, 0]).square().mean() / target.var(correction=0)).item()

    rows = (blobs(96).sum(dim=(1, 3)) * torch.arange(16.0)).sum(dim=1) / blobs(96).sum(dim=(1, 2, 3))
    assert explained(labels.float()) < 0.35
    assert explained(rows) > 0.7
    assert pictures[0] < pictures[1] < pictures[2]
