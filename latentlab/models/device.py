"""The one place that chooses device, arithmetic and memory format.

Measured on CPUs with AVX512-BF16, bfloat16 with channels_last more than doubles the speed of
convolutional networks; fully connected ones are too small there to gain. On CUDA bfloat16 with
channels_last is what tensor cores want.
"""

from __future__ import annotations

import contextlib
import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeVar

import psutil
import torch
from torch import Tensor, nn

from latentlab.core.errors import InputError

Module = TypeVar("Module", bound=nn.Module)


@dataclass(frozen=True)
class DevicePolicy:
    """Where and how a model runs. ``amp_dtype`` None means float32 throughout."""

    device: torch.device
    amp_dtype: torch.dtype | None = None
    channels_last: bool = False

    def autocast(self) -> AbstractContextManager[None]:
        """Return the context for forward passes; losses belong outside it, in float32."""
        if self.amp_dtype is None:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=self.amp_dtype)

    def place(self, module: Module) -> Module:
        """Move ``module`` to the device, in the memory format its convolutions run fastest in."""
        module.to(self.device)
        if self.channels_last:
            module.to(memory_format=torch.channels_last)
        return module

    def place_images(self, x_BCHW: Tensor) -> Tensor:
        """Return images on the device, in the memory format of the model."""
        memory_format = torch.channels_last if self.channels_last else torch.contiguous_format
        return x_BCHW.to(self.device, non_blocking=True).contiguous(memory_format=memory_format)

    def describe(self) -> str:
        """Return e.g. ``"CPU, bf16"`` or ``"CUDA NVIDIA H200, bf16"``."""
        name = "CPU" if self.device.type == "cpu" else f"CUDA {torch.cuda.get_device_name(self.device)}"
        return f"{name}, {'fp32' if self.amp_dtype is None else 'bf16'}"

    def memory_mb(self) -> float:
        """Return megabytes (10^6) in use: tensors on CUDA, the process's resident memory on the CPU."""
        if self.device.type == "cuda":
            return torch.cuda.memory_allocated(self.device) / 1e6
        return float(psutil.Process().memory_info().rss) / 1e6


def cpu_has_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 natively (AVX512-BF16 or AMX)."""
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def choose_device(device: str = "auto", precision: str = "auto", *, convolutional: bool = True) -> DevicePolicy:
    """Choose how to run.

    Parameters
    ----------
    device
        ``auto`` (CUDA when there is any), ``cpu`` or ``cuda`` (also ``cuda:1``).
    precision
        ``auto`` (bf16 where the hardware has it and the networks gain), ``fp32`` or ``bf16``.
    convolutional
        Whether the networks are made of convolutions, which gain from bf16 on the CPU.

    Raises
    ------
    InputError
        If CUDA is asked for and there is none, or ``device`` is no device.
    """
    chosen = _resolve(device)
    if chosen.type == "cuda":
        # Convolutions would run in TF32 by default; fp32 means fp32, and bf16 does not need it.
        torch.backends.cudnn.allow_tf32 = False
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = convolutional and cpu_has_bfloat16()
    use_bf16 = precision == "bf16" or (precision == "auto" and native)
    return DevicePolicy(chosen, torch.bfloat16 if use_bf16 else None, channels_last=convolutional)


def _resolve(device: str) -> torch.device:
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind, _, index = device.partition(":")
    if kind not in ("cpu", "cuda") or (index and not index.isdecimal()):
        raise InputError(f"{device} is not a device", where="--device", hint="Use auto, cpu or cuda.")
    if kind == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "There is no CUDA device that PyTorch can use", where="--device", hint="Use --device cpu, or auto."
        )
    if kind == "cuda" and int(index or 0) >= torch.cuda.device_count():
        raise InputError(f"{device}: there are {torch.cuda.device_count()} CUDA devices", where="--device")
    return torch.device(device)


THREADS_VARIABLE = "LATENTLAB_THREADS"


def limit_threads() -> None:
    """Leave one core to everything else. Call once, in the main thread, before any other thread starts.

    An OpenMP team as large as the machine waits in a busy loop for its slowest member, so that any
    other work, be it a window or another training, makes steps up to twenty times slower (measured
    on 2 busy cores: 20 images/s with 2 threads, 172 with 1). ``LATENTLAB_THREADS`` sets another number, as
    for several trainings at a time.
    """
    wanted = os.environ.get(THREADS_VARIABLE, "")
    torch.set_num_threads(max(1, int(wanted) if wanted.isdigit() else available_cores() - 1))


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
