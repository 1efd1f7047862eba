from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from training_fakes import make_data, make_recipe

from latentlab.core.errors import InputError
from latentlab.models.device import DevicePolicy
from latentlab.training.batches import Batches, Pictures, attributes_at, held_out_rows, labels_at, trainable_rows
from latentlab.training.run import model_info

CPU = DevicePolicy(torch.device("cpu"))
LAST = DevicePolicy(torch.device("cpu"), channels_last=True)


def stream(data, *, batch_size=8, seed=0, labelled_only=False, policy=CPU, **changes):
    kind = "cvae" if labelled_only else "vae"
    recipe = make_recipe(model__kind=kind, training__batch_size=batch_size, training__seed=seed, **changes)
    return batches_of(data, recipe, policy)


def batches_of(data, recipe, policy=CPU):
    return Batches(data, Pictures(data.images, policy), policy, model_info(recipe, data, Path("run")))


@pytest.mark.parametrize("policy", [CPU, LAST])
@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_are_the_pixels_divided_by_255(policy, channels) -> None:
    data = make_data(channels=channels)
    rows = np.array([5, 2, 2, 40])
    x = Pictures(data.images, policy).at(rows)
    assert x.dtype == torch.float32
    assert x.shape == (4, channels, 16, 16)
    expected = np.transpose(data.images[rows].astype(np.float64) / 255.0, (0, 3, 1, 2))
    np.testing.assert_allclose(x.numpy(), expected, rtol=1e-6)
    if policy.channels_last:
        assert x.is_contiguous(memory_format=torch.channels_last)


