from __future__ import annotations

import pytest
import torch

from latentlab.core.errors import InputError
from latentlab.models import device as devices
from latentlab.models.device import DevicePolicy, choose_device, limit_threads


@pytest.fixture
def no_cuda(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.usefixtures("no_cuda")
@pytest.mark.parametrize(
    ("native", "precision", "convolutional", "expected"),
    [
        (True, "auto", True, torch.bfloat16),
        (True, "auto", False, None),
        (False, "auto", True, None),
        (True, "fp32", True, None),
        (False, "bf16", True, torch.bfloat16),
        (False, "bf16", False, torch.bfloat16),
    ],
)
def test_precision_on_the_cpu(monkeypatch, native, precision, convolutional, expected):
    monkeypatch.setattr(devices, "cpu_has_bfloat16", lambda: native)
    policy = choose_device("auto", precision, convolutional=convolutional)
    assert policy.device.type == "cpu"
    assert policy.amp_dtype == expected
    assert policy.channels_last == convolutional


@pytest.mark.usefixtures("no_cuda")
@pytest.mark.parametrize("name", ["cuda", "cuda:1", "gpu", "tpu", "cuda:x"])
def test_a_device_that_is_not_there_is_a_sentence(name: str):
    with pytest.raises(InputError) as caught:
        choose_device(name)
    assert caught.value.where == "--device"


def test_autocast_computes_in_bfloat16_and_only_inside():
    policy = DevicePolicy(torch.device("cpu"), torch.bfloat16)
    a = torch.ones(2, 2)
    with policy.autocast():
        assert (a @ a).dtype == torch.bfloat16
    assert (a @ a).dtype == torch.float32
    with DevicePolicy(torch.device("cpu")).autocast():
        assert (a @ a).dtype == torch.float32


def test_images_and_weights_are_placed_in_the_same_format():
    policy = DevicePolicy(torch.device("cpu"), channels_last=True)
    conv = policy.place(torch.nn.Conv2d(3, 8, 3))
    images = policy.place_images(torch.rand(2, 3, 8, 8))
    assert conv.weight.is_contiguous(memory_format=torch.channels_last)
    assert images.is_contiguous(memory_format=torch.channels_last)


def test_descriptions_and_memory():
    policy = DevicePolicy(torch.device("cpu"), torch.bfloat16)
    assert policy.describe() == "CPU, bf16"
    assert DevicePolicy(torch.device("cpu")).describe() == "CPU, fp32"
    assert 10 < policy.memory_mb() < 1e6


def test_threads_leave_a_core_to_the_window(monkeypatch):
    before = torch.get_num_threads()
    try:
        for cores, expected in ((8, 7), (2, 1), (1, 1)):
            monkeypatch.setattr(devices, "available_cores", lambda cores=cores: cores)
            limit_threads()
            assert torch.get_num_threads() == expected
    finally:
        torch.set_num_threads(before)


@pytest.mark.cuda
def test_fp32_on_cuda_means_fp32():
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    policy = choose_device("cuda", "fp32")
    x = torch.randn(2, 64, 32, 32, generator=torch.Generator().manual_seed(0))
    conv = torch.nn.Conv2d(64, 64, 3)
    with torch.no_grad():
        exact = conv.double()(x.double()).float()
        seen = policy.place(conv.float())(policy.place_images(x)).cpu()
    torch.testing.assert_close(seen, exact, rtol=1e-5, atol=1e-5)
