"""Cutting a big request into pieces and putting the answers together again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from latentlab.core.messages import DecodeRequest, InferenceRequest, InferenceResult

_ARRAYS = ("images", "originals", "mu", "logvar", "pixel")


def size_of(request: InferenceRequest) -> int:
    """Return the number of pictures a request asks for."""
    return len(request.z if isinstance(request, DecodeRequest) else request.images)


def piece_of(request: InferenceRequest, start: int, count: int) -> InferenceRequest:
    """Return the part of a request for pictures ``start`` to ``start + count``."""
    if start == 0 and count >= size_of(request):
        return request
    part = slice(start, start + count)
    labels = None if request.labels is None else request.labels[part]
    if isinstance(request, DecodeRequest):
        shares = None if request.shares is None else request.shares[part]
        return replace(request, z=request.z[part], labels=labels, shares=shares)
    return replace(request, images=request.images[part], labels=labels)


def join(request: InferenceRequest, parts: Sequence[InferenceResult]) -> InferenceResult:
    """Return the answer to ``request`` from the answers to its pieces; the first error stands for all."""
    failed = next((part for part in parts if part.error is not None), None)
    if failed is not None:
        return replace(failed, request=request)
    if len(parts) == 1:
        return replace(parts[0], request=request)
    arrays: dict[str, Any] = {}
    for name in _ARRAYS:
        found = [getattr(part, name) for part in parts]
        arrays[name] = None if found[0] is None else np.concatenate(found)
    return replace(parts[0], request=request, took_ms=sum(part.took_ms for part in parts), **arrays)