def test_a_memory_map_that_does_not_fit_is_streamed_and_gives_the_same(tmp_path: Path, data) -> None:
    np.save(tmp_path / "images.npy", data.images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    resident, streamed = Pictures(mapped, CPU), Pictures(mapped, CPU, share=0.0)
    assert (resident.resident, streamed.resident) == (True, False)
    rows = np.array([3, 1, 4])
    assert torch.equal(resident.at(rows), streamed.at(rows))


def test_an_epoch_visits_every_training_image_once_and_drops_the_rest() -> None:
    data = make_data(45)  # 37 to train on: four batches of 8, five left over
    marked = dataclasses.replace(data, labels=np.arange(45))
    batches = stream(marked)
    epochs = [torch.cat([batches.next().y_B for _ in range(4)]).tolist() for _ in range(2)]
    for epoch in epochs:
        assert len(set(epoch)) == 32
        assert set(epoch) <= set(marked.train_index.tolist())
    assert epochs[0] != epochs[1]


def test_the_same_seed_gives_the_same_stream_and_another_another(data) -> None:
    a, b, c = stream(data), stream(data), stream(data, seed=1)
    first = [s.next().x_BCHW for s in (a, b, c)]
    assert torch.equal(first[0], first[1])
    assert not torch.equal(first[0], first[2])


def test_a_stream_that_is_put_down_goes_on_exactly(data) -> None:
    steady, broken = stream(data), stream(data)
    for _ in range(7):
        steady.next()
        broken.next()
    taken_up = stream(data)
    assert taken_up.load_state_dict(broken.state_dict())
    for _ in range(9):
        assert torch.equal(steady.next().x_BCHW, taken_up.next().x_BCHW)


def test_changed_data_starts_a_new_epoch(data) -> None:
    old = stream(data)
    old.next()
    new = stream(make_data(60))
    assert not new.load_state_dict(old.state_dict())
    assert new.state_dict()["places"]["main"][:2] == [1, 0]


def test_a_set_smaller_than_a_batch_is_one_batch(data) -> None:
    batches = stream(data, batch_size=1000)
    assert batches.batch_size == len(data.train_index)
    assert len(batches.next().x_BCHW) == len(data.train_index)


def test_hidden_labels_are_left_out_where_labels_are_needed(data) -> None:
    labels = data.labels.copy()
    labels[data.train_index[10:]] = -1
    hidden = dataclasses.replace(data, labels=labels)
    assert trainable_rows(hidden, labelled_only=True).tolist() == data.train_index[:10].tolist()
    assert len(trainable_rows(hidden, labelled_only=False)) == len(data.train_index)
    batches = stream(hidden, batch_size=4, labelled_only=True)
    for _ in range(6):
        assert int(batches.next().y_B.min()) >= 0


def test_a_model_of_classes_without_classes_is_one_clear_error() -> None:
    with pytest.raises(InputError, match="no classes"):
        trainable_rows(make_data(classes=0), labelled_only=True)


def test_too_few_images_is_one_clear_error(data) -> None:
    lonely = dataclasses.replace(data, train_index=data.train_index[:1])
    with pytest.raises(InputError, match="training images: 1"):
        trainable_rows(lonely, labelled_only=False)


def test_held_out_rows_fall_back_to_training_rows(data) -> None:
    assert held_out_rows(data, False).tolist() == data.test_index.tolist()
    labels = data.labels.copy()
    labels[data.test_index] = -1
    unlabelled = dataclasses.replace(data, labels=labels)
    assert held_out_rows(unlabelled, True).tolist() == data.train_index.tolist()


def test_labels(data) -> None:
    y = labels_at(data.labels, np.array([4, 0]), torch.device("cpu"))
    assert y.dtype == torch.int64
    assert y.tolist() == [1, 0]
    assert labels_at(None, np.array([4, 0]), torch.device("cpu")) is None


def test_a_semi_supervised_batch_brings_labelled_images_and_all_of_them_go_on_exactly(data) -> None:
    labels = data.labels.copy()
    labels[data.train_index[9:]] = -1
    data = dataclasses.replace(data, labels=labels)
    recipe = make_recipe(
        model__kind="ssvae",
        training__labelled_batch_size=4,
        objective__separate_batches=True,
        data__shift=2,
    )
    steady, broken, taken_up = (batches_of(data, recipe) for _ in range(3))
    seen = set()
    for _ in range(7):
        batch = steady.next()
        broken.next()
        assert len(batch.x_BCHW) == len(batch.other_BCHW) == 8
        assert batch.labelled.x_BCHW.shape == (4, 1, 16, 16)
        assert int(batch.labelled.y_B.min()) >= 0
        seen |= {tuple(image.tolist()) for image in batch.other_BCHW.flatten(1)}
        assert not torch.equal(batch.x_BCHW, batch.other_BCHW)
    assert taken_up.load_state_dict(broken.state_dict())
    for _ in range(9):
        steady_batch, again = steady.next(), taken_up.next()
        assert torch.equal(steady_batch.x_BCHW, again.x_BCHW)
        assert torch.equal(steady_batch.labelled.x_BCHW, again.labelled.x_BCHW)
        assert torch.equal(steady_batch.other_BCHW, again.other_BCHW)


def test_no_labels_at_all_is_one_clear_error_for_a_semi_supervised_model(data) -> None:
    hidden = dataclasses.replace(data, labels=np.full_like(data.labels, -1))
    with pytest.raises(InputError, match="labelled training images: 0"):
        batches_of(hidden, make_recipe(model__kind="ssvae"))


def test_attributes_come_with_their_images(data) -> None:
    attributes = np.random.default_rng(0).integers(-1, 2, (len(data.images), 5)).astype(np.int8)
    batch = batches_of(dataclasses.replace(data, attributes=attributes), make_recipe()).next()
    assert batch.a_BA.shape == (8, 5)
    assert set(batch.a_BA.unique().tolist()) <= {-1.0, 0.0, 1.0}
    rows = np.array([4, 0])
    assert attributes_at(attributes, rows, torch.device("cpu")).tolist() == attributes[rows].tolist()
    assert attributes_at(None, rows, torch.device("cpu")) is None


def test_a_stream_of_the_first_release_is_taken_up(data) -> None:
    steady, new = stream(data), stream(data)
    for _ in range(3):
        steady.next()
    assert new.load_state_dict({"epoch": 0, "position": 24, "images": len(data.train_index), "seed": 0})
    assert torch.equal(steady.next().x_BCHW, new.next().x_BCHW)
